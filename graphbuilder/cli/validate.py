"""`graphbuilder validate`: checks blueprints without TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from graphbuilder.cli.completion import blueprint_files
from graphbuilder.cli.options import FormatOption, OutputFormat, SetOption, parse_set
from graphbuilder.cli.output import print_diagnostics
from graphbuilder.errors import Diagnostic

__all__ = ["command"]

NAME = "validate"
EPILOG = "Examples: graphbuilder validate cnn.yaml; graphbuilder validate models/*.yaml --format json"


def command(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Blueprints, YAML or JSON.", metavar="FILES", autocompletion=blueprint_files, show_default=False
        ),
    ],
    settings: SetOption = None,
    output_format: FormatOption = OutputFormat.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
) -> int:
    """Check blueprints: names, arguments and every tensor's shape. Runs no code and imports no TensorFlow."""
    from graphbuilder.api import check

    params = parse_set(settings)
    everything: list[Diagnostic] = []
    failed = False
    for file in files:
        checked = check(file, params)
        failed = failed or not checked.ok or (strict and bool(checked.warnings))
        everything.extend(checked.diagnostics)
        if output_format is OutputFormat.TEXT:
            print_diagnostics(checked.diagnostics)
            if checked.graph is not None:
                graph = checked.graph
                size = "?" if graph.parameters is None else f"{graph.parameters:,}"
                print(f"{file}: ok, {len(graph.calls)} node{'' if len(graph.calls) == 1 else 's'}, {size} parameters")
            elif checked.ok:
                print(f"{file}: ok, a library of blocks")
            sys.stdout.flush()
    if output_format is OutputFormat.JSON:
        print_diagnostics(everything, as_json=True)
    return 1 if failed else 0
