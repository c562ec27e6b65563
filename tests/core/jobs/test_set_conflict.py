from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError
from tests.core.jobs.job_sets import LISTS, RETRY, Fake, create, ids, request
from tests.core.script import Script, lost, refused

if TYPE_CHECKING:
    from collections.abc import Callable


def when(number: int, act: Callable[[], None]) -> Callable[[int], None]:
    def after(created: int) -> None:
        if created == number:
            act()

    return after


def test_jobs_that_were_created_after_another_programs_are_cancelled_by_every_try_until_that_one_has_ended() -> None:
    fake = Fake()
    fake.after_create = when(2, partial(fake.add, "7", "d2", "d3", minutes=0.015))
    script = Script(fake)

    with pytest.raises(
        AlreadyUnderWayError, match=r"job 7, created at .*, upgrades devices of 1 jobs .*job 102: 1 dev"
    ):
        create(script)
    assert set(fake.cancelled) == {"102"}
    assert script.lines[-1].startswith("Stopped at job 3 of 3")
    with pytest.raises(AlreadyUnderWayError, match="Wait until that job has ended, and run this task again"):
        create(script, RETRY)
    assert fake.creates == 2
    fake.jobs["7"]["jobStatus"] = "COMPLETED"
    assert ids(create(script, RETRY)) == ["101", "102", "103"]


def test_the_last_job_is_checked_too_and_no_next_one_is_spoken_of() -> None:
    fake = Fake()
    fake.after_create = when(3, partial(fake.add, "7", "d4", minutes=0.025))
    script = Script(fake)

    with pytest.raises(AlreadyUnderWayError, match="job 103"):
        create(script)
    assert not any(line.startswith("Stopped at") for line in script.lines)


def test_a_job_that_may_be_another_programs_and_one_whose_cancel_fails_are_told_as_such() -> None:
    fake = Fake(fates={1: lost()}, answers={"CancelOTATaskByJob": refused("iot.common.RamActionPermissionDeny")})
    fake.after_create = when(2, partial(fake.add, "7", "d1", "d3", minutes=-0.001))

    with pytest.raises(AlreadyUnderWayError) as caught:
        create(Script(fake), of=request(*LISTS[:2]))
    assert "devices of 2 jobs" in str(caught.value)
    assert "Job 102 was not stopped; cancel its device tasks in the vendor's console" in str(caught.value)
    assert "Job 101 was not cancelled, because it may be another program's" in str(caught.value)


@pytest.mark.parametrize(
    ("names", "minutes", "status"),
    [(("d9",), -0.001, "IN_PROGRESS"), (("d3",), 1, "IN_PROGRESS"), (("d3",), -0.001, "COMPLETED"), ((), 0, "PLANNED")],
)
def test_a_job_on_other_devices_a_later_one_and_one_that_has_ended_stop_nothing(
    names: tuple[str, ...], minutes: float, status: str
) -> None:
    fake = Fake()
    fake.after_create = when(2, lambda: fake.add("7", *names, minutes=minutes, status=status))

    assert ids(create(Script(fake))) == ["101", "102", "103"]
    assert fake.cancelled == []


def test_a_job_of_the_set_that_no_list_shows_yet_is_compared_later() -> None:
    fake = Fake()

    def hide_ours() -> None:
        fake.add("7", "d3", minutes=-0.001)
        fake.hidden.add("102")

    fake.after_create = when(2, hide_ours)

    assert ids(create(Script(fake))) == ["101", "102", "103"]


def test_a_verification_is_no_rival() -> None:
    fake = Fake()
    fake.after_create = when(1, lambda: fake.add("7", "d1", minutes=-0.001, jobType="VERIFY_FIRMWARE"))

    assert ids(create(Script(fake))) == ["101", "102", "103"]
