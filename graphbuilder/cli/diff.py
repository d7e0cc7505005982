"""`graphbuilder diff`: what differs between two blueprints, by structure and not by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphbuilder.cli.completion import blueprint_files
from graphbuilder.cli.options import FormatOption, LimitOption, OutputFormat, SetOption, parse_set
from graphbuilder.cli.output import print_diagnostics

if TYPE_CHECKING:
    from graphbuilder.analysis.diff import Difference
    from graphbuilder.cli.sides import Side

__all__ = ["command"]

NAME = "diff"
EPILOG = (
    "Examples: graphbuilder diff old.yaml new.yaml; graphbuilder diff cnn.yaml cnn.keras; "
    "graphbuilder diff folded.yaml flat.yaml --by graph; graphbuilder diff old.yaml new.yaml --format json"
)


class Comparison(StrEnum):
    """What of two blueprints is compared."""

    NODES = "nodes"
    GRAPH = "graph"
    FILE = "file"


def _side(name: str) -> typer.models.ArgumentInfo:
    told = "A blueprint, a .keras file, or the JSON of a model."
    found: typer.models.ArgumentInfo = typer.Argument(
        metavar=name, help=told, show_default=False, autocompletion=blueprint_files
    )
    return found


def command(
    a: Annotated[Path, _side("A")],
    b: Annotated[Path, _side("B")],
    by: Annotated[
        Comparison | None,
        typer.Option(
            "--by",
            show_default=False,
            help="nodes: the models, node by node. graph: the same, but names do not count. file: what is written, "
            "with blocks and params. Left out, nodes; file where a side has no model, but only blocks.",
        ),
    ] = None,
    settings: SetOption = None,
    limits: LimitOption = None,
    output_format: FormatOption = OutputFormat.TEXT,
) -> int:
    """Compare two blueprints by structure. The status is 0 where they are the same, 1 where they differ.

    How a model is written makes no difference by nodes and graph: blocks are expanded, params put in, defaults dropped.
    A node that has another name is found by what it is and what it is connected to. Model files are read without
    TensorFlow; against one, what it does not hold is not compared: passes, budget, modalities, axis names, and of
    training all but what it was compiled with.
    --set is for each side that has the param.
    """
    from graphbuilder.cli.sides import open_side

    params = parse_set(settings)
    sides = tuple(open_side(file, params, partly=True) for file in (a, b))
    _refuse_unknown(params, sides)
    chosen = by or (Comparison.NODES if all(side.has_model for side in sides) else Comparison.FILE)
    found = _difference(sides[0], sides[1], chosen)
    diagnostics = [item for side in sides for item in side.diagnostics]
    if output_format is OutputFormat.JSON:
        import json

        from graphbuilder.cli.diff_json import difference_document

        print(json.dumps(difference_document(found, str(chosen), diagnostics), indent=2))
    else:
        from graphbuilder.cli.diff_text import print_difference

        print_difference(found, str(a), str(b))
        print_diagnostics(diagnostics)
    return 1 if found.count else 0


def _refuse_unknown(params: Iterable[str], sides: Sequence[Side]) -> None:
    """Refuses a param that neither side has.

    Raises:
        CommandError: there is one.
    """
    from graphbuilder.errors import CommandError, Diagnostic, suggestion

    known = list(dict.fromkeys(name for side in sides for name in side.document.blueprint.params))
    for name in params:
        if name not in known:
            message = f"--set {name}: neither side has a param of that name"
            raise CommandError(Diagnostic("GB603", message, found=name, hint=suggestion(name, known)))


def _difference(one: Side, two: Side, by: Comparison) -> Difference:
    from graphbuilder.analysis.diff import diff_files, diff_graphs

    if by is Comparison.FILE:
        return diff_files(one.document, two.document)
    from_model = one.from_model or two.from_model
    names = by is Comparison.NODES
    return diff_graphs(one.required_graph(), two.required_graph(), names=names, from_model=from_model)
