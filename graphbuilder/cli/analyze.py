"""`graphbuilder analyze`: what each node of a blueprint costs, and what it sees of the input."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from graphbuilder.cli.options import FileArgument, FormatOption, LimitOption, OutputFormat, SetOption, parse_set
from graphbuilder.cli.output import print_diagnostics

__all__ = ["command"]

NAME = "analyze"
EPILOG = (
    "Examples: graphbuilder analyze cnn.yaml; graphbuilder analyze resnet50.yaml --sort macs --top 10; "
    "graphbuilder analyze resnet50.keras; graphbuilder analyze cnn.yaml --format json"
)


class Order(StrEnum):
    """What nodes are sorted by."""

    PARAMETERS = "parameters"
    MACS = "macs"
    OUTPUT = "output"


def command(
    file: FileArgument,
    settings: SetOption = None,
    limits: LimitOption = None,
    sort: Annotated[
        Order | None,
        typer.Option("--sort", help="The costliest nodes first. Left out, the file's order.", show_default=False),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option("--top", metavar="N", min=1, help="Only the first N nodes. Left out, all.", show_default=False),
    ] = None,
    output_format: FormatOption = OutputFormat.TEXT,
) -> int:
    """Tell what each node costs, and what it sees of the input; a .keras file or the JSON of a model will do too.

    Output is what a node gives for one sample, in bytes. The field is how many positions of the input a number of the
    output depends on, and behind @ by how many the field moves from one number to the next; ≤ says that it may be less.
    Memory is what activations take at the worst moment of the best order of the nodes that was found.
    """
    from graphbuilder.analysis import analyze, costliest
    from graphbuilder.cli.sides import open_side

    side = open_side(file, parse_set(settings))
    analysis = analyze(side.required_graph())
    nodes = analysis.nodes if sort is None else costliest(analysis.nodes, str(sort))
    shown = nodes[:top]
    if output_format is OutputFormat.JSON:
        import json

        from graphbuilder.cli.analyze_json import analysis_document

        print(json.dumps(analysis_document(analysis, shown, side.diagnostics), indent=2))
        return 0
    from graphbuilder.cli.analyze_text import print_analysis

    print_analysis(analysis, shown)
    print_diagnostics(side.diagnostics)
    return 0
