"""`graphbuilder compress --search`: settings of the declared passes are tried, and the best is written back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.cli.options import OutputFormat
from graphbuilder.cli.output import bold, milestone, print_data, print_diagnostics, progress, terminal_width
from graphbuilder.cli.table import Column, layout
from graphbuilder.cli.train_output import duration
from graphbuilder.errors import BlueprintError, Diagnostic, InternalError

if TYPE_CHECKING:
    from graphbuilder.backend.compression_run import CompressionRequest
    from graphbuilder.backend.compression_search import Searched, SearchProgress
    from graphbuilder.blueprint import Document
    from graphbuilder.compression.budget import Budget
    from graphbuilder.compression.search_report import TrialFacts
    from graphbuilder.compression.search_space import Setting, Space
    from graphbuilder.graph import Graph

__all__ = ["SearchOptions", "best_files", "print_space", "run_search"]


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What is asked of a search.

    Arguments:
        trials: how many settings are run at most.
        minutes: after how many minutes no further trial is begun; None for no limit.
        patience: after how many trials that leave the front as it is the search ends; None for never.
        per_node: whether each layer that is pruned has a sparsity of its own.
    """

    trials: int = 30
    minutes: float | None = None
    patience: int | None = None
    per_node: bool = False


def print_space(file: Path, graph: Graph, budget: Budget, options: SearchOptions, output_format: OutputFormat) -> int:
    """Prints what `--search` would vary, and touches nothing.

    Arguments:
        file: the blueprint.
        graph: its graph, whose passes were checked.
        budget: what must be held.
        options: what is asked of the search.
        output_format: text or JSON.

    Raises:
        CommandError: nothing can vary, or nothing could meet the budget.
    """
    from graphbuilder.api import load
    from graphbuilder.compression.search_fit import refuse_hopeless
    from graphbuilder.compression.search_space import search_space
    from graphbuilder.text import to_json

    space = search_space(graph, load(file), per_node=options.per_node)
    refuse_hopeless(graph, space, budget)
    if output_format is OutputFormat.JSON:
        print_data(to_json(_space_data(space, graph, budget)))
        return 0
    for line in _space_lines(space, graph, budget, terminal_width()):
        print(line)
    return 0


def run_search(request: CompressionRequest, budget: Budget, options: SearchOptions, output_format: OutputFormat) -> int:
    """Searches, tells of every trial, and prints what was found.

    Arguments:
        request: the compression with the declared settings; its folder gets the results.
        budget: what must be held.
        options: what is asked of the search.
        output_format: text or JSON.

    Returns:
        0, or 1 where no trial holds the budget.

    Raises:
        GraphbuilderError: the search cannot be begun, or nothing of it can be run.
    """
    from graphbuilder.api import load
    from graphbuilder.backend.compression_search import search
    from graphbuilder.backend.compression_search_state import SearchState
    from graphbuilder.compression.search_space import search_space
    from graphbuilder.text import to_json

    document = load(request.blueprint)
    space = search_space(request.graph, document, per_node=options.per_node)
    # What cannot be written back is told before anything is trained.
    best_files(document, request, space.setting(space.smallest()))
    try:
        with progress(f"Searching settings for {request.graph.name}") as step:

            def tell(told: SearchProgress) -> None:
                if told.trial is not None:
                    milestone(_trial_line(told))
                    return
                what = "training the float model" if told.number == 0 else f"trial {told.number} of {told.of}"
                inner = told.inner
                detail = "" if inner is None else f": {inner.message}"
                step(f"{what}{detail}", (inner.done or 0) if inner else 0, (inner.total or 0) if inner else 0)

            found = search(
                request,
                space,
                budget,
                lambda setting: best_files(document, request, setting),
                trials=options.trials,
                timeout=None if options.minutes is None else 60 * options.minutes,
                patience=options.patience,
                progress=tell,
            )
    except KeyboardInterrupt:
        state = SearchState(request.folder)
        if state.exists():
            milestone(f"stopped; {state.path} keeps all trials: the same command with --resume goes on")
        raise
    if output_format is OutputFormat.JSON:
        print_data(to_json(found.report.model_dump(mode="json", exclude_none=True)))
    else:
        for line in _found_lines(found, terminal_width()):
            print(line)
    if found.best is None:
        print_diagnostics([_missed(found)])
        return 1
    return 0


def best_files(document: Document, request: CompressionRequest, setting: Setting) -> dict[str, bytes]:
    """best.yaml, or best.json, with a setting, and the files that it imports, by their relative paths.

    Arguments:
        document: the blueprint.
        request: with the params that were set; they become the defaults.
        setting: the values by their places.

    Raises:
        BlueprintError: the setting cannot be written into this text.
        InternalError: the text does not say what was tried.
    """
    from graphbuilder.api import check
    from graphbuilder.blueprint import parse_blueprint
    from graphbuilder.compression.search_space import apply
    from graphbuilder.editing.pass_settings import written

    text = written(document, setting, request.params)
    again = parse_blueprint(text, name=f"best.{document.source.syntax}", folder=request.blueprint.parent)
    checked = check(again)
    if not checked.ok:
        raise BlueprintError(checked.errors)
    wanted = [dict(one.options) for one in apply(request.graph.compression, setting)]
    found = [] if checked.graph is None else [dict(one.options) for one in checked.graph.compression]
    if found != wanted:
        raise InternalError(Diagnostic("GB900", "best.yaml would declare other passes than those that were tried"))
    return {f"best.{document.source.syntax}": text.encode(), **dict(_imports(document, request.blueprint.parent))}


