"""`graphbuilder validate`: checks blueprints without TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from graphbuilder.cli.completion import blueprint_files
from graphbuilder.cli.mending import mend_file
from graphbuilder.cli.options import LimitOption, ReportFormat, SetOption, parse_set
from graphbuilder.cli.output import print_diagnostics, print_report
from graphbuilder.errors import Diagnostic

__all__ = ["command"]

NAME = "validate"
EPILOG = (
    "Examples: graphbuilder validate cnn.yaml; graphbuilder validate models/*.yaml --format github; "
    "graphbuilder validate cnn.yaml --fix"
)


def command(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Blueprints, YAML or JSON.", metavar="FILES", autocompletion=blueprint_files, show_default=False
        ),
    ],
    settings: SetOption = None,
    limits: LimitOption = None,
    output_format: Annotated[
        ReportFormat,
        typer.Option(
            "--format",
            help="Print text for people, JSON for machines, annotations for GitHub, or SARIF for code scanning.",
        ),
    ] = ReportFormat.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Carry out the fixes that messages offer and that mend; shows what changed.")
    ] = False,
) -> int:
    """Check blueprints: names, arguments and every tensor's shape. Runs no code and imports no TensorFlow."""
    from graphbuilder.api import check

    params = parse_set(settings)
    as_text = output_format is ReportFormat.TEXT
    everything: list[Diagnostic] = []
    failed = False
    for file in files:
        if fix:
            mend_file(file, params, sys.stdout if as_text else sys.stderr)
        checked = check(file, params)
        failed = failed or not checked.ok or (strict and bool(checked.warnings))
        everything.extend(checked.diagnostics)
        if as_text:
            print_diagnostics(checked.diagnostics)
            if checked.graph is not None:
                graph = checked.graph
                size = "?" if graph.parameters is None else f"{graph.parameters:,}"
                print(f"{file}: ok, {len(graph.calls)} node{'' if len(graph.calls) == 1 else 's'}, {size} parameters")
            elif checked.ok:
                print(f"{file}: ok, a library of blocks")
            sys.stdout.flush()
    if not as_text:
        print_report(everything, output_format)
    return 1 if failed else 0
