"""Draw the layers and list the rooms from the import contracts: ``python docs/generate_architecture.py``."""

from __future__ import annotations

import ast
import re
import tomllib
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
PACKAGE = "airflow_provider_tuya_ota"
PICTURE = ROOT / "docs/images/layers.svg"
PAGE = ROOT / "docs/architecture.md"
OUTSIDE = ("emulator", "pytest_plugin", "provider_info")
"""Rooms that stand in no layer, because they import nothing of the others or start the emulator."""
CORE = "core"
STYLE = (
    ".b{fill:#eef4fb;stroke:#7a9cc0}.p{fill:#e9f6ec;stroke:#79b38a}.e{fill:#fdf3e4;stroke:#d3a458}text{fill:#1b2733}"
    ".s{fill:#52606d;font-size:13px}.l{stroke:#8899aa;stroke-dasharray:4 4}"
    "@media (prefers-color-scheme:dark){.b{fill:#1d2a38;stroke:#5b7fa6}.p{fill:#18301f;stroke:#4f8f63}"
    ".e{fill:#382a14;stroke:#a67c33}text{fill:#e6edf3}.s{fill:#9fb0c0}}"
)
LOOK = 'font-family="system-ui, sans-serif" font-size="15" role="img"'
LABEL = "Layers of the package and of its core, each importing only what stands below it; the emulator stands apart"
ROW, GAP, TOP = 36, 6, 44
LEFT, WIDTH, RIGHT = 20, 370, 470

Layers = list[list[str]]


def layers(container: str) -> Layers:
    """Read the layers of a package from its import contract, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (found,) = (contract["layers"] for contract in contracts if contract.get("containers") == [container])
    return [layer.split(" | ") for layer in found]


def picture() -> str:
    """Draw the layers of the package, those of the core beside them, and the emulator apart."""
    package, core = layers(PACKAGE), layers(f"{PACKAGE}.{CORE}")
    height = TOP + max(len(package), len(core) + 2) * (ROW + GAP) + 14
    core_top = TOP + (len(package) - 1) * (ROW + GAP)
    inner_bottom = TOP + len(core) * (ROW + GAP) - GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 {height}" {LOOK} aria-label="{LABEL}">',
        f"<style>{STYLE}</style>",
        f'<text class="s" x="{LEFT}" y="28">{PACKAGE}: imports lead downwards</text>',
        f'<text class="s" x="{RIGHT}" y="28">inside core: imports lead downwards</text>',
        *_column(package, LEFT, "b"),
        *_column(core, RIGHT, "p"),
        f'<path class="l" d="M{LEFT + WIDTH} {core_top} L{RIGHT} {TOP}"/>',
        f'<path class="l" d="M{LEFT + WIDTH} {core_top + ROW} L{RIGHT} {inner_bottom}"/>',
        *_box("emulator: imports nothing of the rest", RIGHT, height - 14 - ROW, "e"),
    ]
    return "\n".join([*lines, "</svg>", ""])


def _column(rows: Layers, left: int, kind: str) -> list[str]:
    drawn: list[str] = []
    for number, names in enumerate(rows):
        shade = "p" if names == [CORE] else kind
        drawn += _box(" · ".join(names), left, TOP + number * (ROW + GAP), shade)
    return drawn


def _box(text: str, left: int, top: int, kind: str) -> list[str]:
    return [
        f'<rect class="{kind}" x="{left}" y="{top}" width="{WIDTH}" height="{ROW}" rx="7"/>',
        f'<text x="{left + 16}" y="{top + 24}" font-weight="600">{escape(text)}</text>',
    ]


def rooms() -> str:
    """List every room with the first sentence of its docstring, the highest layer first."""
    return f"{_table(PACKAGE, OUTSIDE)}\nInside `core/`, in the same order:\n\n{_table(f'{PACKAGE}.{CORE}')}"


def modules_of_the_emulator() -> str:
    """List what the emulator consists of, the highest layer first."""
    return _table(f"{PACKAGE}.emulator")


def _table(container: str, more: Sequence[str] = ()) -> str:
    names = [name for layer in layers(container) for name in layer]
    inside = container.split(".")[1:]
    return "| Room | What it holds |\n|---|---|\n" + "".join(_row(name, *inside) for name in (*names, *more))


def _row(name: str, *above: str) -> str:
    path = "/".join((*above, name))
    is_module = (ROOT / PACKAGE / f"{path}.py").is_file()
    source = ROOT / PACKAGE / (f"{path}.py" if is_module else f"{path}/__init__.py")
    docstring = ast.get_docstring(ast.parse(source.read_text("utf-8"))) or ""
    summary = re.sub(r"\s+", " ", docstring.partition("\n\n")[0]).replace("``", "`").replace("|", "\\|")
    ending = ".py" if is_module else "/"
    return f"| [`{path}{ending}`](../{PACKAGE}/{path}{ending}) | {summary} |\n"


def page() -> str:
    """Give the page with today's tables, each between its two marks."""
    text = PAGE.read_text("utf-8")
    for name, table in {"rooms": rooms(), "emulator": modules_of_the_emulator()}.items():
        head, begin, rest = text.partition(f"<!-- {name}, written by `make docs` -->\n")
        _, end, tail = rest.partition(f"<!-- end of {name} -->")
        text = f"{head}{begin}\n{table}\n{end}{tail}"
    return text


def main() -> None:
    """Write the picture and the page."""
    PICTURE.write_text(picture(), "utf-8")
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
