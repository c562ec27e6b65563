from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, GateSettings, ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.course import (
    ControlNote,
    ControlVerb,
    JobCreated,
    OutsideSaid,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finish import ReleaseEnded
from airflow_provider_tuya_ota.rollout.record.picture import draw_record
from airflow_provider_tuya_ota.rollout.record.record_file import read_record
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError
from tests.rollout.record.forgery import changed, first, rewritten, with_entry, without
from tests.rollout.record.story import Story, good, halted, story

GOOD, HALTED = good(600), halted(600)
HALT_AT = r'<circle cx="([\d.]+)" cy="([\d.]+)" r="5" class="prefix halt"/>'


def draw(data: bytes) -> str:
    return draw_record(read_record(data))


def texts(drawn: str) -> list[str]:
    root = ET.fromstring(drawn)  # noqa: S314 - our own picture
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def lines(drawn: str, class_: str) -> list[str]:
    return re.findall(rf'<(?:line|path)[^>]* class="{class_}"/>', drawn)


def halt_label(drawn: str) -> tuple[str, str]:
    """Give on which side of its place the text of a halt is, and where it begins or ends."""
    ((x, class_),) = re.findall(r'<text x="([\d.]+)" y="\d+" class="([a-z ]+)">halt at', drawn)
    return class_, f"{float(x):.1f}"


def told() -> Story:
    begun = story(600)
    begun.tell_wave(begun.plan.waves[0])
    return begun


def test_a_release_shows_its_waves_and_what_became_of_its_devices() -> None:
    said = texts(draw(GOOD.seal(None)))

    assert said[:3] == [
        "k1demoproduct, module default: version 2.0.0",
        "complete with exceptions: all waves ended",
        "Release release-1, begun 2026-03-02 09:00 UTC by ada",
    ]
    assert {"wave 1: 20%", "wave 2: 50%", "wave 3: 100%"} <= set(said)
    assert "600 planned, 600 started, 582 succeeded, 18 failed" in said
    assert {"halt from", "hold from", "promote up to"} <= set(said)


def test_a_halt_is_marked_with_what_decided() -> None:
    drawn = draw(HALTED.seal(None))
    reason = first(HALTED, VerdictGiven, 1).verdict.reason

    assert reason.startswith("halt at ")
    assert texts(drawn).count(reason) == 1
    ((x, y),) = re.findall(HALT_AT, drawn)
    assert f"H{x}V{y}" in drawn
    assert halt_label(drawn) == ("label", f"{float(x) + 8:.1f}")
    assert len(lines(drawn, "mark halt")) == 3
    assert "600 planned, 40 started, 15 succeeded, 20 failed" in texts(drawn)


def test_a_halt_on_the_right_has_its_text_on_the_left() -> None:
    record = story(600, lambda rank: "bad" if 39 < rank < 50 else "good").tell()
    drawn = draw(record.seal(None))

    assert re.search(r'<text x="[678]\d\d[.\d]*" y="\d+" class="label right">halt at', drawn)
    ((at, _),) = re.findall(HALT_AT, drawn)
    assert halt_label(drawn) == ("label right", f"{float(at) - 8:.1f}")


def test_the_first_promotion_of_each_wave_is_marked_once() -> None:
    assert draw(GOOD.seal(None)).count('class="prefix promote"') == 2


def test_what_persons_and_the_gate_did_is_marked() -> None:
    drawn = draw(GOOD.seal(None))
    person = len(lines(drawn, "mark person"))
    note = ControlNote(verb=ControlVerb.HOLD, who="ada", why="a customer called")
    stop = replace(note, verb=ControlVerb.HALT)
    verdict = replace(first(GOOD, VerdictGiven).verdict, decision=Decision.HOLD)
    seen = replace(verdict, decision=Decision.HALT, is_binding=False)

    assert person == 3
    assert len(lines(draw(with_entry(GOOD, note, before=GateSettings)), "mark person")) == person + 1
    assert len(lines(draw(with_entry(GOOD, stop, before=GateSettings)), "mark halt")) == 2
    assert len(lines(draw(with_entry(GOOD, VerdictGiven(verdict=verdict), before=JobCreated)), "mark hold")) == 2
    assert len(lines(draw(with_entry(GOOD, VerdictGiven(verdict=seen), before=JobCreated)), "mark halt")) == 1
    assert OutsideSaid.__name__ not in drawn


def test_it_is_light_or_dark_as_the_reader_has_it_and_loads_nothing() -> None:
    drawn = draw(GOOD.seal(None))

    assert "@media(prefers-color-scheme:dark)" in drawn
    assert re.findall(r"https?://[^\"<]+|url\(|<script|@import", drawn) == ["http://www.w3.org/2000/svg"]
    assert drawn.count("<title>") == 1


def test_names_from_outside_cannot_become_markup() -> None:
    hostile = "</text><script>alert(1)</script>\x1b[31m\u202e"
    drawn = draw(changed(GOOD, ReleaseBegun, triggered_by=hostile, product_key=hostile, version="<b>"))

    assert "<script" not in drawn
    assert "\x1b" not in drawn
    assert "\u202e" not in drawn
    assert "alert(1)" in texts(drawn)[0]


def test_a_release_that_runs_is_drawn_as_far_as_it_is() -> None:
    begun = story(600)
    just_begun = texts(draw(begun.record.to_bytes()))
    assert "not ended" in just_begun
    assert "600 planned, 0 started, 0 succeeded, 0 failed" in just_begun
    assert just_begun[just_begun.index("What the gate saw") - 4 :][:4] == ["0", "1", "0", "1 s"]
    running = texts(draw(told().record.to_bytes()))
    assert "600 planned, 120 started, 120 succeeded, 0 failed" in running
    assert "wave 1: 20%" in running


def test_a_narrow_wave_has_a_shorter_name_or_none() -> None:
    narrow = story(600)
    for wave in narrow.plan.waves[:2]:
        narrow.create(f"{wave.number}", wave.number, 1, ("x",))
    said = texts(draw(narrow.record.to_bytes()))

    assert "wave 2: 50%" in said
    assert "wave 1: 20%" not in said


def test_a_record_without_a_plan_still_shows_its_outcomes() -> None:
    said = texts(draw(without(GOOD, FrozenPlan)))

    assert "600 started, 582 succeeded, 18 failed" in said
    assert {"1", "2", "3"} <= set(said)


def test_devices_that_do_not_count_are_not_drawn() -> None:
    record = story(600, lambda rank: "busy" if rank % 10 == 0 else "good").tell()

    assert "600 planned, 540 started, 540 succeeded, 0 failed" in texts(draw(record.seal(None)))


@pytest.mark.parametrize(
    "data",
    [
        without(GOOD, GateSettings),
        b"".join(GOOD.to_bytes().splitlines(keepends=True)[1:]),
        without(GOOD, EvidencePart, which=1),
    ],
)
def test_what_cannot_be_drawn_is_refused(data: bytes) -> None:
    with pytest.raises(RecordUnreadableError, match="there is nothing to draw: "):
        draw(data)


def test_a_record_of_many_devices_makes_a_small_picture() -> None:
    assert len(draw(good(5000).seal(None))) < 80_000


def test_times_that_go_back_stay_inside_the_picture() -> None:
    begun = told()
    begun.now -= timedelta(days=9)
    begun.add(ControlNote(verb=ControlVerb.HOLD, who="ada", why="the clock was set"))
    begun.create("late", 2, 1, ("x",))

    assert not re.findall(r'"-\d', draw(begun.record.to_bytes()))


def test_a_halt_that_was_only_observed_is_not_the_moment_of_the_picture() -> None:
    observed = story(600, lambda rank: "bad" if rank % 2 else "good", Gate(observe_only=True))
    observed.tell_wave(observed.plan.waves[0])
    said = texts(draw(observed.record.to_bytes()))

    assert "devices in the order of their start; ceiling 5 %" in said
    assert any(text.startswith("halt at ") and text.endswith("(observed only)") for text in said)


def test_the_boundaries_are_those_of_the_gate_that_halted() -> None:
    later = GateSettings(gate=Gate(ceiling="20%"), who="ada", why="for the next release")
    said = texts(draw(with_entry(HALTED, later, before=ReleaseEnded)))

    assert "devices in the order of their start at the halt; ceiling 5 %" in said
    earlier = texts(draw(with_entry(HALTED, later, before=VerdictGiven)))
    assert "devices in the order of their start at the halt; ceiling 20 %" in earlier
    unsaid = rewritten(HALTED, lambda contents: contents.insert(-1, contents.pop(2)))
    assert "devices in the order of their start at the halt; ceiling 5 %" in texts(draw(unsaid))
