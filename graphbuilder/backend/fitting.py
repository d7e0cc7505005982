"""Trains a model of either Keras, one epoch after the other, so that it can stop and go on after any of them."""

from __future__ import annotations

import contextlib
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphbuilder.backend.datasets import as_dataset
from graphbuilder.backend.distribute import ONE, Layout
from graphbuilder.backend.fitting_random import reproducible_random
from graphbuilder.backend.frameworks import framework
from graphbuilder.backend.saving import is_legacy
from graphbuilder.data import Data, IndexedPart, Part, Wants
from graphbuilder.errors import BlueprintError, Diagnostic

__all__ = ["EpochRecord", "FitOptions", "Fitted", "Watcher", "evaluate", "fit"]


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How a model is trained.

    Arguments:
        epochs: passes over the samples, those that are done already included.
        batch_size: samples in one step, over all replicas.
        shuffle: whether the samples come in another order in every epoch.
        seed: fixes these orders and everything that layers draw.
    """

    epochs: int = 1
    batch_size: int = 32
    shuffle: bool = True
    seed: int = 0


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """What one epoch gave.

    Arguments:
        number: counted from 1.
        values: the loss and the metrics, and with `val_` in front those of the validation.
        seconds: how long it took.
    """

    number: int
    values: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a training gave.

    Arguments:
        records: one for each epoch, those of earlier runs included.
        stopped: whether it was asked to stop before the last epoch was done.
    """

    records: tuple[EpochRecord, ...]
    stopped: bool


class Watcher:
    """Whoever wants to know how far a training is. Does nothing by itself."""

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[Callable[[str, int, int], None]]:
        """Work that takes seconds, such as "Building cnn"; takes steps by name, number and total."""
        yield lambda what, number, total: None

    def note(self, message: str) -> None:
        """Something worth knowing."""

    def batch(self, epoch: int, step: int, steps: int | None, values: Mapping[str, float]) -> None:
        """A batch is done.

        Arguments:
            epoch: the epoch, from 1.
            step: the batch, from 1.
            steps: how many an epoch has, if that is known.
            values: the loss and the metrics so far.
        """

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        """An epoch is done, of so many."""


class _Stop(Exception):
    """The training was asked to stop."""


def fit(
    model: Any,
    data: Data,
    options: FitOptions,
    *,
    done: Sequence[EpochRecord] = (),
    callbacks: Sequence[Any] = (),
    watcher: Watcher | None = None,
    stop: Callable[[], bool] | None = None,
    keep: Callable[[tuple[EpochRecord, ...]], None] | None = None,
    layout: Layout = ONE,
) -> Fitted:
    """Trains a compiled model.

    Whatever is random depends on the seed and the number of the epoch alone, so that a training which goes on from
    kept weights and optimizer state gives what an uninterrupted one gives.

    Arguments:
        model: a compiled model of either Keras, also one that a pass has wrapped.
        data: what to train on, and to validate with.
        options: how.
        done: the epochs that are done already; their weights and optimizer state are in the model.
        callbacks: callbacks of the model's own Keras.
        watcher: told of every batch and epoch.
        stop: asked after every batch whether to stop.
        keep: told after every epoch of all records, to save the model's state.
        layout: the replicas that train together.

    Raises:
        BlueprintError: the data does not fill one batch, the loss is no longer a number, or Keras refuses the data.
    """
    data.require(options.batch_size)
    layout.require(options.batch_size)
    watcher = watcher or Watcher()
    records = list(done)
    steps = data.train.steps(options.batch_size, whole=layout.replicas > 1)
    pieces = layout.pieces if isinstance(data.train, IndexedPart) else None
    with _one_training(model) as finish, reproducible_random(model, options.seed) as restart:
        for epoch in range(len(records), options.epochs):
            restart(epoch)
            started = time.monotonic()
            failures: list[Exception] = []

            def dataset(*_: Any, epoch: int = epoch, failures: list[Exception] = failures) -> Any:
                return as_dataset(
                    data.train,
                    data.wants,
                    options.batch_size,
                    shuffle=options.shuffle,
                    seed=options.seed,
                    epoch=epoch,
                    pieces=pieces,
                    failures=failures,
                )

            follower = _follower(model, epoch, steps, watcher, stop)
            try:
                with _quiet(), _located(failures):
                    history = model.fit(
                        dataset() if pieces is None else layout.distributed(dataset),
                        epochs=epoch + 1,
                        initial_epoch=epoch,
                        steps_per_epoch=None if pieces is None else steps,
                        shuffle=False,
                        verbose=0,
                        callbacks=[*callbacks, follower],
                    ).history
            except _Stop:
                return Fitted(tuple(records), stopped=True)
            values = _loss_first({name: float(series[-1]) for name, series in history.items()})
            if data.validation is not None:
                validated = evaluate(model, data.validation, data.wants, options.batch_size)
                values |= {f"val_{name}": value for name, value in validated.items()}
            record = EpochRecord(epoch + 1, values, time.monotonic() - started)
            records.append(record)
            if epoch + 1 == options.epochs:
                finish()
            if keep is not None:
                keep(tuple(records))
            watcher.epoch(record, options.epochs)
    return Fitted(tuple(records), stopped=False)


