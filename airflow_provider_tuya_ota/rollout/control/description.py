"""What holds for a release, as text for people and as plain JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.rollout.control.stored_values import write_reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.control.change import Change
    from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
    from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId

_SHOWN: Final = 20
"""Names of devices."""


def describe_control(release: ReleaseId, control: ReleaseControl) -> str:
    """Give some lines for people."""
    return "\n".join(_lines(release, control))


def _lines(release: ReleaseId, control: ReleaseControl) -> Iterator[str]:
    by = f" by {control.who}" if control.who else ""
    since = f" since {_time(control.at)}" if control.at else ""
    yield f"{release}: {control.state}{by}{since}: {control.why}"
    if control.problem and control.problem not in control.why:
        yield f"The control note {control.problem}"
    if control.advance:
        advance = control.advance
        yield f"Wave {advance.wave} is to go on at once: {advance.reason.who}, {_time(advance.reason.at)}"
    if control.excluded:
        names = ", ".join(control.excluded[:_SHOWN])
        yield f"Excluded devices: {len(control.excluded)}: {names}{', …' if len(control.excluded) > _SHOWN else ''}"
    if control.changes:
        yield "Changes:"
        yield from (f"  {change.seq:>4}  {_describe_change(change)}" for change in control.changes)


def _describe_change(change: Change) -> str:
    about = f" wave {change.wave}" if change.wave else f" {len(change.devices)} devices" if change.devices else ""
    return f"{_time(change.reason.at)}  {change.verb}{about} by {change.reason.who}: {change.reason.why}"


def plain_control(control: ReleaseControl) -> dict[str, Any]:
    """Give plain JSON values."""
    advance = control.advance
    return {
        "state": control.state.value,
        "who": control.who,
        "why": control.why,
        "at": control.at.isoformat() if control.at else None,
        "problem": control.problem,
        "seq": control.seq,
        "excluded": list(control.excluded),
        "advance": {"wave": advance.wave, "seq": advance.seq, **write_reason(advance.reason)} if advance else None,
        "changes": [
            {
                "seq": change.seq,
                "verb": change.verb.value,
                "wave": change.wave or None,
                "devices": list(change.devices),
                **write_reason(change.reason),
            }
            for change in control.changes
        ],
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
