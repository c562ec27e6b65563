"""Every way in which a sample Dag can end, and what has to be reported of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

RELEASE, BOTH, UPGRADE = "release_firmware", "verify_and_upgrade", "upgrade_firmware"
ONE, STOP, WATCH = "verify_firmware", "stop_job", "watch_job"
HURRIED = "hurried_"
"""Of copies of the samples that wait for seconds instead of a day."""
BLOCKING = "blocking_"
"""Of copies that wait in a worker until their execution_timeout, which leaves too little time to end before it."""
FAILS: dict[str, Any] = {"outcome": "fails", "reason": "worn flash"}
SILENT: dict[str, Any] = {"outcome": "silent"}
ALL_FAIL = {f"device-{number:03d}": FAILS for number in range(1, 5)}
LAST_FAILS, LAST_SILENT = {"device-004": FAILS}, {"device-004": SILENT}
EVERYBODY = {"percent": 100}


@dataclass(frozen=True)
class Way:
    """One way to end.

    :param name: of the way.
    :param event: what has to be reported, and of which step.
    :param said: what the text has to hold.
    :param world: what devices do; others update well.
    :param act: what a person does, as ``mark STEP STATE``, ``mark run STATE`` or ``answer CHOICE``.
    :param is_run_good: whether Airflow shows the run as successful. It does so for a run that a person marked failed
        before its last step had begun, because it skips that step and only last steps count.
    """

    dag: str
    name: str
    event: str
    step: str
    said: str = ""
    world: dict[str, dict[str, Any]] = field(default_factory=dict)
    conf: dict[str, Any] = field(default_factory=dict)
    act: str = ""
    is_run_good: bool = False


def _ways(dag: str, step: str, conf: dict[str, Any]) -> list[Way]:
    """Give the ways that all waiting steps share."""
    failed = f"step {step} was marked failed by a person"
    stopped = (dag, "stopped", step)

    def stop(name: str, act: str, said: str, *, is_run_good: bool = False) -> Way:
        return Way(stopped[0], name, stopped[1], stopped[2], said, LAST_SILENT, conf, act, is_run_good)

    return [
        Way(dag, "good", "succeeded", step, conf=conf, is_run_good=True),
        Way(dag, "failed", "failed", step, "worn flash", ALL_FAIL, conf),
        Way(dag, "partly failed", "failed", step, "1 FAILED", LAST_FAILS, conf),
        stop("step marked failed", f"mark {step} failed", failed),
        stop(
            "step marked success",
            f"mark {step} success",
            f"step {step} was marked success by a person",
            is_run_good=True,
        ),
        stop("run marked failed", "mark run failed", failed, is_run_good=dag == UPGRADE),
        Way(HURRIED + dag, "out of time", "timeout", step, "", LAST_SILENT, conf),
        Way(dag, "no connection", "refused", "upload" if dag == RELEASE else "verify" if dag == BOTH else step),
    ]


TYPO = {"webhook_conn_id": "typo"}
WAYS = [
    *_ways(RELEASE, "verify", {}),
    Way(RELEASE, "refused input", "refused", "upload", conf={"source": "/nowhere/thermostat.exe"}),
    Way(RELEASE, "no webhook", "refused", "check", "Webhook connection 'typo' is not defined", conf=TYPO),
    *(way for way in _ways(BOTH, "upgrade", {}) if way.name != "failed"),
    Way(BOTH, "pilot failed", "failed", "verify", "worn flash", {"device-001": FAILS}),
    Way(BOTH, "refused input", "refused", "check", "name them with SPECIFIC", conf={"device_names": []}),
    Way(BOTH, "no webhook", "refused", "check", "is not defined", conf=TYPO),
    Way(
        BOTH,
        "pilot stopped",
        "stopped",
        "verify",
        "was marked failed",
        {"device-001": SILENT},
        act="mark verify failed",
    ),
    Way(
        BOTH,
        "run marked failed while pilots wait",
        "stopped",
        "verify",
        "was marked failed",
        {"device-001": SILENT},
        act="mark run failed",
        is_run_good=True,
    ),
    *(way for way in _ways(UPGRADE, "share", EVERYBODY) if way.name not in {"good", "step marked success"}),
    Way(UPGRADE, "good", "succeeded", "everybody", act="answer Approve", is_run_good=True),
    Way(
        UPGRADE,
        "rejected",
        "stopped",
        "share",
        "step approve was rejected, and what follows",
        act="answer Reject",
        is_run_good=True,
    ),
    Way(UPGRADE, "approval failed", "stopped", "approve", "not begun: everybody (ups", act="mark approve failed"),
    Way(UPGRADE, "refused input", "refused", "share", conf={"firmware_id": "999999"}),
    Way(UPGRADE, "no webhook", "refused", "check", "is not defined", conf=TYPO),
    *_ways(ONE, "verify", {}),
    Way(BLOCKING + ONE, "out of time", "timeout", "verify", "1 CANCELED", LAST_SILENT),
    Way(ONE, "refused input", "refused", "verify", conf={"firmware_id": "999999"}),
    *_ways(WATCH, "wait_for_job", {}),
    Way(WATCH, "refused input", "refused", "wait_for_job", conf={"job_id": "999999"}),
    Way(STOP, "good", "succeeded", "cancel", "nothing is left unfinished", LAST_SILENT, is_run_good=True),
    Way(
        STOP,
        "refused input",
        "refused",
        "cancel",
        "none of them is on",
        conf=dict.fromkeys(("queued", "notified", "unconfirmed"), False),
    ),
    Way(STOP, "no such job", "refused", "cancel", conf={"job_id": "999999"}),
    Way(STOP, "no connection", "refused", "cancel", "is not defined"),
]
