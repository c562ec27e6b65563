"""The settings of a connection, validated.

Unknown names are refused, because people who edit connections are less trusted than authors of Dags. Errors name the
field as Airflow's form does. They never repeat a text in it, because a secret may have been typed into the wrong field.
"""

from __future__ import annotations

import ipaddress
import re
import string
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.secret import Secret, as_secret
from airflow_provider_tuya_ota.core.texts import is_writable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DEFAULT_PORT: Final = 8686
API_VERSIONS: Final = ("2018-01-20", "2022-01-01")
HTTP_METHODS: Final = ("GET", "POST")


@dataclass(frozen=True, slots=True, init=False)
class Credentials:
    """An AccessKey pair of the service instance (not an Alibaba RAM key).

    :param access_key_id: id of the key; shown only masked.
    :param access_key_secret: signs every request; never shown.
    :raises ConfigurationError: one of them contains characters that cannot be sent.
    """

    access_key_id: Secret
    access_key_secret: Secret

    def __init__(self, access_key_id: str | Secret, access_key_secret: str | Secret) -> None:
        if not all(is_writable(text) for text in (access_key_id, access_key_secret) if isinstance(text, str)):
            raise ConfigurationError(
                "The AccessKey pair contains characters that cannot be sent: copy ID and secret again from the"
                " console's key management."
            )
        object.__setattr__(self, "access_key_id", as_secret(access_key_id))
        object.__setattr__(self, "access_key_secret", as_secret(access_key_secret))

    @property
    def masked_id(self) -> str:
        """The beginning of the id: enough to distinguish two keys, too little to use."""
        key_id = self.access_key_id.reveal()
        shown = 4 if len(key_id) >= 12 else 1  # noqa: PLR2004 - a third of the id at the most
        return f"{key_id[:shown]}***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a client needs to know about one service instance.

    :param credentials: the AccessKey pair.
    :param host: API host of the instance, as the vendor's console shows it.
    :param port: API port, 8686 unless the console says otherwise (3443 is the console itself).
    :param scheme: ``https``; ``http`` only to loopback or with ``allow_http``.
    :param verify_tls: whether the server's certificate is checked.
    :param ca_bundle: path of a PEM file with the certificate authorities to trust instead of the default ones.
    :param proxy: address of an HTTP proxy, which may contain a password. Proxies from the environment are not used, so
        that worker and triggerer use the same one.
    :param connect_timeout: seconds to establish a connection.
    :param read_timeout: seconds without a byte before an answer counts as lost.
    :param requests_per_second: budget of this process on this connection; 10 by default, the limit of Alibaba Cloud IoT
        (the upstream API) for most operations.
    :param cancels_per_second: the same for cancels; 5 by default, the limit of Alibaba Cloud IoT.
    :param api_version: ``Version`` sent with each request.
    :param send_common_parameters: whether ``Format``, ``Version`` and ``SignatureVersion`` are sent, which the vendor's
        table lists and its examples omit.
    :param http_method: ``GET`` as in every example of the vendor, or ``POST``; where one is refused, the other is
        tried.
    :param allow_http: whether plain http is permitted to hosts other than loopback.
    :param console_url: pattern of a job's page in the vendor's console, with ``{job_id}``, ``{firmware_id}``,
        ``{product_key}`` and ``{host}``.
    """

    credentials: Credentials
    host: str
    port: int = DEFAULT_PORT
    scheme: str = "https"
    verify_tls: bool = True
    ca_bundle: str | None = None
    proxy: Secret | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    requests_per_second: float = 10.0
    cancels_per_second: float = 5.0
    api_version: str = API_VERSIONS[0]
    send_common_parameters: bool = True
    http_method: str = HTTP_METHODS[0]
    allow_http: bool = False
    console_url: str = "https://{host}:3443/"

    @property
    def base_url(self) -> str:
        """Scheme, host and port, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @classmethod
    def from_connection_fields(
        cls,
        *,
        host: str | None,
        port: int | None = None,
        schema: str | None = None,
        login: str | None,
        password: str | None,
        extra: Mapping[str, Any],
    ) -> Settings:
        """Validate the fields of an Airflow connection.

        :param host: name or address, optionally with scheme and port.
        :param port: API port; must equal the port in ``host`` where that has one.
        :param schema: ``http`` or ``https`` where ``host`` names no scheme, as connection URIs give it.
        :param login: AccessKey ID.
        :param password: AccessKey secret.
        :param extra: see :data:`EXTRA_FIELDS`; any other name is refused.
        :raises ConfigurationError: a field is invalid; names the field, what is wrong and what is allowed.
        """
        credentials = _credentials(login, password)
        extras = _extras(extra)
        scheme, host, port = _endpoint(host, port, schema)
        require_safe_scheme(scheme, host, allow_http=extras.get("allow_http", False), what="API host")
        return cls(credentials=credentials, host=host, port=port, scheme=scheme, **extras)


