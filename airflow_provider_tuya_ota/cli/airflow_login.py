"""Where Airflow is and how a command logs in: from options, the environment, or typed when asked."""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.secret import Secret

if TYPE_CHECKING:
    import argparse

    import requests

URL_VARIABLE: Final = "TUYA_OTA_AIRFLOW_URL"
USER_VARIABLE: Final = "TUYA_OTA_AIRFLOW_USER"
PASSWORD_VARIABLE: Final = "TUYA_OTA_AIRFLOW_PASSWORD"  # noqa: S105 - the name of a variable, not a secret
TOKEN_VARIABLE: Final = "TUYA_OTA_AIRFLOW_TOKEN"  # noqa: S105 - as above
DEFAULT_URL: Final = "http://127.0.0.1:8080"
_LOCAL: Final = {"127.0.0.1", "::1", "localhost"}
_REFUSED: Final = {400, 401, 403}
_LONGEST_TOKEN: Final = 20_000


def add_airflow_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    where = parser.add_argument_group(
        "Airflow",
        f"A token is read from {TOKEN_VARIABLE} or --token-file; a password from {PASSWORD_VARIABLE}, or typed when"
        " asked. Neither is an argument, because arguments are visible to every user of the machine.",
    )
    where.add_argument(
        "--airflow-url", metavar="URL", help=f"address of Airflow's UI; {URL_VARIABLE}, or {DEFAULT_URL} by default"
    )
    where.add_argument("--user", help=f"name to log in with; {USER_VARIABLE} by default")
    where.add_argument("--token-file", metavar="FILE", help="file with a token of Airflow's API")
    where.add_argument(
        "--allow-http", action="store_true", help="send token and password unencrypted to another machine"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AirflowAddress:
    """Where Airflow is, and how to log in.

    :param url: address without a slash at its end.
    :param is_local: whether it is this machine.
    :param token: of the API; None where a password is used.
    :param user: who logs in; empty where nobody has to.
    :param password: of the user.
    """

    url: str
    is_local: bool
    token: Secret | None
    user: str
    password: Secret | None

    def login(self, session: requests.Session, timeout: float) -> Secret:
        """Give the token: the own one, one for user and password, or one that Airflow gives to everybody.

        :raises ConfigurationError: Airflow gives none.
        """
        if self.token is not None:
            return self.token
        if self.password is not None:
            body = {"username": self.user, "password": self.password.reveal()}
            answer = session.post(f"{self.url}/auth/token", json=body, timeout=timeout, allow_redirects=False)
            problem = f"Airflow does not accept the password of {self.user}"
            advice = f"Correct it, or set {TOKEN_VARIABLE}."
        else:
            answer = session.get(f"{self.url}/auth/token", timeout=timeout, allow_redirects=False)
            problem = "Airflow asks who you are"
            advice = f"Give --user, or set {TOKEN_VARIABLE}."
        try:
            token = answer.json()["access_token"]
        except (ValueError, KeyError, TypeError, RecursionError):
            token = None
        if answer.ok and isinstance(token, str):
            return Secret(token)
        asked = f"HTTP {answer.status_code} from {self.url}/auth/token"
        if answer.status_code in _REFUSED:
            raise ConfigurationError(f"{problem} ({asked}). {advice}")
        raise ConfigurationError(
            f"Airflow gives no token ({asked}). Give the address of its UI; if that is it, set {TOKEN_VARIABLE}."
        )


def read_airflow_address(arguments: argparse.Namespace) -> AirflowAddress:
    """Build the address from options and environment.

    :raises ConfigurationError: the address is none, or a secret would be sent unencrypted.
    """
    url = (arguments.airflow_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL).rstrip("/").removesuffix("/api/v2")
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or parts.query or parts.fragment:
        raise ConfigurationError("The address of Airflow is not of the form https://host:port/path.")
    if parts.username or parts.password:
        raise ConfigurationError("The address of Airflow contains a name or a password: give --user instead.")
    is_local = parts.hostname in _LOCAL
    if parts.scheme == "http" and not is_local and not arguments.allow_http:
        raise ConfigurationError(
            f"http://{parts.hostname} is not encrypted, and everybody on the way could read the token: use https, or"
            " --allow-http."
        )
    token = _token(arguments.token_file)
    user = "" if token else (arguments.user or os.environ.get(USER_VARIABLE) or "")
    return AirflowAddress(
        url=url, is_local=is_local, token=token, user=user, password=_password(user) if user else None
    )


def _token(file: str | None) -> Secret | None:
    text = os.environ.get(TOKEN_VARIABLE, "")
    where = TOKEN_VARIABLE
    if file is not None:
        where = file
        try:
            with Path(file).open(encoding="ascii") as opened:
                text = opened.read(_LONGEST_TOKEN)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"--token-file: {file} cannot be read ({type(error).__name__}).") from None
    text = text.strip()
    if file is not None and not text:
        raise ConfigurationError(f"--token-file: {file} is empty.")
    if text and not (text.isascii() and text.isprintable() and " " not in text):
        raise ConfigurationError(f"{where} contains no token: it has blanks or characters that no token has.")
    return Secret(text) if text else None


def _password(user: str) -> Secret:
    password = os.environ.get(PASSWORD_VARIABLE)
    if not password and sys.stdin.isatty():
        password = getpass.getpass(f"Password of {user} in Airflow: ")
    if not password:
        raise ConfigurationError(f"No password for {user}: set {PASSWORD_VARIABLE}, or type it in a terminal.")
    return Secret(password)
