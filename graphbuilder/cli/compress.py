"""`graphbuilder compress`: carries out the passes of a blueprint, or prints what they will do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphbuilder.cli.options import (
    FileArgument,
    ForceOption,
    FormatOption,
    OutputFormat,
    SetOption,
    TrustOption,
    parse_set,
)
from graphbuilder.cli.output import print_diagnostics, progress

if TYPE_CHECKING:
    from graphbuilder.graph import Graph

__all__ = ["command"]

NAME = "compress"
EPILOG = (
    "Examples: graphbuilder compress digits_cnn.yaml --dry-run; "
    "graphbuilder compress digits_cnn.yaml --dry-run --format json -o plan.json; "
    "graphbuilder compress digits_cnn.yaml --data digits -o small/"
)


def command(
    file: FileArgument,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="SPEC", help="What to train and judge with, as for train.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A new folder for the results; with --dry-run a file for the plan.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and touch nothing.")] = False,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data in each stage.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Fixes everything random.")] = 0,
    settings: SetOption = None,
    trust: TrustOption = None,
    output_format: FormatOption = OutputFormat.TEXT,
    force: ForceOption = False,
) -> int:
    """Train a blueprint and carry out its compression passes, or plan them with --dry-run.

    The folder gets model.tflite, model.keras (Keras 3, with the same weights) and report.json. Training, conversion and
    measuring run in processes of their own.
    """
    from graphbuilder.api import check
    from graphbuilder.errors import BlueprintError, CommandError, Diagnostic

    params = parse_set(settings)
    checked = check(file, params)
    if not checked.ok:
        raise BlueprintError(checked.diagnostics)
    print_diagnostics(checked.warnings)
    graph = checked.graph
    if graph is None or not graph.compression:
        message = f"{file} declares no compression"
        hint = "such as compression: [{pass: prune, sparsity: 0.8}]"
        raise CommandError(Diagnostic("GB603", message, hint=hint))
    if dry_run:
        return _plan(graph, output, output_format, force)
    if data is None or output is None:
        hint = "such as --data digits -o small/; --dry-run needs neither"
        raise CommandError(Diagnostic("GB603", "--data and -o say what to train with, and where to write", hint=hint))
    return _run(file, graph, data, output, params, seed, epochs, trust or (), output_format)


def _plan(graph: Graph, output: Path | None, output_format: OutputFormat, force: bool) -> int:
    """Prints the plan, and writes it where a file is named."""
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


def _run(
    file: Path,
    graph: Graph,
    data: str,
    folder: Path,
    params: dict[str, Any],
    seed: int,
    epochs: int | None,
    trust: list[str] | tuple[str, ...],
    output_format: OutputFormat,
) -> int:
    """Carries out the passes, and prints what came of each."""
    from graphbuilder.backend.compression_run import compress
    from graphbuilder.cli.compress_text import result_lines
    from graphbuilder.cli.output import print_data
    from graphbuilder.text import to_json

    with progress(f"Compressing {graph.name}") as step:
        done = compress(
            file,
            graph,
            data,
            folder,
            params=params,
            seed=seed,
            epochs=epochs,
            trust=trust,
            progress=lambda told: step(told.message, told.done or 0, told.total or 0),
        )
    if output_format is OutputFormat.JSON:
        print_data(to_json(dict(done.report)))
        return 0
    for line in result_lines(done.report, folder):
        print(line)
    return 0
