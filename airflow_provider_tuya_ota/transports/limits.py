"""Limits of both transports, and how they read TLS errors."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota import __version__
from airflow_provider_tuya_ota.core.errors import ConfigurationError, ProtocolError, TuyaOTAError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.settings import Settings

LARGEST_REPLY: Final = 2 * 1024 * 1024
"""Bytes. A page of 200 jobs is well below 1 MiB, so no reply is larger. Reading one takes at most 50 MiB of memory."""
CHUNK_SIZE: Final = 256 * 1024
"""Bytes of a file or an answer that are read at once."""
USER_AGENT: Final = f"airflow-provider-tuya-ota/{__version__}"


def longest_answer(read_timeout: float) -> float:
    """Give the seconds after a request in which its answer must be complete, headers included.

    They limit an answer that arrives byte by byte, for which ``read_timeout`` never passes.

    :param read_timeout: seconds without a byte after which an answer counts as lost.
    """
    return 2 * read_timeout


def refuse_large_reply() -> ProtocolError:
    """Build the error for an answer that is too large."""
    return ProtocolError(f"the answer is longer than {LARGEST_REPLY:,} bytes, which no documented reply is")


def is_foreign(error: BaseException) -> bool:
    """Whether an error comes from a library: not from this package, nor from the end of the process or of its time."""
    return isinstance(error, Exception) and not isinstance(error, TuyaOTAError)


def tls_reason(error: ssl.SSLError) -> str:
    """Say why TLS could not be agreed on."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "no trusted TLS connection"
    if error.reason in _NO_TLS:
        return (
            "the server does not speak TLS there; check the port, and write http:// before the host only if plain HTTP"
            " is meant"
        )
    return "TLS could not be agreed on"


_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNEXPECTED_MESSAGE"})
"""What different versions of OpenSSL report for an answer in plain text."""


def trust(settings: Settings) -> ssl.SSLContext | None:
    """Load the connection's own certificate authorities, if it names any.

    :raises ConfigurationError: the file is missing or holds no certificate.
    """
    if not settings.ca_bundle:
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_bundle)
    except OSError as error:
        raise ConfigurationError(
            f"Connection extra ca_bundle: the file cannot be read ({error.strerror or 'no certificate'})."
            " Allowed: the path of a PEM file with certificate authorities, on every worker and triggerer."
        ) from None
