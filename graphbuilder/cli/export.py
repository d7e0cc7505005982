"""`graphbuilder export`: a blueprint in other words, as Keras code or as a Mermaid flowchart."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from graphbuilder.cli.options import FileArgument, ForceOption, SetOption, parse_set
from graphbuilder.cli.output import print_data, print_diagnostics

__all__ = ["command"]

NAME = "export"
EPILOG = (
    "Examples: graphbuilder export cnn.yaml --to python -o cnn.py; graphbuilder export cnn.yaml --to mermaid; "
    "graphbuilder export resnet50.yaml --to mermaid --depth 1"
)


class Language(StrEnum):
    """What a blueprint is written as."""

    PYTHON = "python"
    MERMAID = "mermaid"


def command(
    file: FileArgument,
    to: Annotated[Language, typer.Option("--to", help="Keras 3 code, or a Mermaid flowchart.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Where to. Left out or -, stdout.", show_default=False),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(
            "--depth",
            metavar="N",
            min=0,
            show_default=False,
            help="Of a flowchart: draw blocks N names deep as one box each. Left out or 0, every node.",
        ),
    ] = None,
    settings: SetOption = None,
    force: ForceOption = False,
) -> int:
    """Write a blueprint as Keras 3 code that needs no graphbuilder, or as a Mermaid flowchart for documents.

    The code builds a model with the same layers, names and order of weights; it says nothing of training and
    compression. The flowchart has a box for each layer and op, shapes on its edges, and frames around blocks.
    """
    from graphbuilder.api import check, lower
    from graphbuilder.cli.writing import refuse_existing, write_whole
    from graphbuilder.errors import CommandError, Diagnostic

    if depth is not None and to is not Language.MERMAID:
        hint = "leave it out, or write a flowchart with --to mermaid"
        raise CommandError(Diagnostic("GB603", "--depth is for flowcharts only", hint=hint))
    path = None if output is None or str(output) == "-" else output
    if path is not None:
        refuse_existing(path, force)
    params = parse_set(settings)
    checked = check(file, params)
    # A file without a graph, because of errors or because it holds only blocks, is told by lowering it.
    graph = checked.graph or lower(file, params)
    print_diagnostics(checked.warnings)
    if to is Language.PYTHON:
        from graphbuilder.export import python_source

        text = python_source(graph)
    else:
        from graphbuilder.export import mermaid

        text = mermaid(graph, depth)
    if path is None:
        print_data(text)
        return 0
    write_whole(path, text.encode("utf-8"), force=force)
    print(f"{path} written")
    return 0
