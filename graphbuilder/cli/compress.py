"""`graphbuilder compress`: carries out the passes of a blueprint, or prints what they will do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphbuilder.cli.options import (
    FileArgument,
    ForceOption,
    FormatOption,
    LimitOption,
    OutputFormat,
    SetOption,
    TrustOption,
    parse_set,
)
from graphbuilder.cli.output import milestone, print_diagnostics, progress

if TYPE_CHECKING:
    from graphbuilder.backend.compression_run import CompressionRequest
    from graphbuilder.backend.worker_protocol import Progress
    from graphbuilder.graph import Graph

__all__ = ["command"]

NAME = "compress"
EPILOG = (
    "Examples: graphbuilder compress digits_cnn.yaml --dry-run; "
    "graphbuilder compress digits_cnn.yaml --data digits -o small/; "
    "graphbuilder compress digits_cnn.yaml --data digits -o small/ --resume; "
    "graphbuilder compress cnn.yaml --data photos/ -o small/ --weights cnn.keras; "
    "graphbuilder compress digits_cnn.yaml --data digits -o best/ --search --budget accuracy_drop=0.01"
)

WeightsOption = Annotated[
    Path | None,
    typer.Option(
        help="Trained weights (.keras, .weights.h5 or .h5 of this blueprint), instead of training first.",
        show_default=False,
    ),
]


def command(
    file: FileArgument,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DATA", help="What to train and judge with, as for train.", show_default=False),
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
    plan: Annotated[
        Path | None,
        typer.Option(help="A plan that --dry-run wrote: refuse to do anything else.", show_default=False),
    ] = None,
    weights: WeightsOption = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data in each stage.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Fixes everything random.")] = 0,
    budget: Annotated[
        list[str] | None,
        typer.Option(
            "--budget",
            metavar="NAME=VALUE",
            help="A bound that the result must hold, such as accuracy_drop=0.01; it wins over the blueprint's.",
        ),
    ] = None,
    search: Annotated[
        bool, typer.Option("--search", help="Try settings of the passes, and keep the best that holds the budget.")
    ] = False,
    trials: Annotated[int, typer.Option(min=1, help="With --search: how many settings are tried.")] = 30,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="MINUTES", help="With --search: begin no trial after so many minutes.", show_default=False
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            min=1, help="With --search: end after so many trials that find nothing better.", show_default=False
        ),
    ] = None,
    search_per_node: Annotated[
        bool, typer.Option("--search-per-node", help="With --search: a sparsity of its own for each layer.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a compression that was interrupted.")] = False,
    settings: SetOption = None,
    limits: LimitOption = None,
    trust: TrustOption = None,
    output_format: FormatOption = OutputFormat.TEXT,
    force: ForceOption = False,
) -> int:
    """Train a blueprint and carry out its compression passes, or plan them with --dry-run.

    The folder gets model.tflite, model.keras (Keras 3), its weights, the resolved blueprint, and report.json and
    report.html on every stage. Training, conversion and measuring run in processes of their own. Where the result
    misses its budget the command fails, and the folder is there all the same.
    """
    from graphbuilder.api import check
    from graphbuilder.compression.budget import budget_of, parse_budget
    from graphbuilder.compression.plan import plan_compression
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
    bounds = budget_of(graph, parse_budget(budget))
    if plan is not None:
        from graphbuilder.compression.plan_data import require_plan

        require_plan(plan, plan_compression(graph)[0], graph)
    options = None
    if search:
        from graphbuilder.cli.compress_search import SearchOptions, print_space

        options = SearchOptions(trials, timeout, patience, search_per_node)
        if dry_run:
            return print_space(file, graph, bounds, options, output_format)
    if dry_run:
        return _plan(graph, output, output_format, force)
    if data is None or output is None:
        hint = "such as --data digits -o small/; --dry-run needs neither"
        raise CommandError(Diagnostic("GB603", "--data and -o say what to train with, and where to write", hint=hint))
    from graphbuilder.backend.compression_run import CompressionRequest

    request = CompressionRequest(
        file,
        graph,
        data,
        output,
        params,
        seed=seed,
        epochs=epochs,
        trust=trust or (),
        weights=weights,
        resume=resume,
        force=force,
        budget=bounds,
    )
    if options is not None:
        from graphbuilder.cli.compress_search import run_search

        return run_search(request, bounds, options, output_format)
    return _run(request, output_format)


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


def _run(request: CompressionRequest, output_format: OutputFormat) -> int:
    """Carries out the passes, and prints what came of each."""
    from graphbuilder.backend.compression_run import compress
    from graphbuilder.backend.compression_state import RunState
    from graphbuilder.cli.output import print_data
    from graphbuilder.compression.report_text import report_lines
    from graphbuilder.text import to_json

    try:
        with progress(f"Compressing {request.graph.name}") as step:

            def tell(told: Progress) -> None:
                if "finished" in told.facts:
                    milestone(f"{told.facts['finished'] + 1}/{told.facts['of']} {told.message}")
                step(told.message, told.done or 0, told.total or 0)

            done = compress(request, progress=tell)
    except KeyboardInterrupt:
        state = RunState(request.folder)
        if state.exists():
            milestone(f"stopped; {state.path} keeps {state.progress()}: the same command with --resume goes on")
        raise
    if output_format is OutputFormat.JSON:
        print_data(to_json(done.report.model_dump(mode="json", exclude_none=True)))
    else:
        for line in report_lines(done.report, every_stage=False):
            print(line)
        print(f"\n{request.folder}: {', '.join(sorted(path.name for path in request.folder.iterdir()))}")
    print_diagnostics((*done.problems, *done.missed))
    return 1 if done.problems or done.missed else 0
