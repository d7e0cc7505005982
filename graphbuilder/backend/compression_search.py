"""Searches the settings of declared passes: many compressions of one trained model, of which the best is kept.

What is minimized is the .tflite file's size after gzip and the loss of accuracy in the TFLite runtime; the budget's
bounds are constraints. A search that was killed goes on as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from graphbuilder.backend.compression_run import Compressed, CompressionRequest
from graphbuilder.backend.compression_run import compress as run_compression
from graphbuilder.backend.compression_run import train_first as run_first
from graphbuilder.backend.compression_search_state import SearchState
from graphbuilder.backend.compression_search_study import Proposal, Study, require_optuna
from graphbuilder.backend.compression_search_writing import Written, search_report, write_search
from graphbuilder.backend.fitting_state import model_fingerprint
from graphbuilder.backend.worker_deaths import WorkerError
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.compression.budget import DEFAULT_DROP, Budget
from graphbuilder.compression.report import Report, load_report
from graphbuilder.compression.search_fit import predicted_gzip, refusal, refuse_hopeless
from graphbuilder.compression.search_report import (
    SearchReport,
    TrialFacts,
    best_of,
    nearest_of,
    pareto_front,
    trial_facts,
)
from graphbuilder.compression.search_space import Space, apply
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic

__all__ = ["SearchProgress", "Searched", "search"]

Number: TypeAlias = "int | float"

# Proposals in a row that are not worth a run before the space counts as exhausted.
_MOST_REFUSED = 200
# So many failures and no success say that it is not the settings.
_MOST_FAILED = 3


@dataclass(frozen=True, slots=True)
class SearchProgress:
    """How far a search is.

    Arguments:
        number: the trial, from 1; 0 while the float model is trained.
        of: how many there will be at most.
        values: its setting, by the names of the dimensions.
        trial: what came of it; None while it is under way.
        best: the best trial so far that holds the budget.
        seconds_left: how long the rest will take, as far as can be told.
        inner: what is being done at this moment.
    """

    number: int
    of: int
    values: Mapping[str, Number]
    trial: TrialFacts | None = None
    best: TrialFacts | None = None
    seconds_left: float | None = None
    inner: Progress | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search gave.

    Arguments:
        folder: where its files stand.
        report: what search.json and search.html say.
        best: the best trial that holds the budget, or None.
        front: the trials that nothing else beats in size and accuracy both, the smallest first.
        trials: all of them, in the order in which they ran.
    """

    folder: Path
    report: SearchReport
    best: TrialFacts | None
    front: tuple[TrialFacts, ...]
    trials: tuple[TrialFacts, ...]


def search(
    request: CompressionRequest,
    space: Space,
    budget: Budget,
    written: Written,
    *,
    trials: int = 30,
    timeout: float | None = None,
    patience: int | None = None,
    progress: Callable[[SearchProgress], None] | None = None,
    compress: Callable[..., Compressed] | None = None,
    train_first: Callable[..., Path] | None = None,
) -> Searched:
    """Tries settings of the declared passes, and writes the folder of the best.

    Arguments:
        request: the compression with the declared settings, which are the first trial; its folder gets the results.
        space: what may vary.
        budget: what must be held; without any bound, the drop may be at most `DEFAULT_DROP`.
        written: gives best.yaml.
        trials: how many settings are run at most, those of an interrupted search that is resumed included.
        timeout: the seconds after which no further trial is begun.
        patience: how many trials in a row may leave the front as it is before the search ends; None for any number.
        progress: told how far it is.
        compress: runs one trial; None for `compression_run.compress`.
        train_first: trains the float model that all trials start from; None for `compression_run.train_first`.

    Raises:
        GraphbuilderError: the search cannot be begun or resumed, the data does not fit, the float model cannot be
            trained, no setting can be run at all, or a worker was stopped from outside.
    """
    require_optuna()
    budget = budget if budget.bounds else replace(budget, accuracy_drop=DEFAULT_DROP)
    refuse_hopeless(request.graph, space, budget)
    state = SearchState(request.folder)
    _refuse_existing(request, state)
    with state.alone():
        state.begin(_settings(request, space, budget))
        running = _Search(
            request, space, budget, state, compress or run_compression, trials, timeout, patience, progress
        )
        stopped = running.run(train_first or run_first)
        report = search_report(request, space, budget, running.trials, stopped)
        write_search(report, request.folder, state, space, written)
        state.remove()
    found = tuple(running.trials)
    return Searched(request.folder, report, best_of(found, budget), pareto_front(found), found)


