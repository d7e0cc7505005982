"""`graphbuilder show`: the nodes of a blueprint with their shapes and costs, beside a drawing of the graph."""

from __future__ import annotations

from typing import Annotated

import typer

from graphbuilder.cli.options import FileArgument, FormatOption, LimitOption, OutputFormat, SetOption, parse_set
from graphbuilder.cli.output import print_diagnostics

__all__ = ["command"]

NAME = "show"
EPILOG = (
    "Examples: graphbuilder show cnn.yaml; graphbuilder show resnet50.yaml --depth 1; "
    "graphbuilder show resnet50.yaml --set classes=10; graphbuilder show cnn.yaml --format json"
)


def command(
    file: FileArgument,
    settings: SetOption = None,
    limits: LimitOption = None,
    depth: Annotated[
        int | None,
        typer.Option(
            "--depth",
            metavar="N",
            min=0,
            show_default=False,
            help="Show blocks N names deep as one row each; 0 shows every node. Left out, what fits 60 rows.",
        ),
    ] = None,
    output_format: FormatOption = OutputFormat.TEXT,
    drawing: Annotated[bool, typer.Option("--drawing/--no-drawing", help="Draw the graph beside the table.")] = True,
) -> int:
    """Show a blueprint's nodes with shapes and costs, and draw it.

    In the drawing ○ is an input, ● a node, ◆ a node that gives an output; lines join a node to what feeds it. The last
    column says where a node's inputs come from, unless that is the row above. Parameters are counted where a layer is
    called first. MACs are multiply-accumulates for one sample; element-wise work counts as none. `graphbuilder analyze`
    tells more of the cost.
    """
    from graphbuilder.analysis import analyze
    from graphbuilder.api import check, lower

    params = parse_set(settings)
    checked = check(file, params)
    # A file without a graph, because of errors or because it holds only blocks, is told by lowering it.
    graph = checked.graph or lower(file, params)
    analysis = analyze(graph)
    if output_format is OutputFormat.JSON:
        import json

        from graphbuilder.cli.show_json import document

        print(json.dumps(document(analysis, graph.params, checked.diagnostics, depth), indent=2))
        return 0
    from graphbuilder.cli.show_text import memory_text, print_summary

    print_summary(analysis.summary, depth, drawing, memory_text(analysis.memory))
    # What is wrong with passes or the budget keeps no graph from being shown.
    print_diagnostics(checked.diagnostics)
    return 0
