"""The short form of the campaign of processes that share an account; ``make campaigns`` runs the long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.campaigns.sharing import rows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.program
def test_two_processes_at_an_account_s_limit_share_it_without_a_storm(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, processes=2, seconds=20.0)

    assert row.wrong == []
