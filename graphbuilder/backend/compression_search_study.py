"""What a search asks Optuna for: proposals of settings, and a journal of what came of them. No TensorFlow here.

The journal is a line of JSON for everything that happens. Reading it makes numbers, strings and three known kinds of
distributions of it, and nothing else: Optuna's pickles belong to snapshots, which a journal in a file has not.

Some proposals come of the tree-structured Parzen estimator for several objectives under constraints (Bergstra et al.
2011, https://papers.nips.cc/paper/4443; Ozaki et al. 2022, https://doi.org/10.1613/jair.1.13188), the others of
`compression_search_model`, which knows what the estimator cannot be told: the sizes of settings that were never tried.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from graphbuilder.backend.compression_search_model import Predicted, drawn, most_promising
from graphbuilder.compression.search_report import TrialFacts, violation
from graphbuilder.compression.search_space import Dimension, Space
from graphbuilder.errors import BlueprintError, Diagnostic, MissingError

if TYPE_CHECKING:
    import optuna

__all__ = ["Proposal", "Study", "require_optuna"]

# Trials before there is anything to learn from; they are drawn evenly.
_STARTUP = 6
# Of so many trials one is proposed by the estimator, which looks along the whole front and trusts no prediction; the
# others are those of many that promise most.
_TURN = 3
_CANDIDATES = 128
# Bytes after gzip, and the drop.
_DIRECTIONS: tuple[Literal["minimize"], ...] = ("minimize", "minimize")
# A prime, so that the proposals of neighbouring seeds have none in common.
_STRIDE = 1_000_003


@dataclass(frozen=True, slots=True)
class Proposal:
    """A setting to be tried.

    Arguments:
        number: its place in the journal, from 1.
        values: the setting, by the names of the dimensions.
    """

    number: int
    values: dict[str, int | float]


class Study:
    """The journal of a search, and who proposes its settings.

    A trial is written down when it has ended, as one line. Each proposal is seeded by its number and made from the
    lines above it, so that a search that was killed proposes again what it had proposed.

    Arguments:
        journal: a file, which is made where there is none. Nobody else may write it meanwhile.
        space: what may vary.
        seed: fixes the proposals.
        predicted: tells the bytes after gzip that are predicted of a setting.
        allowed: the drop that may be; all smaller ones are alike to the optimizer, which looks for small files among
            them. None where every drop counts.

    Raises:
        BlueprintError: the journal cannot be read.
        MissingError: Optuna is not installed.
    """

    def __init__(
        self, journal: Path, space: Space, seed: int, predicted: Predicted, allowed: float | None = None
    ) -> None:
        self.space = space
        self.seed = seed
        self.predicted = predicted
        self.allowed = allowed
        self._study = _opened(journal)
        self._outcomes = _outcomes(self._study, journal)

    @property
    def outcomes(self) -> list[TrialFacts]:
        """What came of the trials so far, in their order."""
        return list(self._outcomes)

    def propose(self) -> Proposal:
        """The next setting; the first is what is declared."""
        import optuna

        known = self._study.get_trials(deepcopy=False)
        if not known:
            return Proposal(1, self.space.declared())
        number = len(known) + 1
        ran = [trial for trial in self._outcomes if trial.status != "skipped"]
        if len(ran) >= _STARTUP and number % _TURN and any(trial.status == "done" for trial in ran):
            tried = [trial.values for trial in self._outcomes]
            candidates = [one for one in drawn(self.space, _CANDIDATES, (self.seed, number)) if one not in tried]
            if candidates:
                return Proposal(number, most_promising(candidates, ran, self.space, self.predicted, self.allowed))
        sampler = optuna.samplers.TPESampler(
            seed=(self.seed * _STRIDE + number) % 2**32, n_startup_trials=_STARTUP, multivariate=True
        )
        # In memory, because in the journal a kill could leave half a proposal.
        copied = optuna.create_study(directions=_DIRECTIONS, sampler=sampler)
        copied.add_trials(known)
        raw = copied.ask(fixed_distributions=self._distributions()).params
        return Proposal(number, {one.name: one.value(raw[one.name]) for one in self.space.dimensions})

    def record(self, facts: TrialFacts) -> None:
        """Writes down what came of the last proposal.

        Arguments:
            facts: of that proposal; one that is not done teaches the optimizer nothing.
        """
        import optuna

        states = optuna.trial.TrialState
        costs = None
        if facts.status == "done":
            size, drop = facts.costs
            costs = [size, drop if self.allowed is None else max(drop, self.allowed)]
        trial = optuna.trial.create_trial(
            state=states.FAIL if costs is None else states.COMPLETE,
            values=costs,
            params={one.name: self._raw(one, facts.values[one.name]) for one in self.space.dimensions},
            distributions=self._distributions(),
            user_attrs={"outcome": facts.model_dump(mode="json", exclude_none=True)},
            constraints={bound.name: violation(bound) for bound in facts.budget},
        )
        self._study.add_trial(trial)
        self._outcomes.append(facts)

    def drop(self) -> None:
        """Passes over the last proposal, because the setting was tried already."""
        import optuna

        self._study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))

    @staticmethod
    def _raw(dimension: Dimension, value: int | float) -> int | float:
        raw = dimension.raw(value)
        return int(raw) if dimension.choices else raw

    def _distributions(self) -> dict[str, optuna.distributions.BaseDistribution]:
        """What Optuna draws each dimension from: choices by their index, because they are in order."""
        from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

        found: dict[str, BaseDistribution] = {}
        for one in self.space.dimensions:
            low, high = one.bounds
            if one.choices:
                found[one.name] = IntDistribution(int(low), int(high))
            else:
                found[one.name] = FloatDistribution(low, high, log=one.scale != "value")
        return found


def require_optuna() -> None:
    """Makes sure that Optuna is there, and silent but for warnings.

    Raises:
        MissingError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        message = "searching for settings needs Optuna, which is not installed"
        raise MissingError(Diagnostic("GB604", message, hint="pip install graphbuilder[search]")) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _opened(journal: Path) -> optuna.Study:
    require_optuna()
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    class Alone(JournalFileOpenLock):
        """No lock: the search holds one for as long as it lasts, and Optuna's own would outlive a kill."""

        def acquire(self) -> bool:
            return True

        def release(self) -> None:
            return None

    _mend(journal)
    try:
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(journal), lock_obj=Alone(str(journal))))
        return optuna.create_study(study_name="search", storage=storage, directions=_DIRECTIONS, load_if_exists=True)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        raise _unreadable(journal, error) from error


def _outcomes(study: optuna.Study, journal: Path) -> list[TrialFacts]:
    """What the lines of a journal say of trials.

    Raises:
        BlueprintError: they say something else.
    """
    try:
        attributes = [known.user_attrs for known in study.get_trials(deepcopy=False)]
        return [TrialFacts.model_validate(each["outcome"]) for each in attributes if "outcome" in each]
    except ValidationError as error:
        raise _unreadable(journal, error) from error


def _unreadable(journal: Path, error: Exception) -> BlueprintError:
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    message = f"the journal of the search cannot be read: {reason}"
    return BlueprintError(Diagnostic("GB723", message, file=str(journal), hint="--force begins anew"))


def _mend(journal: Path) -> None:
    """Takes away the line that a killed process has not finished: what it told has not happened."""
    if not journal.is_file():
        return
    with journal.open("rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
            file.flush()
            os.fsync(file.fileno())
