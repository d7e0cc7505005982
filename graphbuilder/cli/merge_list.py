"""What `graphbuilder merge --list` prints: the fusions that fit some branches."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graphbuilder.catalog import TensorType
from graphbuilder.cli.output import bold, encodes, terminal_width
from graphbuilder.cli.show_text import amount
from graphbuilder.cli.table import Column, layout, line_width, natural_widths
from graphbuilder.editing import FittingFusion, Judged, UnfitFusion, judge

__all__ = ["document", "print_list"]

# How narrow the column of adapters may become.
_ADAPTERS = 20
_COLUMNS = (
    Column("fusion"),
    Column("result"),
    Column("parameters", right=True),
    Column("MACs", right=True),
    Column("adapters", least=_ADAPTERS),
)


def print_list(
    file: Path, nodes: Sequence[str], params: Mapping[str, Any], block: str | None = None, *, as_json: bool
) -> None:
    """Prints the fusions that fit, and below them those that do not, each with its reason.

    Arguments:
        file: the blueprint.
        nodes: what would be merged.
        params: values for some of its params.
        block: the block that the nodes stand in; None for the file itself.
        as_json: whether it is printed for machines.
    """
    from graphbuilder.api import load

    judged = judge(load(file), nodes, params, block)
    if as_json:
        print(json.dumps(document(judged), indent=2))
        return
    width = terminal_width()
    if judged.fitting:
        cells = [_cells(found) for found in judged.fitting]
        room = width - line_width(natural_widths(_COLUMNS, cells)[:-1]) - 2
        rows = [row for each in cells for row in _wrapped(each, max(room, _ADAPTERS))]
        titles, *lines = layout(_COLUMNS, rows, width, ellipsis="…" if encodes("…") else "~")
        print(bold(titles))
        for line in lines:
            print(line)
    else:
        print(f"no fusion fits {', '.join(nodes)}")
    if judged.unfit:
        print()
        print(bold("what does not fit"))
        wide = max(len(found.strategy) for found in judged.unfit)
        for found in judged.unfit:
            print(f"{found.strategy:{wide}}  {_reason(found)}")


def _cells(found: FittingFusion) -> list[str]:
    parameters = "?" if found.parameters is None else f"{found.parameters:,}"
    macs = "?" if found.macs is None else amount(found.macs)
    adapted = [
        f"{branch.name}: {', '.join(_unbroken(adapter.written) for adapter in branch.adapters)}"
        for branch in found.branches
        if branch.adapters
    ]
    return [
        found.strategy,
        "unknown" if found.gives is None else str(found.gives),
        parameters,
        macs,
        "; ".join(adapted),
    ]


def _wrapped(cells: Sequence[str], room: int) -> list[list[str]]:
    """A row whose last cell goes on below itself where it is longer than there is room."""
    # Not within an adapter: its blanks are no place to break a line.
    lines = textwrap.wrap(cells[-1], room, break_long_words=False, break_on_hyphens=False) or [""]
    first, *more = (line.replace("\N{NO-BREAK SPACE}", " ") for line in lines)
    return [[*cells[:-1], first], *([*[""] * (len(cells) - 1), line] for line in more)]


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _reason(found: UnfitFusion) -> str:
    return found.reason if found.hint is None else f"{found.reason} ({found.hint})"


def document(judged: Judged) -> dict[str, Any]:
    """The fusions as plain data.

    The keys:
        ok: true; where something is wrong the document is {ok: false, diagnostics: […]} instead.
        fitting: a list of {fusion, about, shape, dtype, parameters, macs, branches}. `shape` is a list of sizes with
            the batch axis in front, where a word names an unknown size and null is one without a name; null stands for
            what is unknown. `branches` is a list of {name, role, shape, dtype, adapters}, with the shape as it is
            merged, and an adapter is a {call, written, reason, shape, dtype}.
        unfit: a list of {fusion, about, reason, hint, needs}, `needs` being the options without which it cannot be.
    """
    return {
        "ok": True,
        "fitting": [
            {
                "fusion": found.strategy,
                "about": found.about,
                **_tensor(found.gives),
                "parameters": found.parameters,
                "macs": found.macs,
                "branches": [
                    {
                        "name": branch.name,
                        "role": branch.role,
                        **_tensor(branch.adapted.type),
                        "adapters": [
                            {
                                "call": adapter.call,
                                "written": adapter.written,
                                "reason": adapter.reason,
                                **_tensor(adapter.gives),
                            }
                            for adapter in branch.adapters
                        ],
                    }
                    for branch in found.branches
                ],
            }
            for found in judged.fitting
        ],
        "unfit": [
            {
                "fusion": found.strategy,
                "about": found.about,
                "reason": found.reason,
                "hint": found.hint,
                "needs": list(found.needs),
            }
            for found in judged.unfit
        ],
    }


def _tensor(found: TensorType | None) -> dict[str, Any]:
    return {"shape": None, "dtype": None} if found is None else {"shape": list(found.shape), "dtype": found.dtype}
