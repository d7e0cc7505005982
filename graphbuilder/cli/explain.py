"""`graphbuilder explain`: everything that is known of one node, and why it is there."""

from __future__ import annotations

from typing import Annotated

import typer

from graphbuilder.cli.completion import node_names
from graphbuilder.cli.options import FileArgument, FormatOption, LimitOption, OutputFormat, SetOption, parse_set
from graphbuilder.cli.output import print_diagnostics

__all__ = ["command"]

NAME = "explain"
EPILOG = (
    "Examples: graphbuilder explain vqa.yaml merged; graphbuilder explain vqa.yaml merged.image.pool; "
    "graphbuilder explain transformer.yaml encoder.layers.0.attention; "
    "graphbuilder explain resnet50.yaml scores --set classes=10; graphbuilder explain vqa.yaml merged --format json"
)


def command(
    file: FileArgument,
    node: Annotated[
        str,
        typer.Argument(
            metavar="NODE",
            help="An input or node, or what lies inside one: encoder.2.attention, merged.image.pool.",
            show_default=False,
            autocompletion=node_names,
        ),
    ],
    settings: SetOption = None,
    limits: LimitOption = None,
    output_format: FormatOption = OutputFormat.TEXT,
) -> int:
    """Explain one node: what it is, what it is given and gives, what it costs, and why it is there.

    Of a fusion it tells what is done to each branch before it is merged, why, and what could be done instead; each of
    these was tried on the whole blueprint and is told with its shapes and costs.
    """
    from graphbuilder.api import explain

    explained = explain(file, node, parse_set(settings))
    if output_format is OutputFormat.JSON:
        import json

        from graphbuilder.cli.explain_json import document

        print(json.dumps(document(explained), indent=2))
        return 0
    from graphbuilder.cli.explain_text import print_explanation

    print_explanation(explained, str(file))
    print_diagnostics(explained.warnings)
    return 0
