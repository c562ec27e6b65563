"""The state of a halt as small plain JSON values, and back."""

from __future__ import annotations

import base64
import zlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.rollout.halt.known import LETTERS
from airflow_provider_tuya_ota.rollout.halt.settlement import Settlement

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.halt.scope import HaltScope

VERSION: Final = 1


def dump_settlement(settlement: Settlement, now: datetime) -> dict[str, Any]:
    """Give plain JSON values: one compressed letter for each device of a job, and no name.

    Devices of jobs for which the platform chose them are left out.
    """
    since, digest = settlement.quiet(now)
    settled_at = settlement.settled_at
    return {
        "version": VERSION,
        "reason": settlement.reason,
        "begun_at": settlement.begun_at.isoformat(),
        "deadline": settlement.deadline.isoformat(),
        "settled_at": None if settled_at is None else settled_at.isoformat(),
        "may_begin": settlement.may_begin,
        "scope": settlement.scope.digest,
        "letters": _pack(
            "".join(
                settlement.letters[job_id][name]
                for job_id, names in settlement.scope.jobs.items()
                for name in names or ()
            )
        ),
        "quiet_since": since.isoformat(),
        "quiet": digest,
    }


def load_settlement(values: Any, scope: HaltScope) -> Settlement:
    """Rebuild what :func:`dump_settlement` gave.

    :raises ValueError: it is the state of no halt, or of one of other jobs or devices; the text is the end of a
        sentence.
    """
    try:
        if values["version"] != VERSION:
            raise ValueError(f"has version {values['version']!r}, and only {VERSION} is known here")
        if values["scope"] != scope.digest:
            raise ValueError("is of other jobs or devices")
        settled_at = values["settled_at"]
        return Settlement(
            scope=scope,
            reason=str(values["reason"]),
            begun_at=_time(values["begun_at"]),
            deadline=_time(values["deadline"]),
            letters=_letters(_unpack(values["letters"]), scope),
            settled_at=None if settled_at is None else _time(settled_at),
            may_begin=values["may_begin"] is not False,
            quiet_since=(_time(values["quiet_since"]), str(values["quiet"])),
        )
    except (KeyError, TypeError, AttributeError, zlib.error) as error:
        raise ValueError(f"cannot be read ({type(error).__name__})") from None


def _letters(text: str, scope: HaltScope) -> dict[str, dict[str, str]]:
    if len(text) != sum(len(names or ()) for names in scope.jobs.values()) or not LETTERS.issuperset(text):
        raise ValueError("cannot be read (it does not fit its devices)")
    letters = iter(text)
    return {job_id: dict(zip(names or (), letters, strict=False)) for job_id, names in scope.jobs.items()}


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("cannot be read (it has a time without a zone)")
    return found


def _pack(letters: str) -> str:
    return base64.b85encode(zlib.compress(letters.encode("ascii"), 9)).decode("ascii")


def _unpack(packed: str) -> str:
    return zlib.decompress(base64.b85decode(packed)).decode("ascii")
