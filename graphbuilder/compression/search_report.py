"""What a search for settings found, as data that is written to `search.json` and loads again; which trials are best."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphbuilder.compression.budget import Budget
from graphbuilder.compression.report import BudgetFacts, Report
from graphbuilder.errors import BlueprintError, Diagnostic

__all__ = [
    "SEARCH_VERSION",
    "DimensionFacts",
    "SearchReport",
    "TrialFacts",
    "best_of",
    "load_search",
    "nearest_of",
    "pareto_front",
    "save_search",
    "trial_facts",
    "violation",
]

# Raised when a field changes its meaning or goes; a new field with a default does not raise it.
SEARCH_VERSION: Literal[1] = 1

# A bound of 0 is missed by a point of a hundred as by the whole of itself.
_LEAST_BOUND = 0.01


class _Part(BaseModel):
    """What all parts have in common. Fields of a later version are let be."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class DimensionFacts(_Part):
    """A number that was varied.

    Arguments:
        name: what people call it.
        values: those that it could have, in words.
        declared: that of the blueprint.
    """

    name: str
    values: str
    declared: int | float


class TrialFacts(_Part):
    """One setting, and what came of it.

    Arguments:
        number: its place among the trials, from 1; number 1 has the settings that are declared.
        values: the setting, by the names of the dimensions.
        status: done; failed, because a pass, a conversion or a worker did; or skipped before it was begun.
        reason: why it failed or was skipped, in a sentence without a full stop.
        gzip: bytes of the .tflite file after gzip.
        raw: its bytes.
        gzip_ratio: how many times smaller than the float .tflite file it is, both after gzip.
        metric: what tells how good it is, such as `accuracy of scores`.
        accuracy: that, in the TFLite runtime.
        drop: by how much it is worse than the float .tflite file; below 0 where it is better.
        latency_ms: the median of one call.
        seconds: how long the trial took.
        budget: the bounds that it was judged by.
    """

    number: int
    values: dict[str, int | float]
    status: Literal["done", "failed", "skipped"]
    reason: str | None = None
    gzip: int | None = None
    raw: int | None = None
    gzip_ratio: float | None = None
    metric: str | None = None
    accuracy: float | None = None
    drop: float | None = None
    latency_ms: float | None = None
    seconds: float = 0.0
    budget: tuple[BudgetFacts, ...] = ()

    @property
    def held(self) -> bool:
        """Whether it was measured and holds every bound."""
        return self.status == "done" and all(facts.held for facts in self.budget)

    @property
    def costs(self) -> tuple[float, float]:
        """What is minimized: bytes after gzip, and the drop. Of trials that are done."""
        assert self.gzip is not None
        assert self.drop is not None
        return self.gzip, self.drop


class SearchReport(_Part):
    """What a search found.

    Arguments:
        schema_version: of this format.
        name: the model's.
        blueprint: the file that declared it.
        versions: of graphbuilder and the libraries, by name.
        seed: what the search and each trial were seeded with.
        dimensions: what was varied.
        bounds: the budget.
        trials: in the order in which they ran.
        front: the numbers of those that nothing else beats in size and accuracy both, the smallest first.
        best: the number of the best that holds the budget, or None.
        nearest: the number of the one whose files stand beside this report: the best, or else what misses least.
        stopped: why the search ended, in a clause.
    """

    schema_version: Literal[1] = SEARCH_VERSION
    name: str
    blueprint: str | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    seed: int = 0
    dimensions: tuple[DimensionFacts, ...]
    bounds: dict[str, float] = Field(default_factory=dict)
    trials: tuple[TrialFacts, ...]
    front: tuple[int, ...]
    best: int | None = None
    nearest: int | None = None
    stopped: str

    def trial(self, number: int | None) -> TrialFacts | None:
        """The trial of a number."""
        return next((trial for trial in self.trials if trial.number == number), None)


def trial_facts(
    number: int, values: dict[str, int | float], report: Report, budget: Budget, seconds: float
) -> TrialFacts:
    """What a compression that ran says of its setting.

    Arguments:
        number: the trial's.
        values: its setting.
        report: what the compression did.
        budget: what it is judged by.
        seconds: how long it took.
    """
    before, after = report.stages[0], report.stages[-1]
    first, last = before.artifact(), after.artifact()
    (judged,) = Budget(accuracy_drop=0.0).judged(report)
    measured = after.accuracy[0] if after.accuracy else None
    return TrialFacts(
        number=number,
        values=values,
        status="done",
        gzip=None if last is None else last.gzip,
        raw=None if last is None else last.raw,
        gzip_ratio=None if first is None or last is None else first.gzip / last.gzip,
        metric=None if measured is None else f"{measured.metric} of {measured.output}",
        accuracy=None if measured is None else measured.lite,
        drop=judged.found,
        latency_ms=None if after.latency is None else after.latency.median,
        seconds=seconds,
        budget=budget.judged(report),
    )


def pareto_front(trials: Iterable[TrialFacts]) -> tuple[TrialFacts, ...]:
    """The trials that no other beats in size and accuracy both, the smallest first; of equals the earliest.

    Arguments:
        trials: any; those that are not done are passed over.
    """
    front: list[TrialFacts] = []
    for trial in sorted((one for one in trials if one.status == "done"), key=lambda one: (*one.costs, one.number)):
        if not front or trial.costs[1] < front[-1].costs[1]:
            front.append(trial)
    return tuple(front)


def best_of(trials: Iterable[TrialFacts], budget: Budget) -> TrialFacts | None:
    """The best trial that holds the budget: the smallest where the drop is bounded, else the most accurate.

    Arguments:
        trials: any.
        budget: what they were judged by.
    """
    held = [trial for trial in trials if trial.held]
    if budget.accuracy_drop is not None:
        return min(held, key=lambda trial: (*trial.costs, trial.number), default=None)
    return min(held, key=lambda trial: (*reversed(trial.costs), trial.number), default=None)


def nearest_of(trials: Iterable[TrialFacts]) -> TrialFacts | None:
    """The trial that misses the budget by least."""
    done = [trial for trial in trials if trial.status == "done"]
    return min(done, key=lambda trial: (sum(map(violation, trial.budget)), *trial.costs), default=None)


def violation(facts: BudgetFacts) -> float:
    """By how much a bound is missed, as a share of it; 0 where it is held, and 1 where it was not measured.

    Example:
        >>> violation(BudgetFacts(name="gzip_ratio", asked=20, found=16, held=False))
        0.25
    """
    if facts.held:
        return 0.0
    if facts.found is None:
        return 1.0
    if facts.name.endswith("_ratio"):
        return facts.asked / facts.found - 1
    return (facts.found - facts.asked) / max(facts.asked, _LEAST_BOUND)


def save_search(report: SearchReport, path: Path) -> Path:
    """Writes `search.json`, whole or not at all; the same report gives the same bytes."""
    text = json.dumps(report.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False) + "\n"
    made = path.with_name(f".{path.name}.part")
    made.write_text(text, encoding="utf-8")
    made.replace(path)
    return path


def load_search(path: Path) -> SearchReport:
    """Reads what a search found.

    Raises:
        BlueprintError: it cannot be read, is of a later version, or is something else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version = data.get("schema_version") if isinstance(data, dict) else None
        if version != SEARCH_VERSION:
            raise ValueError(f"it is of version {version}, and this graphbuilder reads {SEARCH_VERSION}")
        return SearchReport.model_validate(data)
    except (OSError, ValueError, ValidationError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BlueprintError(Diagnostic("GB817", f"{path} cannot be read: {reason}")) from error
