"""Airflow's public REST API, as far as the commands for a release need it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote

import requests

from airflow_provider_tuya_ota.core.errors import ConfigurationError, StateUnavailableError, TuyaOTAError
from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.rollout.control.release_id import ASSET_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.cli.airflow_login import AirflowAddress
    from airflow_provider_tuya_ota.core.secret import Secret

TIMEOUT: Final = 30.0
"""Seconds for the connection, and for each pause of an answer."""
PAUSES: Final = (1.0, 2.0, 4.0)
"""Seconds before each repetition of a request that Airflow could not answer; doing one of them twice does no harm."""
_LONGEST: Final = 300
_PAGE: Final = 100
_MOST_PAGES: Final = 100
_ANSWERED: Final = {200, 201, 204}
_PASSING: Final = {500, 502, 503, 504}


class _Bearer(requests.auth.AuthBase):
    """Sends a token; as an object of its own, because requests prefers ``.netrc`` to a header."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class AirflowRest:
    """A client for a running Airflow; use it in a ``with``.

    :param address: where it is, and how to log in.
    """

    def __init__(self, address: AirflowAddress) -> None:
        self._url = address.url
        self._session = requests.Session()
        # A proxy of the environment is no way to this machine.
        self._session.trust_env = not address.is_local
        self._asset: int | None = None
        try:
            self._session.auth = _Bearer(self._login(address))
        except BaseException:
            self._session.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def user(self) -> str:
        """Give the name under which Airflow knows the caller; empty where it does not say."""
        answer = self._send("GET", "ui/auth/me")
        return bounded_line(str(_json(answer).get("username", "")), _LONGEST) if answer.status_code == 200 else ""  # noqa: PLR2004 - HTTP's status of success

    def has_run(self, dag_id: str, run_id: str) -> bool:
        """Whether there is such a run; True as well where the caller may not see it."""
        answer = self._send("GET", f"api/v2/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}")
        return bool(answer.status_code != requests.codes.not_found)

    def keys(self, prefix: str) -> Iterator[str]:
        """Give the keys of the store that begin so."""
        for page in range(_MOST_PAGES):
            params = {"limit": _PAGE, "offset": page * _PAGE}
            found = self._answered("GET", self._store(), params=params).get("asset_state_store", [])
            yield from (str(entry["key"]) for entry in found if str(entry.get("key", "")).startswith(prefix))
            if len(found) < _PAGE:
                return

    def read(self, key: str) -> Any:
        """Give a stored value; None where there is none."""
        path = f"{self._store()}/{quote(key, safe='/')}"
        answer = self._send("GET", path)
        if answer.status_code == requests.codes.not_found:
            return None
        return self._checked(answer, "GET", path).get("value")

    def write(self, key: str, value: Any) -> None:
        """Store a value."""
        self._answered("PUT", f"{self._store()}/{quote(key, safe='/')}", json={"value": value})

    def _login(self, address: AirflowAddress) -> Secret:
        try:
            return address.login(self._session, TIMEOUT)
        except requests.RequestException as error:
            raise self._unanswered(type(error).__name__) from None

    def _store(self) -> str:
        """Give the address of the store: it belongs to an asset, which Airflow numbers."""
        if self._asset is None:
            self._asset = self._find_asset()
        return f"api/v2/assets/{self._asset}/state-store"

    def _find_asset(self) -> int:
        for page in range(_MOST_PAGES):
            params = {"name_pattern": ASSET_NAME, "limit": _PAGE, "offset": page * _PAGE}
            found = self._answered("GET", "api/v2/assets", params=params).get("assets", [])
            for asset in found:
                if asset.get("name") == ASSET_NAME:
                    return int(asset["id"])
            if len(found) < _PAGE:
                break
        raise ConfigurationError(
            f"This Airflow has no asset {ASSET_NAME}: no Dag names it in the inlets of a task, or Airflow has not read"
            f" that Dag yet. Is {self._url} the right one?"
        )

    def _answered(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        return self._checked(self._send(method, path, **kwargs), method, path)

    def _checked(self, answer: requests.Response, method: str, path: str) -> dict[str, Any]:
        """Give the values of an answer.

        :raises ConfigurationError: Airflow refused the request, or it is no Airflow that answers.
        :raises StateUnavailableError: Airflow could not answer.
        """
        if answer.status_code not in _ANSWERED:
            raise self._refused(answer, method, path)
        return _json(answer) if answer.content else {}

    def _send(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send a request, and again while Airflow cannot answer it.

        :raises StateUnavailableError: no answer came.
        """
        for pause in (*PAUSES, None):
            try:
                answer = self._session.request(
                    method, f"{self._url}/{path}", timeout=TIMEOUT, allow_redirects=False, **kwargs
                )
            except requests.RequestException as error:
                if pause is None:
                    # Its text may contain the address of a proxy with its password.
                    raise self._unanswered(type(error).__name__) from None
            else:
                if pause is None or answer.status_code not in _PASSING:
                    return answer
            time.sleep(pause)
        raise AssertionError  # pragma: no cover - the last round returns or raises

    def _unanswered(self, reason: str) -> StateUnavailableError:
        return StateUnavailableError(
            f"answer at {self._url}",
            reason=reason,
            outcome="nothing is known to be stored: check the address, then repeat the command",
            in_doubt=True,
        )

    def _refused(self, answer: requests.Response, method: str, path: str) -> TuyaOTAError:
        status = answer.status_code
        if status in _PASSING:
            return self._unanswered(f"HTTP {status}, {_detail(answer)}")
        if status == requests.codes.unauthorized:
            return ConfigurationError("Airflow does not accept the token: it may have expired. Get a new one.")
        if status == requests.codes.forbidden:
            may = "read" if method == "GET" else "write"
            return ConfigurationError(
                f"Airflow does not let this user {may} the control note: that takes the right to {method} assets, such"
                " as the role Op or Admin has."
            )
        if answer.is_redirect:
            where = bounded_line(answer.headers.get("Location", "").partition("?")[0], _LONGEST)
            return ConfigurationError(f"{self._url} sends to {where}: give the address of Airflow itself.")
        return ConfigurationError(f"Airflow refused {method} {path}: HTTP {status}, {_detail(answer)}")


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        values = answer.json()
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        asked = answer.url.partition("/api/v2/")[0].partition("/ui/")[0]
        raise ConfigurationError(f"{asked} does not answer as Airflow does: give the address of its UI.")
    return values


def _detail(answer: requests.Response) -> str:
    """Give what Airflow says, without what was sent: its errors of validation quote that."""
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return bounded_line(str(answer.reason), _LONGEST)
    if isinstance(detail, list):
        detail = "; ".join(str(item.get("msg", "")) for item in detail if isinstance(item, dict))
    return bounded_line(str(detail), _LONGEST)
