"""Makes docs/compression-legality.md: what each pass can do to each layer, what of it was run, what may follow what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.catalog import layers
from graphbuilder.compression.conversions import ruling_of_form
from graphbuilder.compression.legality import COLUMNS, CONVERSIONS, Verdict, verdict_of
from graphbuilder.compression.legality_table import NO_TWIN, REASONS, TABLE
from graphbuilder.compression.orders import ORDERS

__all__ = ["RUNS", "agrees", "legality_page", "recorded"]

# What `python -m benchmarks --legality` writes: what each cell gave when it was run.
RUNS = Path(__file__).resolve().parent.parent / "docs" / "compression-legality.json"

_HEAD = """\
# What can be compressed

What each pass can do to each layer, and what becomes of it in the .tflite file.
"""

_SIGNS_HEAD = """\
| Sign | Meaning |
|---|---|
| ✓ | tensorflow-model-optimization does it; for schemes of conversion, TensorFlow Lite's converter |
| + | graphbuilder does it where tensorflow-model-optimization does not, or does only some of the weights |
| · | nothing of it is changed |
| ✗, or a letter | it cannot be done, or would be wrong, for the reason below |
| a number | a note below |
| ? | it was not run |
| ≠ | a run gave something else |

`quantize aware` is training for 8 bits and conversion after that. The schemes after it are conversions of a model that
was not trained for them; they concern the whole model, so such a pass cannot name layers. Layers have the arguments
that they have by default: recurrent ones are not unrolled, and no masks arrive at them.

`TimeDistributed` and `Bidirectional` follow the layer that they wrap, but for `low_rank`, which cannot replace what is
wrapped. Custom layers cannot be compressed. A layer's arguments and sizes can forbid more. The tests run those too.
"""

_SIGNS = {Verdict.LEGAL: "✓", Verdict.EXTENDED: "+", Verdict.NO_EFFECT: "·", Verdict.ILLEGAL: "✗"}


def recorded() -> Mapping[str, Any]:
    """What the last run of all cells gave: {versions, cells: {kind: {column: outcome}}}."""
    if not RUNS.is_file():
        return {"versions": {}, "cells": {}}
    found: Mapping[str, Any] = json.loads(RUNS.read_text(encoding="utf-8"))
    return found


def agrees(kind: str, column: str, outcome: str) -> bool:
    """Whether what a run gave is what the tables say.

    Arguments:
        kind: the layer's kind.
        column: one of `COLUMNS` or `CONVERSIONS`.
        outcome: a verdict, where what acts is `legal`; for conversions an outcome of those.
    """
    if column in CONVERSIONS and TABLE[kind]["prune"] not in NO_TWIN:
        return str(ruling_of_form(kind, CONVERSIONS[column]).outcome) == outcome
    verdict, _ = verdict_of(kind, column)
    return str(Verdict.LEGAL if verdict is Verdict.EXTENDED else verdict) == outcome


def legality_page() -> str:
    """The text of the page."""
    notes: dict[str, int] = {}
    runs = recorded()
    tables = list(_tables(notes, runs["cells"]))
    lines = [_HEAD, _runs(runs), "", _SIGNS_HEAD, *_reasons(), "", *tables, *_notes(notes), *_orders(), ""]
    return "\n".join(lines)


def _runs(runs: Mapping[str, Any]) -> str:
    """How many cells were run, and with what."""
    columns = (*COLUMNS, *CONVERSIONS)
    cells = [(kind, column) for kind in TABLE for column in columns]
    tried = [(kind, column) for kind, column in cells if column in runs["cells"].get(kind, {})]
    right = sum(agrees(kind, column, runs["cells"][kind][column]) for kind, column in tried)
    versions = ", ".join(f"{name} {version}" for name, version in runs["versions"].items())
    told = f" with {versions}" if versions else ""
    return (
        f"{len(tried)} of {len(cells)} cells were run{told} (`python -m benchmarks --legality`), and {right} of those "
        f"gave what stands here. `make slow` runs them again."
    )


def _reasons() -> Iterator[str]:
    yield "| Letter | Reason |"
    yield "|---|---|"
    for letter, reason in REASONS.items():
        yield f"| {letter} | {reason} |"


def _cell(kind: str, column: str, notes: dict[str, int], outcome: str | None) -> str:
    """The sign of a cell, the number of its note, and whether a run agrees."""
    letter = TABLE[kind].get(column, TABLE[kind]["prune"])
    verdict, reason = verdict_of(kind, column)
    sign = letter if letter in REASONS else _SIGNS[verdict]
    plain = letter in REASONS or (
        verdict is Verdict.NO_EFFECT and reason is not None and not reason.startswith("it stays")
    )
    note = "" if reason is None or plain else f" {notes.setdefault(reason, len(notes) + 1)}"
    run = " ?" if outcome is None else "" if agrees(kind, column, outcome) else " ≠"
    return f"{sign}{note}{run}"


def _tables(notes: dict[str, int], runs: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    families: dict[str, list[str]] = {}
    for kind in layers.names():
        entry = layers.get(kind)
        assert entry is not None
        if kind in TABLE:
            families.setdefault(entry.family, []).append(kind)
    columns = (*COLUMNS, *CONVERSIONS)
    heads = [column.removeprefix("quantize ") if column in CONVERSIONS else column for column in columns]
    for family, kinds in families.items():
        yield f"## {family.capitalize()}"
        yield ""
        yield f"| Layer | {' | '.join(heads)} |"
        yield f"|---|{'---|' * len(columns)}"
        for kind in kinds:
            cells = [_cell(kind, column, notes, runs.get(kind, {}).get(column)) for column in columns]
            yield f"| {kind} | {' | '.join(cells)} |"
        yield ""


def _notes(notes: Mapping[str, int]) -> Iterator[str]:
    yield "## Notes"
    yield ""
    for reason, number in notes.items():
        yield f"{number}. {reason[0].upper()}{reason[1:]}."
    yield ""


def _orders() -> Iterator[str]:
    yield "## Passes after passes, on the same layer"
    yield ""
    yield "| First | Then | |"
    yield "|---|---|---|"
    for (earlier, later), order in ORDERS.items():
        told = order.keeps if order.allowed else f"**refused**: {order.reason}; {order.hint}"
        yield f"| {earlier} | {later} | {told} |"
