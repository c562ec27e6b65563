"""What both transports agree on."""

from __future__ import annotations

from typing import Final

from airflow_provider_tuya_ota import __version__
from airflow_provider_tuya_ota.core.errors import ProtocolError

LARGEST_REPLY: Final = 16 * 1024 * 1024
"""Bytes; a page of 200 jobs is well below 1 MiB, so more than this is no reply."""
PIECE: Final = 256 * 1024
"""Bytes read from a file at once while uploading."""
USER_AGENT: Final = f"airflow-provider-tuya-ota/{__version__}"


def refuse_large_reply() -> ProtocolError:
    """Build the error for an answer that does not end."""
    return ProtocolError(f"the answer is longer than {LARGEST_REPLY:,} bytes, which no documented reply is")