def evaluate(model: Any, part: Part, wants: Wants, batch_size: int) -> dict[str, float]:
    """The loss and the metrics of a model on some samples.

    Arguments:
        model: a compiled model of either Keras.
        part: the samples.
        wants: how the model takes them.
        batch_size: samples in one step.
    """
    failures: list[Exception] = []
    with _quiet(), _located(failures):
        found = model.evaluate(as_dataset(part, wants, batch_size, failures=failures), verbose=0, return_dict=True)
    return _loss_first({name: float(value) for name, value in found.items()})


@contextlib.contextmanager
def _one_training(model: Any) -> Iterator[Callable[[], None]]:
    """Lets several calls of `fit` be one training: what Keras does at a training's end is done at the last alone.

    Yields:
        What to call at the end.
    """
    optimizer = model.optimizer
    finalize = getattr(optimizer, "finalize_variable_values", None)
    if finalize is None:
        yield lambda: None
        return
    # An optimizer that averages weights would otherwise replace them by the averages after every epoch.
    optimizer.finalize_variable_values = lambda variables: None
    try:
        yield lambda: finalize(model.trainable_variables)
    finally:
        del optimizer.finalize_variable_values


def _follower(model: Any, epoch: int, steps: int | None, watcher: Watcher, stop: Callable[[], bool] | None) -> Any:
    """The callback that looks at every batch of one epoch."""
    callback: Any = framework(2 if is_legacy(model) else 3).keras.callbacks.Callback

    class Follower(callback):  # type: ignore[misc]  # Keras has no types
        """Tells of every batch, and ends the training where its loss is no number or it is asked to stop."""

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            values = {name: float(value) for name, value in (logs or {}).items()}
            if not math.isfinite(values.get("loss", 0.0)):
                raise BlueprintError(
                    Diagnostic(
                        "GB722",
                        f"the loss is {values['loss']} in epoch {epoch + 1}, batch {batch + 1}",
                        hint="a smaller learning rate, clipnorm in the optimizer, or data from -1 to 1 may help",
                    )
                )
            watcher.batch(epoch + 1, batch + 1, steps, values)
            if stop is not None and stop():
                raise _Stop

    return Follower()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps back what both Kerases say of data whose length shows only when it is read."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*ran out of data.*")
        yield


@contextlib.contextmanager
def _located(failures: list[Exception]) -> Iterator[None]:
    """Turns what Keras and TensorFlow raise of data and losses into errors of ours.

    Arguments:
        failures: what failed in reading.

    Raises:
        BlueprintError: with what is wrong.
    """
    import tensorflow as tf

    try:
        yield
    except (ValueError, TypeError, tf.errors.OpError) as error:
        if failures:
            raise failures[0] from error
        reason = " ".join(str(getattr(error, "message", error)).split())[:400]
        hint = "the loss and the metrics must suit the outputs and the targets"
        if isinstance(error, tf.errors.ResourceExhaustedError):
            reason, hint = "the memory does not suffice", "a smaller --batch-size"
        elif isinstance(error, tf.errors.OpError) and not isinstance(error, tf.errors.InvalidArgumentError):
            raise
        raise BlueprintError(Diagnostic("GB501", f"Keras refuses the training: {reason}", hint=hint)) from error


def _loss_first(values: dict[str, float]) -> dict[str, float]:
    """The same values in one order, whichever Keras they are from."""
    return {name: values[name] for name in sorted(values, key=lambda name: name != "loss")}
