"""Writes what a search found: the files of the best trial, best.yaml, search.json and search.html."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from graphbuilder.backend.compression_run import CompressionRequest
from graphbuilder.backend.compression_search_state import SearchState
from graphbuilder.compression.budget import Budget
from graphbuilder.compression.search_html import save_search_html
from graphbuilder.compression.search_report import (
    DimensionFacts,
    SearchReport,
    TrialFacts,
    best_of,
    nearest_of,
    pareto_front,
    save_search,
)
from graphbuilder.compression.search_space import Setting, Space
from graphbuilder.errors import Diagnostic, MissingError

__all__ = ["Written", "search_report", "write_search"]

# What gives best.yaml for a setting, and the files that must stand beside it, by their relative paths.
Written: TypeAlias = Callable[[Setting], Mapping[str, bytes]]


def search_report(
    request: CompressionRequest, space: Space, budget: Budget, trials: Sequence[TrialFacts], stopped: str
) -> SearchReport:
    """What search.json and search.html say.

    Arguments:
        request: the compression whose settings were searched.
        space: what was varied.
        budget: what was to be held.
        trials: in the order in which they ran.
        stopped: why the search ended, in a clause.
    """
    best = best_of(trials, budget)
    nearest = best or nearest_of(trials)
    return SearchReport(
        name=request.graph.name,
        blueprint=request.blueprint.name,
        versions={name: importlib.metadata.version(name) for name in ("graphbuilder", "optuna")},
        seed=request.seed,
        dimensions=tuple(
            DimensionFacts(name=one.name, values=str(one), declared=one.declared) for one in space.dimensions
        ),
        bounds=budget.bounds,
        trials=tuple(trials),
        front=tuple(trial.number for trial in pareto_front(trials)),
        best=None if best is None else best.number,
        nearest=None if nearest is None else nearest.number,
        stopped=stopped,
    )


def write_search(report: SearchReport, folder: Path, state: SearchState, space: Space, written: Written) -> None:
    """Makes the folder beside its place and then renames it, so that it appears whole or not at all.

    Arguments:
        report: what the search found.
        folder: where to.
        state: the state of the search, with the files of its trials.
        space: what was varied.
        written: gives best.yaml.

    Raises:
        MissingError: it cannot be written.
    """
    made = state.path / "output"
    chosen = report.trial(report.nearest)
    try:
        shutil.rmtree(made, ignore_errors=True)
        if chosen is None:
            made.mkdir()
        else:
            shutil.copytree(state.trial(chosen.number), made)
            for name, content in written(space.setting(chosen.values)).items():
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                (made / name).write_bytes(content)
        save_search(report, made / "search.json")
        save_search_html(report, made / "search.html")
        if folder.exists() and any(folder.iterdir()):
            shutil.rmtree(state.path / "replaced", ignore_errors=True)
            folder.replace(state.path / "replaced")
        # An empty folder that stands there gives way.
        made.replace(folder)
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror or error}"
        hint = "all trials are kept; --resume writes it once that is mended"
        raise MissingError(Diagnostic("GB602", message, hint=hint)) from error
