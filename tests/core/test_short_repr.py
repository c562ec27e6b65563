"""Any value is shown on one short line, and an address in it without its secrets."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.short_repr import LONGEST, short_repr

ADDRESS = "https://user:sekret-password@host/firmware.bin?sig=sekret-signature"
SHOWN = "https://[removed]@host/firmware.bin?[removed]"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (ADDRESS, repr(SHOWN)),
        (ADDRESS.encode(), f"b{SHOWN!r}"),
        ([ADDRESS], f"[{SHOWN!r}]"),
        ({"source": ADDRESS}, f"{{'source': {SHOWN!r}}}"),
        (f"https://{'u' * 250}:pass@host", "'https://[removed]@host'"),
        (f"https://host/?{'k' * 199}=sekret", "'https://host/?[removed]'"),
        ("x" * 61, f"'{'x' * 60}'… (61 long)"),
        ("x" * 60, f"'{'x' * 60}'"),
        (ADDRESS + " " + "y" * 5000, f"'{SHOWN} {'y' * 14}'… ({len(ADDRESS) + 5001} long)"),
        # Only what follows shows that the beginning is a secret.
        (f"{'x' * 40}//user:sekret-password@host", f"'{'x' * 40}//[removed]@host'"),
        (b"\xff" * 61, repr(b"\xff" * 60)),
        (None, "None"),
        (1.5, "1.5"),
        (10**40, "<whole number of 133 bits>"),
    ],
)
def test_a_value_is_shown_without_the_secrets_of_an_address(value: Any, shown: str) -> None:
    assert short_repr(value) == (shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…")


@pytest.mark.parametrize("blanks", range(70))
@pytest.mark.parametrize("kind", [str, str.encode, lambda text: [text, text]])
def test_no_part_of_a_secret_is_shown_wherever_the_text_is_cut(kind: Any, blanks: int) -> None:
    assert "sekret" not in short_repr(kind("-" * blanks + ADDRESS + "-" * 5000))
