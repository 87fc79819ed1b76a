"""Draw the imports between the rooms of the package, from the code, into docs/architecture.md.

    python dev/drawing.py           write the drawing
    python dev/drawing.py --check   fail when it is not what the code says, or shows an upward arrow or a circle

The floors are those of the import-linter contract in pyproject.toml, so there is one list of them.
"""

from __future__ import annotations

import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the checkout's code, installed or not
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- imports: made by `make docs` -->", "<!-- imports: end -->"
PACKAGE = "jupyter_slurmdash"


def floors() -> list[list[str]]:
    """Floors from the top, each a list of rooms."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    return [layer.replace(" ", "").split("|") for layer in layers]


def arrows() -> dict[tuple[str, str], int]:
    """Imports between two rooms, and how many modules import so."""
    graph = grimp.build_graph(PACKAGE, exclude_type_checking_imports=True, cache_dir=None)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            pair = (room(importer), room(imported))
            # `from .. import __version__` is the package's own name, not a room.
            if pair[0] != pair[1] and "" not in pair:
                counts[pair] += 1
    return dict(counts)


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def problems(layers: list[list[str]], found: dict[tuple[str, str], int]) -> list[str]:
    level = {name: index for index, layer in enumerate(layers) for name in layer}
    wrong = [
        f"{importer} is on no floor"
        for importer in {name for pair in found for name in pair}
        if importer not in level
    ]
    wrong += [
        f"{importer} imports {imported}: not downwards"
        for importer, imported in found
        if importer in level and imported in level and level[importer] >= level[imported]
    ]
    return sorted(wrong)


def drawing(layers: list[list[str]], found: dict[tuple[str, str], int]) -> str:
    lines = ["```mermaid", "flowchart TB"]
    for index, layer in enumerate(layers):
        lines.append(f"  subgraph floor{len(layers) - 1 - index}[ ]")
        lines.append("    direction LR")
        lines += [f"    {name}" for name in layer]
        lines.append("  end")
    lines += [f"  {importer} --> {imported}" for importer, imported in sorted(found)]
    return "\n".join([*lines, "```"])


def main() -> int:
    layers, found = floors(), arrows()
    wrong = problems(layers, found)
    for line in wrong:
        print(line, file=sys.stderr)
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    made = f"{head}{BEGIN}\n{drawing(layers, found)}\n{END}{tail}"
    if "--check" in sys.argv:
        if made != page:
            print("docs/architecture.md is older than the code: run `make docs`.", file=sys.stderr)
            return 1
        print(f"imports: {len(found)} arrows between rooms, {len(wrong)} upward or in a circle")
    else:
        PAGE.write_text(made, encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
