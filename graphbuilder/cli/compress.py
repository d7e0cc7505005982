"""`graphbuilder compress`: what the passes of a blueprint will do, before anything is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graphbuilder.cli.options import FileArgument, ForceOption, FormatOption, OutputFormat, SetOption, parse_set
from graphbuilder.cli.output import print_diagnostics

__all__ = ["command"]

NAME = "compress"
EPILOG = (
    "Examples: graphbuilder compress digits_cnn.yaml --dry-run; "
    "graphbuilder compress digits_cnn.yaml --dry-run --format json -o plan.json"
)


def command(
    file: FileArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and touch nothing.")] = False,
    settings: SetOption = None,
    output_format: FormatOption = OutputFormat.TEXT,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Write the plan as JSON too.", show_default=False),
    ] = None,
    force: ForceOption = False,
) -> int:
    """Plan the compression that a blueprint declares: per pass and layer what is done, what is skipped, and why.

    The plan also predicts the size of the converted model. Running the passes is not built yet, so --dry-run must be
    given.
    """
    from graphbuilder.api import check
    from graphbuilder.errors import BlueprintError, CommandError, Diagnostic

    if not dry_run:
        message = "running compression passes is not built yet"
        raise CommandError(Diagnostic("GB603", message, hint="--dry-run prints what they will do"))
    checked = check(file, parse_set(settings))
    if not checked.ok:
        raise BlueprintError(checked.diagnostics)
    print_diagnostics(checked.warnings)
    graph = checked.graph
    if graph is None or not graph.compression:
        message = f"{file} declares no compression"
        hint = "such as compression: [{pass: prune, sparsity: 0.8}]"
        raise CommandError(Diagnostic("GB603", message, hint=hint))
    from graphbuilder.cli.compress_text import plan_lines
    from graphbuilder.cli.output import print_data, terminal_width
    from graphbuilder.cli.writing import write_whole
    from graphbuilder.compression.plan import plan_compression
    from graphbuilder.compression.plan_data import plan_data
    from graphbuilder.text import to_json

    plan, _ = plan_compression(graph)
    data = plan_data(plan, graph)
    if output is not None:
        write_whole(output, to_json(data).encode("utf-8"), force=force)
    if output_format is OutputFormat.JSON:
        print_data(to_json(data))
    else:
        for line in plan_lines(plan, graph, terminal_width()):
            print(line)
    return 0