def require_safe_scheme(scheme: str, host: str, *, allow_http: bool, what: str) -> None:
    """Refuse plain http except to loopback or where the connection permits it.

    :param what: name of the address for the error; the address itself is not repeated.
    :raises ConfigurationError: the scheme is not permitted.
    """
    if scheme == "https" or (scheme == "http" and (allow_http or _is_loopback(host))):
        return
    if scheme != "http":
        raise ConfigurationError(f"{what}: the scheme must be https.")
    raise ConfigurationError(
        f"{what}: plain http would expose the firmware and every request. Use https, or set the connection extra"
        " allow_http to true if this network is trusted (loopback needs no switch)."
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _credentials(login: str | None, password: str | None) -> Credentials:
    if not login or not login.strip():
        raise ConfigurationError("AccessKey ID (login) is empty: enter it from the console's key management.")
    if not password or not password.strip():
        raise ConfigurationError(
            "AccessKey secret (password) is empty: enter the one that belongs to the AccessKey ID."
        )
    return Credentials(access_key_id=login.strip(), access_key_secret=password.strip())


_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_ALLOWED_HOST: Final = "Allowed: a name as si-0123.tuyacloud.com, optionally with scheme and port."


def _endpoint(host: str | None, port: int | None, schema: str | None) -> tuple[str, str, int]:
    text = (host or "").strip()
    if not text:
        raise ConfigurationError(
            f"API host is empty: enter the one that the console of the service instance shows. {_ALLOWED_HOST}"
        )
    if "@" in text:
        raise ConfigurationError(f"API host must be a bare host name: no user or password. {_ALLOWED_HOST}")
    if "://" not in text:
        text = f"{schema or 'https'}://{text}"
    try:
        parts = urlsplit(text)
        named_port = parts.port
    except ValueError:
        raise ConfigurationError(f"API host cannot be read as an address. {_ALLOWED_HOST}") from None
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ConfigurationError(f"API host must be a bare host name: no path, no query. {_ALLOWED_HOST}")
    name = parts.hostname or ""
    if not (_HOST.fullmatch(name) or ":" in name):
        raise ConfigurationError(f"API host is not a host name. {_ALLOWED_HOST}")
    if named_port and port and named_port != port:
        raise ConfigurationError(f"API host names port {named_port} but API port says {port}: keep one of them.")
    # The connection form of Airflow 3.3 sends 0 for an empty port.
    chosen = named_port or port or DEFAULT_PORT
    if not 1 <= chosen <= 65535:  # noqa: PLR2004 - the range of TCP ports
        raise ConfigurationError(f"API port {chosen} is out of range. Allowed: 1 to 65535; {DEFAULT_PORT} by default.")
    return parts.scheme.lower(), name, chosen


def _extras(extra: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(extra) - set(EXTRA_FIELDS))
    if unknown:
        raise ConfigurationError(f"Unknown connection extra {_shown_names(unknown)}. Known: {', '.join(EXTRA_FIELDS)}.")
    # The form sends null or "" for an empty field, which means the default.
    return {name: EXTRA_FIELDS[name](name, value) for name, value in extra.items() if value not in (None, "")}


_NAME: Final = re.compile(r"(?=.{1,24}$)[a-z]{1,12}(?:_[a-z]{1,12})*")
"""The form of the known names: short words in lower case. Keys and tokens have capitals or digits, or are longer."""


def _shown_names(names: Sequence[str]) -> str:
    """List names; those that may be a secret in the wrong field are only counted."""
    shown = [repr(name) for name in names if _NAME.fullmatch(name)]
    if hidden := len(names) - len(shown):
        shown.append(f"({hidden} not shown, because the name could be a secret)")
    return ", ".join(shown)


def _parse_bool(name: str, value: object) -> bool:
    values = {"true": True, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in values:
        return values[value.lower()]
    raise ConfigurationError(f"Connection extra {name} is neither true nor false. Allowed: true, false.")


_SHORT: Final = 1e6


def _number(name: str, value: object, *, low: float, high: float) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        number = None
    if number is None or not low <= number <= high:
        # A number this short is no secret, and the reader needs it to see what is wrong.
        shown = f"{value!r} " if isinstance(value, int | float) and number is not None and abs(number) < _SHORT else ""
        raise ConfigurationError(f"Connection extra {name}: {shown}is not allowed. Allowed: {low:g} to {high:g}.")
    return number


def _seconds(name: str, value: object) -> float:
    return _number(name, value, low=0.1, high=600)


def _rate(name: str, value: object) -> float:
    return _number(name, value, low=0.1, high=1000)


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise ConfigurationError(f"Connection extra {name}: a text is needed, not {type(value).__name__}.")


def _choice(name: str, value: object, *, choices: tuple[str, ...]) -> str:
    if value in choices:
        return str(value)
    raise ConfigurationError(f"Connection extra {name} has a value that is not allowed. Allowed: {', '.join(choices)}.")


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _proxy(name: str, value: object) -> Secret:
    address = _text(name, value)
    if not _is_web_address(address):
        raise ConfigurationError(
            f"Connection extra {name} is no proxy address. Allowed: http://host:port or https://host:port."
        )
    return Secret(address)


_FILLED_IN: Final = frozenset({"job_id", "firmware_id", "product_key", "host"})


def _fields_of(pattern: str) -> list[tuple[str, str | None, str | None]]:
    return [(name, spec, how) for _, name, spec, how in string.Formatter().parse(pattern) if name is not None]


def _console_url(name: str, value: object) -> str:
    pattern = _text(name, value)
    try:
        # A width could fill the memory, and an attribute could read other values than these four.
        plain = all(
            name in _FILLED_IN and not spec and not conversion for name, spec, conversion in _fields_of(pattern)
        )
        filled = "" if not plain else pattern.format(job_id="1", firmware_id="1", product_key="p", host="h")
    except (KeyError, IndexError, ValueError, AttributeError):
        filled = ""
    if not _is_web_address(filled):
        raise ConfigurationError(
            f"Connection extra {name} is no address pattern. Allowed: an http(s) address in which {{job_id}},"
            " {firmware_id}, {product_key} and {host} are filled in."
        )
    return pattern


EXTRA_FIELDS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "verify_tls": _parse_bool,
    "ca_bundle": _text,
    "proxy": _proxy,
    "connect_timeout": _seconds,
    "read_timeout": _seconds,
    "requests_per_second": _rate,
    "cancels_per_second": _rate,
    "api_version": partial(_choice, choices=API_VERSIONS),
    "send_common_parameters": _parse_bool,
    "http_method": partial(_choice, choices=HTTP_METHODS),
    "allow_http": _parse_bool,
    "console_url": _console_url,
}
"""Names that a connection's extra may have, each with the function that reads its value."""