def _refuse_existing(request: CompressionRequest, state: SearchState) -> None:
    """Refuses to write over what is not an earlier search's, and to forget an interrupted search unasked.

    Raises:
        CommandError: the folder is taken, or a search is kept and it is not said what becomes of it.
    """
    folder = request.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        replaceable = (folder / "search.json").is_file()
        if not (replaceable and request.force):
            hint = "name a folder that does not exist yet" + (", or --force to replace it" if replaceable else "")
            raise CommandError(Diagnostic("GB601", f"{folder} exists already and is not empty", hint=hint))
    if state.exists() and request.force and not request.resume:
        with state.alone():
            state.remove()
    elif state.exists() and not request.resume:
        message = f"{state.path} keeps a search that was interrupted"
        raise CommandError(Diagnostic("GB601", message, hint="--resume goes on with it, --force begins anew"))


def _settings(request: CompressionRequest, space: Space, budget: Budget) -> dict[str, Any]:
    """What must be the same for a search to go on."""
    return {
        "the model": model_fingerprint(request.graph),
        "the passes": [dict(one.options) for one in request.graph.compression],
        "what is varied": [[one.name, one.declared, str(one)] for one in space.dimensions],
        "the budget": budget.bounds,
        "data": request.data,
        "seed": request.seed,
        "epochs": request.epochs,
        "weights": None if request.weights is None else str(request.weights.resolve()),
    }


