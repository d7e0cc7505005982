"""Samples in an order that a seed fixes: sources, the parts into which they are divided, and their batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

from graphbuilder.data.faults import counted
from graphbuilder.data.wants import Wants
from graphbuilder.errors import BlueprintError, Diagnostic

if TYPE_CHECKING:
    import numpy

__all__ = ["PURPOSES", "ArraySource", "Arrays", "Batch", "Data", "IndexedPart", "Part", "Pieces", "Source"]

# What each part is for, as messages say it.
PURPOSES = {"train": "to train on", "validation": "to validate with", "test": "to test with"}

# Arrays by the names of inputs or outputs.
Arrays: TypeAlias = "Mapping[str, numpy.ndarray]"
# Inputs and targets of some samples.
Batch: TypeAlias = "tuple[Arrays, Arrays]"


class Source(Protocol):
    """Samples that can be read in any order."""

    @property
    def count(self) -> int:
        """How many samples there are."""

    def read(self, indices: numpy.ndarray) -> Batch:
        """The samples of these indices, in that order."""

    def arrays(self) -> Batch | None:
        """All samples at once, where they lie in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class ArraySource:
    """Samples in memory.

    Arguments:
        inputs: an array for each input.
        outputs: an array for each output.
    """

    inputs: Arrays
    outputs: Arrays

    @property
    def count(self) -> int:
        """How many samples there are."""
        return len(next(iter(self.inputs.values())))

    def read(self, indices: numpy.ndarray) -> Batch:
        """The samples of these indices, in that order."""
        return (
            {name: array[indices] for name, array in self.inputs.items()},
            {name: array[indices] for name, array in self.outputs.items()},
        )

    def arrays(self) -> Batch | None:
        """All samples."""
        return self.inputs, self.outputs


@dataclass(frozen=True, slots=True)
class Pieces:
    """Which pieces of every batch one process takes, when several train together.

    Arguments:
        first: the first of its pieces.
        taken: how many are its own.
        total: into how many pieces a batch is cut.
    """

    first: int
    taken: int
    total: int


class Part(ABC):
    """Samples for one purpose: to train on, to validate with, to test with."""

    @property
    @abstractmethod
    def count(self) -> int | None:
        """How many samples there are, or None where that shows only when they are read."""

    @abstractmethod
    def batches(
        self,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        epoch: int = 0,
        pieces: Pieces | None = None,
    ) -> Iterator[Batch]:
        """The samples once, in batches.

        Arguments:
            batch_size: samples in one batch; the last may be smaller.
            shuffle: whether they come in another order in every epoch.
            seed: fixes these orders.
            epoch: the number of the epoch, from 0.
            pieces: which pieces of each batch are given, one after the other; an incomplete last batch is then left
                out, so that all pieces are alike.
        """

    def steps(self, batch_size: int, *, whole: bool = False) -> int | None:
        """How many batches there are.

        Arguments:
            batch_size: samples in one batch.
            whole: whether an incomplete last one is left out.
        """
        if self.count is None:
            return None
        return self.count // batch_size if whole else -(-self.count // batch_size)

    def samples(self, count: int, seed: int = 0) -> Iterator[Arrays]:
        """Representative inputs, one sample at a time with a batch axis of 1, as calibration wants them.

        Arguments:
            count: how many at most.
            seed: fixes which.
        """
        for given, (inputs, _) in enumerate(self.batches(1, shuffle=True, seed=seed)):
            if given == count:
                return
            yield inputs

    def arrays(self) -> Batch | None:
        """All samples at once in their own order, where they lie in memory."""
        return None


class IndexedPart(Part):
    """Some samples of a source that can be read in any order.

    Arguments:
        source: all samples.
        indices: which of them, in their own order; all when left out.
    """

    def __init__(self, source: Source, indices: numpy.ndarray | None = None) -> None:
        import numpy as np

        self.source = source
        self.indices = np.arange(source.count) if indices is None else indices

    @property
    def count(self) -> int:
        return len(self.indices)

    def batches(
        self,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        epoch: int = 0,
        pieces: Pieces | None = None,
    ) -> Iterator[Batch]:
        import numpy as np

        order = self.indices
        if shuffle:
            # Seeded by the epoch as well, so that a training that goes on after a break meets the same order.
            order = np.random.default_rng([seed, epoch]).permutation(order)
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            if pieces is None:
                yield self.source.read(chosen)
                continue
            if len(chosen) < batch_size:
                return
            size = batch_size // pieces.total
            for piece in range(pieces.first, pieces.first + pieces.taken):
                yield self.source.read(chosen[piece * size : (piece + 1) * size])

    def arrays(self) -> Batch | None:
        held = self.source.arrays()
        if held is None:
            return None
        if len(self.indices) == self.source.count:
            return held
        return self.source.read(self.indices)

    def divided(self, fraction: float, seed: int) -> tuple[IndexedPart, IndexedPart]:
        """This part without some samples, and those, drawn by the seed; each keeps the samples' own order.

        Arguments:
            fraction: how many go into the second part, as a share of all.
            seed: fixes which.
        """
        import numpy as np

        away = round(len(self.indices) * fraction)
        drawn = np.random.default_rng([seed, 0x5EED]).permutation(len(self.indices))
        kept, taken = np.sort(drawn[away:]), np.sort(drawn[:away])
        return IndexedPart(self.source, self.indices[kept]), IndexedPart(self.source, self.indices[taken])


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """What a model is trained and tested with.

    Arguments:
        name: what messages call it: the file, as the user gave it.
        wants: what the graph needs, which this fulfils.
        train: the samples to train on.
        validation: the samples that are looked at after each epoch, if some were set apart.
        test: the samples that are kept for the end, if some were set apart.
        vocabularies: the words behind ids, by the name of the input or output: the class names of the labels.
        fingerprint: changes when the data does.
        facts: what was read and how, a sentence each.
        warnings: what is odd and stops nothing.
    """

    name: str
    wants: Wants
    train: Part
    validation: Part | None = None
    test: Part | None = None
    vocabularies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fingerprint: str = ""
    facts: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def count(self) -> int | None:
        """How many samples there are in all parts, or None where that is not known."""
        counts = [part.count for part in (self.train, self.validation, self.test) if part is not None]
        return None if None in counts else sum(count for count in counts if count is not None)

    def with_validation(self, fraction: float, seed: int) -> Data:
        """The same data with a fraction of the training samples set apart, unless some are already.

        Arguments:
            fraction: the share of the training samples, from 0 to less than 1.
            seed: fixes which.

        Raises:
            BlueprintError: the samples can only be read in their own order.
        """
        if self.validation is not None or not fraction:
            return self
        if not isinstance(self.train, IndexedPart):
            message = f"validation_split {fraction} cannot be taken from samples that are read one after the other"
            hint = "let the function give (train, validation), or use --validation-data"
            raise BlueprintError(Diagnostic("GB702", message, file=self.name, hint=hint))
        kept, away = self.train.divided(fraction, seed)
        return replace(self, train=kept, validation=away)

    def require(self, batch_size: int) -> None:
        """Refuses data that does not fill one batch.

        Raises:
            BlueprintError: there are fewer training samples than a batch has.
        """
        count = self.train.count
        if count is not None and count < batch_size:
            message = f"there {'is' if count == 1 else 'are'} {counted(count, 'sample')} to train on"
            hint = f"--batch-size {count}" if count else "the parts that are set apart leave nothing to train on"
            expected = f"at least one batch of {batch_size}"
            raise BlueprintError(Diagnostic("GB710", message, file=self.name, expected=expected, hint=hint))