def _imports(document: Document, folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files that a blueprint imports, by their paths within its folder; shipped blocks need no file."""
    root = folder.resolve()
    waiting, seen = list(document.imports.values()), set[Path]()
    while waiting:
        one = waiting.pop()
        waiting += one.imports.values()
        path = None if one.path is None else one.path.resolve()
        if path is not None and path not in seen and path.is_relative_to(root):
            seen.add(path)
            yield path.relative_to(root).as_posix(), path.read_bytes()


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items())


def _trial_line(told: SearchProgress) -> str:
    """One line on a trial that ended, with the best so far and the time that is left."""
    from graphbuilder.compression.report_text import bytes_text

    trial = told.trial
    assert trial is not None
    parts = [f"{told.number}/{told.of}  {_values(trial.values)}"]
    if trial.status == "done":
        held = "" if trial.held else ", misses the budget"
        metric = (trial.metric or "accuracy").partition(" of ")[0]
        parts.append(f"{metric} {trial.accuracy:.4f} (drop {trial.drop:.4f}){held}")
        parts.append(f"{bytes_text(trial.gzip)} ({trial.gzip_ratio:.1f}×)")
    else:
        parts.append(f"failed: {trial.reason}")
    if told.best is not None:
        parts.append(f"best {told.best.gzip_ratio:.1f}×")
    if told.seconds_left:
        parts.append(f"{duration(told.seconds_left)} left")
    return "  ".join(parts)


def _space_data(space: Space, graph: Graph, budget: Budget) -> dict[str, Any]:
    from graphbuilder.compression.search_fit import predicted_gzip

    sizes = {name: predicted_gzip(graph, space.setting(point)) for name, point in _points(space).items()}
    return {
        "model": graph.name,
        "dimensions": [
            {
                "name": one.name,
                "declared": one.declared,
                "places": [{"pass": place.number + 1, "path": list(place.path)} for place in one.places],
                **({"choices": list(one.choices)} if one.choices else {"low": one.low, "high": one.high}),
            }
            for one in space.dimensions
        ],
        "count": space.count,
        "budget": budget.bounds,
        "predicted_gzip": sizes,
    }


def _points(space: Space) -> dict[str, dict[str, int | float]]:
    return {"declared": space.declared(), "smallest": space.smallest()}


def _space_lines(space: Space, graph: Graph, budget: Budget, width: int) -> Iterator[str]:
    from graphbuilder.compression.budget import DEFAULT_DROP
    from graphbuilder.compression.report_text import bytes_text
    from graphbuilder.compression.search_fit import predicted_gzip

    yield bold("what is varied")
    rows = []
    for one in space.dimensions:
        passes = ", ".join(
            f"{place.number + 1}. {graph.compression[place.number].options['pass']}" for place in one.places
        )
        rows.append([one.name, passes, str(one), f"{one.declared:g}"])
    columns = [Column("setting", least=10), Column("pass", least=8), Column("values", least=10), Column("declared")]
    for line in layout(columns, rows, width - 2):
        yield f"  {line}"
    if space.count is not None:
        yield f"  {space.count} settings in all"
    yield ""
    yield bold("budget")
    bounds = budget.bounds or {"accuracy_drop": DEFAULT_DROP}
    for name, value in bounds.items():
        said = "" if budget.bounds else ", because nothing else is said"
        yield f"  {name} {value:g}{said}"
    yield ""
    yield bold("predicted after gzip")
    for name, point in _points(space).items():
        yield f"  {name} setting: {bytes_text(predicted_gzip(graph, space.setting(point)))}"


def _found_lines(found: Searched, width: int) -> Iterator[str]:
    """The front and the best as text."""
    from graphbuilder.compression.report_text import bytes_text

    report = found.report
    yield bold("the front: nothing else beats these in size and accuracy both")
    names = [one.name for one in report.dimensions]
    rows = [
        [
            f"{trial.number}{_verdict(trial, found)}",
            *(f"{trial.values[name]:g}" for name in names),
            bytes_text(trial.gzip),
            f"{trial.gzip_ratio:.1f}×",
            f"{trial.accuracy:.4f}",
            f"{trial.drop:.4f}",
        ]
        for trial in found.front
    ]
    columns = [
        Column("trial"),
        *(Column(name, right=True, least=6) for name in names),
        *(Column(title, right=True) for title in ("gzip", "smaller", "accuracy", "drop")),
    ]
    for line in layout(columns, rows, width - 2):
        yield f"  {line}"
    failed = sum(trial.status == "failed" for trial in found.trials)
    yield ""
    yield f"ended because {report.stopped}" + (f"; {failed} of them failed" if failed else "")
    if found.best is not None:
        yield f"best is trial {found.best.number}: {_values(found.best.values)}"
    yield f"{found.folder}: {', '.join(sorted(path.name for path in found.folder.iterdir()))}"


def _verdict(trial: TrialFacts, found: Searched) -> str:
    if found.best is not None and trial.number == found.best.number:
        return " best"
    return "" if trial.held else " missed"


def _missed(found: Searched) -> Diagnostic:
    """What is said where no trial holds the budget."""
    nearest = found.report.trial(found.report.nearest)
    bounds = ", ".join(f"{name} {value:g}" for name, value in found.report.bounds.items())
    ran = sum(trial.status != "skipped" for trial in found.trials)
    message = f"none of {ran} trials holds the budget ({bounds})"
    if nearest is not None:
        missed = [facts for facts in nearest.budget if not facts.held]
        told = ", ".join(
            f"{facts.name} {facts.found:.3g}" if facts.found is not None else f"{facts.name} unmeasured"
            for facts in missed
        )
        message += f"; trial {nearest.number} misses it by least: {told}"
    hint = "give it more --trials, widen what is searched with `search:`, let passes train longer, or ask for less"
    return Diagnostic("GB843", message, hint=hint)
