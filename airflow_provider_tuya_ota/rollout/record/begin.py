"""The entries that a record begins with: who began the release, its frozen plan, and the gate that judges it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.addresses import redact_addresses
from airflow_provider_tuya_ota.rollout.gate.gate import Gate  # noqa: TC001 - the types of fields are read at runtime
from airflow_provider_tuya_ota.rollout.record.canonical import DIGEST, digest_of_devices

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.plan.planned_wave import PlannedWave
    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan

LONGEST_NAME: Final = 256
"""Characters of a name or an id."""
LONGEST_REASON: Final = 2000
"""Characters of what a person writes."""
NAME: Final = {"maxLength": LONGEST_NAME}
REASON: Final = {"maxLength": LONGEST_REASON}
SHA_256: Final = {"pattern": DIGEST}
MOST_WAVES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseBegun:
    """A person or a schedule has begun a release.

    :param release_id: names the release.
    :param triggered_by: who triggered it: a user, or what Airflow says of a schedule or an asset.
    :param product_key: product of the devices.
    :param module_name: OTA module that is upgraded.
    :param version: version that the devices run afterwards.
    :param source: where the bytes came from, without the secrets of an address; empty where the firmware was there.
    :param size: bytes of the firmware; 0 where it was there, and nobody read it.
    :param digests: digests of the bytes by the name of their algorithm, in hexadecimal digits.
    """

    release_id: str = field(metadata=NAME)
    triggered_by: str = field(metadata=NAME)
    product_key: str = field(metadata=NAME)
    module_name: str = field(metadata=NAME)
    version: str = field(metadata=NAME)
    source: str = field(default="", metadata=REASON)
    size: int = 0
    digests: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", redact_addresses(self.source))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedWave:
    """A wave of the frozen plan.

    :param number: 1 for the first wave.
    :param text: what the author of the Dag wrote.
    :param kind: share, count, named or platform.
    :param total: devices that have started when it ends, waves before included.
    :param needs_approval: whether a person has to approve before it starts.
    :param pulses: number of devices of each pulse; none for a wave of the platform.
    :param jobs: number of its jobs.
    """

    number: int
    text: str = field(metadata=NAME)
    kind: str = field(metadata=NAME)
    total: int
    needs_approval: bool
    pulses: tuple[int, ...] = field(metadata={"maxItems": 10_000})
    jobs: int

    @property
    def size(self) -> int:
        """Number of devices that it adds; 0 for a wave of the platform, which chooses them."""
        return sum(self.pulses)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenPlan:
    """The plan was frozen.

    :param plan_digest: of the whole plan, which names the devices of each job.
    :param cohort_digest: of the cohort.
    :param names_digest: of the sorted names of the devices in the waves.
    :param candidates: devices that were looked through.
    :param devices: devices of the cohort.
    :param excluded: number of the other candidates by the reason of their exclusion.
    :param waves: the waves in their order.
    """

    plan_digest: str = field(metadata=SHA_256)
    cohort_digest: str = field(metadata=SHA_256)
    names_digest: str = field(metadata=SHA_256)
    candidates: int
    devices: int
    excluded: dict[str, int]
    waves: tuple[RecordedWave, ...] = field(metadata={"maxItems": MOST_WAVES})

    @property
    def planned(self) -> int:
        """Number of devices in waves that are not the platform's."""
        return sum(wave.size for wave in self.waves)

    def wave(self, number: int) -> RecordedWave | None:
        """Give a wave by its number; None where there is none."""
        return next((wave for wave in self.waves if wave.number == number), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """The gate that judges from here on; the first one is the plan's, a later one is an override.

    :param gate: its settings.
    :param who: who has overridden the plan's gate; empty for the plan's.
    :param why: the reason of the override; empty for the plan's gate.
    """

    gate: Gate
    who: str = field(default="", metadata=NAME)
    why: str = field(default="", metadata=REASON)


def frozen_plan_of(plan: ReleasePlan) -> FrozenPlan:
    """Give the entry for a plan."""
    return FrozenPlan(
        plan_digest=plan.digest,
        cohort_digest=plan.cohort_digest,
        names_digest=digest_of_devices(name for wave in plan.waves for pulse in wave.pulses for name in pulse.devices),
        candidates=plan.candidates,
        devices=plan.cohort_size,
        excluded=dict(plan.excluded),
        waves=tuple(map(_recorded_wave, plan.waves)),
    )


def _recorded_wave(wave: PlannedWave) -> RecordedWave:
    return RecordedWave(
        number=wave.number,
        text=wave.text,
        kind=wave.kind,
        total=wave.total,
        needs_approval=wave.needs_approval,
        pulses=tuple(pulse.size for pulse in wave.pulses),
        jobs=wave.jobs,
    )
