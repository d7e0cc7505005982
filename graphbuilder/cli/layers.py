"""`graphbuilder layers`: what the catalog has, and one page on each thing in it."""

from __future__ import annotations

from typing import Annotated

import typer

from graphbuilder.cli.completion import catalog_names
from graphbuilder.cli.options import FormatOption, OutputFormat

__all__ = ["command"]

NAME = "layers"
EPILOG = (
    "Examples: graphbuilder layers; graphbuilder layers Conv2D; graphbuilder layers std.mlp; "
    "graphbuilder layers --family recurrent; graphbuilder layers --ops --fusions; graphbuilder layers --activations"
)


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A layer, op, fusion or block to describe. Left out, all layers are listed.",
            autocompletion=catalog_names,
        ),
    ] = None,
    ops: Annotated[bool, typer.Option("--ops", help="List the ops.")] = False,
    fusions: Annotated[bool, typer.Option("--fusions", help="List the ways to merge branches.")] = False,
    blocks: Annotated[
        bool, typer.Option("--blocks", help="List the standard blocks and the models of the zoo.")
    ] = False,
    activations: Annotated[bool, typer.Option("--activations", help="List the activations.")] = False,
    initializers: Annotated[bool, typer.Option("--initializers", help="List the initializers.")] = False,
    regularizers: Annotated[bool, typer.Option("--regularizers", help="List the regularizers.")] = False,
    constraints: Annotated[bool, typer.Option("--constraints", help="List the constraints.")] = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="List the layers of Keras that blueprints cannot use, with the reasons.")
    ] = False,
    family: Annotated[
        str | None, typer.Option(metavar="NAME", help="List one family of layers or ops only.", show_default=False)
    ] = None,
    output_format: FormatOption = OutputFormat.TEXT,
) -> int:
    """List layers, or describe one with an example to paste.

    A name may be a layer's, an op's, a fusion's, or that of a standard block or a model of the zoo.
    """
    as_json = output_format is OutputFormat.JSON
    if name is not None:
        from graphbuilder.cli.layer_page import print_pages

        print_pages(name, as_json=as_json)
        return 0
    from graphbuilder.cli.layer_list import print_lists, print_missing

    if missing:
        print_missing(as_json=as_json)
        return 0
    asked = {
        "ops": ops,
        "fusions": fusions,
        "blocks": blocks,
        "activations": activations,
        "initializers": initializers,
        "regularizers": regularizers,
        "constraints": constraints,
    }
    print_lists([kind for kind, wanted in asked.items() if wanted] or ["layers"], family, as_json=as_json)
    return 0