@dataclass(slots=True)
class _Search:
    """One search while it runs."""

    request: CompressionRequest
    space: Space
    budget: Budget
    state: SearchState
    compress: Callable[..., Compressed]
    most: int
    timeout: float | None
    patience: int | None
    progress: Callable[[SearchProgress], None] | None
    trials: list[TrialFacts] = field(default_factory=list)
    sizes: dict[Any, int] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    @property
    def ran(self) -> list[TrialFacts]:
        """The trials that were run."""
        return [trial for trial in self.trials if trial.status != "skipped"]

    def run(self, train_first: Callable[..., Path]) -> str:
        """Runs trials until something ends the search; says what."""
        allowed = self.budget.accuracy_drop
        study = Study(self.state.journal, self.space, self.request.seed, self._predicted, allowed)
        self.trials.extend(study.outcomes)
        request = replace(self.request, folder=self.state.first, resume=True, force=False)
        try:
            first = train_first(request, progress=lambda told: self._tell({}, inner=told))
        except BlueprintError:
            if not self.trials:
                # Nothing was gained that a search with better data could go on with.
                self.state.remove()
            raise
        refused = 0
        while True:
            stopped = self._stopped(refused)
            if stopped is not None:
                return stopped
            proposal = study.propose()
            values = proposal.values
            if any(trial.values == values for trial in self.trials):
                refused += 1
                study.drop()
                continue
            # The declared setting is run whatever size is predicted of it, for all others to be compared with.
            setting = self.space.setting(values)
            reason = refusal(self.request.graph, setting, self.budget, judged=bool(self.trials))
            if reason is not None:
                refused += 1
                facts = TrialFacts(number=proposal.number, values=values, status="skipped", reason=reason)
                study.record(facts)
                self.trials.append(facts)
                continue
            refused = 0
            facts = self._facts(proposal, first)
            study.record(facts)
            self.trials.append(facts)
            self._tidy()
            self._tell(values, facts)

    def _predicted(self, values: Mapping[str, Number]) -> int:
        """The bytes after gzip that are predicted of a setting."""
        known = tuple(values.items())
        if known not in self.sizes:
            self.sizes[known] = predicted_gzip(self.request.graph, self.space.setting(values))
        return self.sizes[known]

    def _stopped(self, refused: int) -> str | None:
        """Why no further trial is begun, if so."""
        ran = self.ran
        if len(ran) >= self.most:
            return f"{len(ran)} trials are done"
        if self.timeout is not None and ran and time.monotonic() - self.begun >= self.timeout:
            return "the time was over"
        tried = {tuple(trial.values.items()) for trial in self.trials}
        if refused >= _MOST_REFUSED or (self.space.count is not None and len(tried) >= self.space.count):
            return "no setting is left that is worth a trial"
        if self.patience is not None and len(ran) > self.patience:
            before = pareto_front(ran[: -self.patience])
            if before and pareto_front(ran) == before:
                return f"{self.patience} trials have not moved the front"
        failed = [trial for trial in ran if trial.status == "failed"]
        if len(failed) == len(ran) >= _MOST_FAILED:
            message = f"the first {len(failed)} trials failed, the last because {failed[-1].reason}"
            raise BlueprintError(Diagnostic("GB843", message, hint="run it without --search first"))
        return None

    def _facts(self, proposal: Proposal, first: Path) -> TrialFacts:
        """What comes of a setting.

        Raises:
            GraphbuilderError: what went wrong is not the setting's fault.
        """
        number, values = proposal.number, proposal.values
        begun = time.monotonic()
        self._tell(values)
        try:
            report = self._report(number, values, first)
        except (BlueprintError, WorkerError) as error:
            if isinstance(error, WorkerError) and any(found.code == "GB804" for found in error.diagnostics):
                raise
            reason = error.diagnostics[0].message
            self.state.forget(number)
            spent = time.monotonic() - begun
            return TrialFacts(number=number, values=values, status="failed", reason=reason, seconds=spent)
        facts = trial_facts(number, values, report, self.budget, time.monotonic() - begun)
        if facts.drop is None and not report.stages[0].accuracy:
            message = "no output is judged by a metric in the TFLite runtime, so nothing tells what a setting costs"
            hint = "give training: a loss that can be judged, such as sparse_categorical_crossentropy or mse"
            raise BlueprintError(Diagnostic("GB842", message, hint=hint))
        if facts.gzip is not None and facts.drop is not None and math.isfinite(facts.drop):
            return facts
        reason = "it cannot be converted" if facts.gzip is None else f"its drop is {facts.drop}"
        self.state.forget(number)
        return TrialFacts(number=number, values=values, status="failed", reason=reason, seconds=facts.seconds)

    def _report(self, number: int, values: Mapping[str, Number], first: Path) -> Report:
        """Runs a setting, or reads what a run of it has written before the search was killed.

        Raises:
            GraphbuilderError: it cannot be run.
        """
        folder = self.state.trial(number)
        if (folder / "report.json").is_file():
            return load_report(folder / "report.json")
        graph = self.request.graph
        passes = apply(graph.compression, self.space.setting(values))
        request = replace(
            self.request,
            graph=replace(graph, compression=passes),
            folder=folder,
            first=first,
            resume=True,
            force=False,
            every_stage=False,
            budget=self.budget,
        )
        done = self.compress(request, progress=lambda told: self._tell(values, inner=told))
        if done.problems and done.report.stages[-1].artifact() is None:
            raise BlueprintError(done.problems)
        return done.report

    def _tidy(self) -> None:
        """Removes the files of trials that others have beaten."""
        chosen = best_of(self.trials, self.budget) or nearest_of(self.trials)
        wanted = {one.number for one in (*pareto_front(self.trials), chosen) if one is not None}
        for other in self.trials:
            if other.status == "done" and other.number not in wanted:
                self.state.forget(other.number)

    def _tell(
        self, values: Mapping[str, Number], trial: TrialFacts | None = None, inner: Progress | None = None
    ) -> None:
        if self.progress is None:
            return
        ran = self.ran
        number = len(ran) if trial is not None else len(ran) + bool(values)
        best = best_of(self.trials, self.budget)
        self.progress(SearchProgress(number, self.most, values, trial, best, self._seconds_left(), inner))

    def _seconds_left(self) -> float | None:
        """How long the rest will take if trials go on taking as long as they did."""
        ran = self.ran
        if not ran:
            return None
        left = sum(trial.seconds for trial in ran) / len(ran) * (self.most - len(ran))
        if self.timeout is None:
            return left
        return max(0.0, min(left, self.timeout - (time.monotonic() - self.begun)))
