"""What a gate may say, and what makes it say so."""

from __future__ import annotations

from enum import StrEnum


class Decision(StrEnum):
    """What may happen next."""

    HALT = "halt"
    """Start nothing more in this release, and cancel what can be cancelled."""
    HOLD = "hold"
    """Start nothing new for now; what runs goes on."""
    PROMOTE = "promote"
    """The next wave may begin."""
    UNDECIDED = "undecided"
    """Go on with this wave; the next one may not begin."""


class Cause(StrEnum):
    """What decided."""

    FAILURES = "failures"
    STRATA = "strata"
    OUTSIDE = "outside evidence"
    AMBER = "amber"
    STALL = "stall"
    SOAK = "soak"
    EVIDENCE = "evidence"
    """There is not enough evidence yet; for a promotion, there is."""
