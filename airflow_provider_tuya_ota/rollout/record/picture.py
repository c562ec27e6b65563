"""Draw a record: its waves, what became of the devices, and the boundaries of the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.record.begin import GateSettings, ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart, join_parts
from airflow_provider_tuya_ota.rollout.record.finish import ReleaseEnded
from airflow_provider_tuya_ota.rollout.record.gate_panel import gate_panel, rules_at_halt
from airflow_provider_tuya_ota.rollout.record.outcome_panel import outcome_panel
from airflow_provider_tuya_ota.rollout.record.svg import tag, text
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile

WIDTH, HEIGHT = 960, 730
STYLE: Final = """
svg{--page:#fff;--ink:#1b1f24;--soft:#5b6470;--grid:#dfe3e8;--even:#f1f4f8;--odd:#e4eaf2;
--started:#0072b2;--good:#00795a;--bad:#c04000;--amber:#9a6700;--person:#7a3e9d}
@media(prefers-color-scheme:dark){svg{--page:#14171c;--ink:#e8ebef;--soft:#a3acb8;--grid:#333a44;--even:#1b2027;
--odd:#232a33;--started:#6cb8ee;--good:#3fcf9e;--bad:#ff8a5c;--amber:#e6b450;--person:#cf9df0}}
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
.title{font-size:19px;font-weight:600}.heading{font-size:14px;font-weight:600}.small{font-size:12px;fill:var(--soft)}
.lead{font-size:13px}
.label{font-size:12px;font-weight:600;paint-order:stroke;stroke:var(--page);stroke-width:5px;stroke-linejoin:round}
.middle{text-anchor:middle}.right{text-anchor:end}.page{fill:var(--page)}
path,line{fill:none;stroke-width:1.5}.grid{stroke:var(--grid);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1}
.even{fill:var(--even)}.odd{fill:var(--odd)}
.started{stroke:var(--started)}.succeeded{stroke:var(--good)}.failed{stroke:var(--bad);stroke-width:2.2}
.boundary{stroke-dasharray:6 4}
.boundary.halt{stroke:var(--bad)}.boundary.amber{stroke:var(--amber);stroke-dasharray:2 4}
.boundary.promote{stroke:var(--good)}.mark{stroke-width:2}.mark.halt{stroke:var(--bad);stroke-dasharray:3 3}
.mark.hold{stroke:var(--amber)}.mark.person{stroke:var(--person)}
.prefix{stroke:var(--page);stroke-width:1.5;fill:var(--good)}.prefix.halt{fill:var(--bad)}
"""


def draw_record(file: RecordFile) -> str:
    """Give the picture as SVG with texts that can be searched and read aloud, in light or dark as the reader has it.

    :raises RecordUnreadableError: the record has no beginning or no gate, or its evidence does not fit together.
    """
    begun, gates, end = file.first(ReleaseBegun), file.of(GateSettings), file.first(ReleaseEnded)
    if begun is None or not gates:
        raise RecordUnreadableError("there is nothing to draw: it has no beginning or no gate")
    try:
        evidence = join_parts([part for _, part in file.of(EvidencePart)])
    except ValueError as error:
        raise RecordUnreadableError(f"there is nothing to draw: {error}") from None
    rules = rules_at_halt(file) or gates[-1][1].gate.rules
    title = f"{begun.product_key}, module {begun.module_name}: version {begun.version}"
    outcome = f"{end.outcome}: {end.reason}" if end else "not ended"
    when = f"Release {begun.release_id}, begun {begun_at(file)} by {begun.triggered_by}"
    content = [
        tag("title", _escaped(f"{title}; {outcome}")),
        tag("style", STYLE),
        tag("rect", x=0, y=0, width=WIDTH, height=HEIGHT, class_="page"),
        text(70, 36, title, class_="title"),
        text(70, 60, outcome, class_="lead"),
        text(70, 80, when, class_="small"),
        outcome_panel(file, evidence, rules),
        gate_panel(file, evidence, rules),
    ]
    return tag(
        "svg",
        "\n".join(content),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        role="img",
    )


def begun_at(file: RecordFile) -> str:
    """Give when the record begins."""
    return f"{file.entries[0].at:%Y-%m-%d %H:%M} UTC"


def _escaped(said: str) -> str:
    return text(0, 0, said).partition(">")[2].rpartition("<")[0]
