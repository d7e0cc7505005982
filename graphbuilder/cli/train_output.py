"""What a training shows: a line for each epoch, and on a terminal one that moves within the epoch."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphbuilder.backend.fitting import EpochRecord, Watcher
from graphbuilder.backend.fitting_run import Prepared, Trained
from graphbuilder.cli.output import note, progress

__all__ = ["TrainOutput", "duration", "values_text"]

# How often the moving line is drawn, in seconds.
_REDRAWN = 0.1


def values_text(values: Mapping[str, float]) -> str:
    """The loss and the metrics in one line, the loss first.

    Example:
        >>> values_text({"accuracy": 0.9621380, "loss": 0.13982})
        'loss 0.1398  accuracy 0.9621'
    """
    names = sorted(values, key=lambda name: (name.startswith("val_"), name not in ("loss", "val_loss")))
    return "  ".join(f"{name} {values[name]:.4g}" for name in names)


def duration(seconds: float) -> str:
    """A time as people say it.

    Example:
        >>> duration(0.42), duration(75), duration(7500)
        ('0.4 s', '1 min 15 s', '2 h 5 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


class TrainOutput(Watcher):
    """Shows a training on stdout and stderr.

    Arguments:
        as_json: whether stdout gets a JSON document on each line instead of text.
        prepared: the training.
    """

    def __init__(self, as_json: bool, prepared: Prepared) -> None:
        self.as_json = as_json
        self.prepared = prepared
        self._terminal = sys.stderr.isatty()
        self._drawn = 0.0
        self._begun = time.monotonic()
        self._seconds: list[float] = []

    def begin(self) -> None:
        """Says what is trained on."""
        prepared = self.prepared
        for fact in prepared.data.facts:
            note(fact)
        if prepared.kept is not None:
            done = len(prepared.kept.records)
            note(f"goes on after epoch {done} of {prepared.options.epochs}")
        elif prepared.request.resume:
            note("nothing is kept to go on from, so it begins with epoch 1")

    def end(self, trained: Trained) -> None:
        """Says what came of it."""
        prepared = self.prepared
        if trained.stopped:
            self._stopped(trained)
            return
        if not prepared.chief:
            self._event(event="done", output=None)
            self._line("done; the first worker saves the model")
            return
        parameters = int(trained.model.count_params())
        version = 3 if prepared.request.keras == 3 else 2
        self._event(
            event="done",
            output=str(trained.path),
            parameters=parameters,
            keras=version,
            epochs=len(trained.history),
            seed=trained.seed,
            evaluated_on=trained.evaluated_on or None,
            evaluation=dict(trained.evaluation),
            classes={name: list(words) for name, words in prepared.data.vocabularies.items()},
        )
        if trained.evaluation:
            self._line(f"{trained.evaluated_on}: {values_text(trained.evaluation)}")
        keras = "Keras 3" if version == 3 else "Keras 2 (tf_keras)"
        self._line(f"{trained.path}: {parameters:,} parameters, {keras}, seed {trained.seed}")

    def _stopped(self, trained: Trained) -> None:
        done, epochs = len(trained.history), self.prepared.options.epochs
        state = self.prepared.state
        kept = str(state.path) if state is not None else None
        self._event(event="stopped", epochs=done, of=epochs, state=kept)
        self._clear()
        print(
            f"stopped in epoch {done + 1} of {epochs}; {kept} keeps what {done} gave: "
            "the same command with --resume goes on",
            file=sys.stderr,
        )

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[Callable[[str, int, int], None]]:
        with progress(title) as step:
            yield step

    def note(self, message: str) -> None:
        note(message)

    def batch(self, epoch: int, step: int, steps: int | None, values: Mapping[str, float]) -> None:
        now = time.monotonic()
        if not self._terminal or now - self._drawn < _REDRAWN:
            return
        self._drawn = now
        of = f"/{steps}" if steps is not None else ""
        epochs = self.prepared.options.epochs
        line = f"epoch {epoch}/{epochs}  batch {step}{of}  {values_text(values)}"
        print(f"\r\x1b[2K{line[:100]}", end="", file=sys.stderr, flush=True)

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        self._seconds.append(record.seconds)
        left = sum(self._seconds) / len(self._seconds) * (epochs - record.number)
        self._clear()
        self._event(
            event="epoch", epoch=record.number, epochs=epochs, **dict(record.values), seconds=round(record.seconds, 3)
        )
        eta = f"  {duration(left)} left" if record.number < epochs else ""
        number = f"{record.number}/{epochs}".rjust(2 * len(str(epochs)) + 1)
        self._line(f"epoch {number}  {values_text(record.values)}  {duration(record.seconds)}{eta}")

    def _clear(self) -> None:
        if self._terminal:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)

    def _line(self, text: str) -> None:
        if not self.as_json:
            print(text, flush=True)

    def _event(self, **facts: Any) -> None:
        if self.as_json:
            print(json.dumps(facts), flush=True)
