from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_tuya_ota.cli import main

Capture = pytest.CaptureFixture[str]


def values(capsys: Capture, *arguments: str) -> Any:
    assert main(["gate", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_table_has_the_boundaries_and_the_first_clean_promotion(capsys: Capture) -> None:
    assert main(["gate"]) == 0

    printed = capsys.readouterr().out
    assert "Ceiling 5 %, confidence 95%" in printed
    row = next(line for line in printed.splitlines() if " 500 " in line)
    assert row.replace("│", " ").split() == ["500", "38", "42", "12"]
    row = next(line for line in printed.splitlines() if " 20 " in line)
    assert row.replace("│", " ").split() == ["20", "4", "5", "-"]
    assert "First halt: 2 devices that all fail." in printed
    assert "First clean promotion: 81 devices without a failure." in printed
    assert "A wave of" not in printed


def test_json_has_the_same_numbers(capsys: Capture) -> None:
    printed = values(capsys)

    assert (printed["ceiling"], printed["confidence"]) == ("5%", "95%")
    assert (printed["first_halt"], printed["first_clean_promotion"]) == (2, 81)
    assert {"devices": 81, "amber": 10, "halt": 11, "promote": 0} in printed["boundaries"]
    assert "wave" not in printed


def test_a_wave_says_what_it_can_decide_by_itself(capsys: Capture) -> None:
    large, small, one = (values(capsys, "--devices", devices)["wave"] for devices in ("500", "50", "1"))

    assert large["decidability"] == "A wave of 500 promotes with at most 12 failed. It halts from 42 failed on."
    assert small["decidability"] == (
        "A wave of 50 cannot promote by itself: that takes 81 devices without a failure, or a person."
        " It halts from 9 failed on."
    )
    assert one["decidability"].endswith("It cannot halt.")
    by_rate = {round(rate["failure_rate"], 4): rate for rate in large["rates"]}
    assert list(by_rate) == [0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.5]
    assert round(by_rate[0.1]["halted"], 3) == 0.951
    assert round(by_rate[0.01]["promoted"], 3) == 0.999
    assert sum(by_rate[0.05][name] for name in ("promoted", "halted", "undecided")) == pytest.approx(1)


def test_a_wave_s_table_shows_what_becomes_of_it(capsys: Capture) -> None:
    assert main(["gate", "--devices", "5"]) == 0

    printed = capsys.readouterr().out
    assert "What becomes of 5 outcomes, judged after each (exact)" in printed
    row = next(line for line in printed.splitlines() if "50 %" in line)
    assert row.replace("│", " ").split() == ["50", "%", "0.00%", "53.12%", "46.88%", "3"]


def test_a_single_device_never_halts_and_has_no_mean(capsys: Capture) -> None:
    assert main(["gate", "--devices", "1"]) == 0

    row = next(line for line in capsys.readouterr().out.splitlines() if "50 %" in line)
    assert row.replace("│", " ").split() == ["50", "%", "0.00%", "0.00%", "100.00%", "-"]


def test_rates_above_all_devices_are_left_out_and_long_waves_are_followed_for_a_while(capsys: Capture) -> None:
    wave = values(capsys, "--ceiling", "50%", "--devices", "100000")["wave"]

    assert [round(rate["failure_rate"], 2) for rate in wave["rates"]] == [0.1, 0.25, 0.5, 0.75]
    assert {rate["devices"] for rate in wave["rates"]} == {500}
    assert wave["devices"] == 100000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ceiling", "5"], "ceiling: '5' is not allowed"),
        (["--confidence", "50%"], "confidence: '50%' is not allowed"),
        (["--devices", "0"], "--devices: 0 is not allowed. Allowed: a number from 1 to 1000000"),
        (["--devices", "1000001"], "--devices: 1000001 is not allowed"),
    ],
)
def test_what_is_not_allowed_is_refused_by_its_name(capsys: Capture, arguments: list[str], said: str) -> None:
    assert main(["gate", *arguments]) == 2
    assert said in capsys.readouterr().err
