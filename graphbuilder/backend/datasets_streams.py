"""Samples of `tf.data` datasets that a function of the user's makes; they are read one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from graphbuilder.backend.datasets import tensorflow
from graphbuilder.catalog import shape_text
from graphbuilder.data import Batch, Data, Part, Pieces, Wanted, Wants
from graphbuilder.data.checks import Axes, check_shape, converted, offences
from graphbuilder.data.faults import Faults, counted
from graphbuilder.data.parts import PURPOSES
from graphbuilder.errors import BlueprintError, Diagnostic

__all__ = ["StreamPart", "open_streams"]

_PARTS = ("train", "validation", "test")
# How many samples are looked at before the first step, and among how many the next is drawn.
_LOOKED_AT, _SHUFFLED = 256, 2_048


class StreamPart(Part):
    """The samples of a dataset, each (inputs, targets) without a batch axis.

    Arguments:
        dataset: a `tf.data.Dataset`.
        wants: what the graph needs.
        name: what messages call it.
    """

    def __init__(self, dataset: Any, wants: Wants, name: str) -> None:
        self.dataset = dataset
        self.wants = wants
        self.name = name
        known = int(dataset.cardinality())
        self._count = known if known >= 0 else None

    @property
    def count(self) -> int | None:
        return self._count

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

        if pieces is not None:
            raise ValueError("samples that are read one after the other cannot be cut into pieces")
        dataset = self.dataset
        if shuffle:
            drawn = int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])
            dataset = dataset.shuffle(_SHUFFLED, seed=drawn, reshuffle_each_iteration=False)
        tf = tensorflow()
        try:
            for inputs, outputs in dataset.batch(batch_size).as_numpy_iterator():
                yield self._fitted(inputs, self.wants.inputs), self._fitted(outputs, self.wants.outputs)
        except tf.errors.InvalidArgumentError as error:
            reason = " ".join(str(error.message).split())[:300]
            raise BlueprintError(
                Diagnostic("GB705", f"the samples cannot be read: {reason}", file=self.name)
            ) from error

    def _fitted(self, arrays: Mapping[str, Any], wanted: tuple[Wanted, ...]) -> dict[str, Any]:
        faults = Faults(self.name)
        ready = {each.name: converted(arrays[each.name], each, faults, each.name) for each in wanted}
        faults.stop()
        return ready


def open_streams(made: Any, name: str, wants: Wants) -> Data:
    """The data of what a function gave.

    Arguments:
        made: a `tf.data.Dataset` to train on, or a tuple or mapping of up to three: train, validation, test.
        name: what messages call it.
        wants: what the graph needs.

    Raises:
        BlueprintError: it is something else, or its elements do not fit.
    """
    faults = Faults(name)
    if isinstance(made, Mapping):
        given = dict(made)
    elif isinstance(made, (tuple, list)):
        given = dict(zip(_PARTS, made, strict=False))
    else:
        given = {"train": made}
    tf = tensorflow()
    if (
        not set(given) <= set(_PARTS)
        or "train" not in given
        or not all(isinstance(each, tf.data.Dataset) for each in given.values())
    ):
        faults.add(
            "GB702",
            f"the function gives {type(made).__name__}",
            expected="a tf.data.Dataset, (train, validation, test) of them, or a mapping of arrays",
        )
    faults.stop()
    parts = {part: _part(tf, dataset, part, wants, faults) for part, dataset in given.items()}
    faults.stop()
    ready = {part: made for part, made in parts.items() if made is not None}
    sizes = [
        f"{counted(part.count, 'sample') if part.count is not None else 'samples'} {PURPOSES[purpose]}"
        for purpose, part in ready.items()
    ]
    return Data(
        name,
        wants,
        ready["train"],
        ready.get("validation"),
        ready.get("test"),
        fingerprint=f"{name} {[part.count for part in ready.values()]}",
        facts=(f"{name}: {', '.join(sizes)}",),
        warnings=faults.warnings,
    )


def _part(tf: Any, dataset: Any, purpose: str, wants: Wants, faults: Faults) -> StreamPart | None:
    """One dataset as samples without a batch axis."""
    before = len(faults.errors)
    if int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY:
        faults.add("GB702", f"the dataset to {purpose} never ends", hint="leave out repeat(), or end it with take()")
        return None
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2:
        faults.add("GB703", f"the elements of the dataset to {purpose} are no pairs", expected="(inputs, targets)")
        return None
    inputs = _named(spec[0], wants.inputs, faults)
    outputs = _named(spec[1], wants.outputs, faults)
    if len(faults.errors) > before:
        return None
    named = dataset.map(lambda given, targets: (_by_name(given, wants.inputs), _by_name(targets, wants.outputs)))
    batched = {_is_batched(held, wanted) for held, wanted in [*inputs, *outputs]}
    if len(batched - {None}) > 1:
        told = ", ".join(f"{wanted.name} {shape_text(held.shape)}" for held, wanted in [*inputs, *outputs])
        faults.add("GB705", f"some arrays have an axis of samples and some have none: {told}")
        return None
    part = StreamPart(named.unbatch() if True in batched else named, wants, faults.file)
    _look_at(part, purpose, wants, faults)
    return part


def _named(spec: Any, wanted: tuple[Wanted, ...], faults: Faults) -> list[tuple[Any, Wanted]]:
    """The specs of a structure, each with what it should be."""
    if isinstance(spec, Mapping):
        for each in wanted:
            if each.name not in spec:
                held = ", ".join(str(key) for key in spec)
                faults.add(
                    "GB703", "there is no such tensor", node=each.name, expected=str(each), hint=f"it has {held}"
                )
        for key in spec:
            if key not in {each.name for each in wanted}:
                faults.warn("GB704", f"the tensor {key} is not used")
        return [(spec[each.name], each) for each in wanted if each.name in spec]
    items = list(spec) if isinstance(spec, (tuple, list)) else [spec]
    if len(items) != len(wanted):
        names = ", ".join(each.name for each in wanted) or "none"
        faults.add("GB703", f"there are {counted(len(items), 'tensor')} where {len(wanted)} are needed: {names}")
        return []
    return list(zip(items, wanted, strict=True))


def _by_name(given: Any, wanted: tuple[Wanted, ...]) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {each.name: given[each.name] for each in wanted}
    items = list(given) if isinstance(given, (tuple, list)) else [given]
    return {each.name: item for each, item in zip(wanted, items, strict=True)}


def _is_batched(spec: Any, wanted: Wanted) -> bool | None:
    """Whether there is an axis of samples in front; None where that cannot be told."""
    if wanted.shape is None or spec.shape.rank is None:
        return None
    rank, expected = spec.shape.rank, len(wanted.shape)
    if rank == expected + 1 and not (spec.shape[-1] == 1 and spec.shape[0] is not None and expected == 0):
        return True
    return False if rank <= expected or spec.shape[-1] == 1 else None


def _look_at(part: StreamPart, purpose: str, wants: Wants, faults: Faults) -> None:
    """Checks the first samples."""
    seen = 0
    try:
        for inputs, outputs in islice(part.dataset.batch(32).as_numpy_iterator(), _LOOKED_AT // 32):
            axes = Axes()
            for wanted in wants:
                array = {**inputs, **outputs}[wanted.name]
                if not check_shape(array.shape, wanted, axes, faults, wanted.name):
                    continue
                made = converted(array, wanted, faults, wanted.name)
                for offence in [] if made is None else offences(made, wanted):
                    message = f"sample {seen + offence.sample} to {purpose} {offence.what}"
                    faults.add(offence.code, message, node=wanted.name, expected=offence.expected, hint=offence.hint)
            if faults.errors:
                return
            seen += 32
    except tensorflow().errors.OpError as error:
        faults.add("GB701", f"the samples to {purpose} cannot be read: {' '.join(str(error.message).split())[:300]}")
        return
    if not seen:
        faults.add("GB710", f"there is no sample to {purpose}", expected="at least one sample")
