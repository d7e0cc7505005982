"""`python -m benchmarks.fusion_digits`: what each fusion gains on two halves of a digit, and what an absent half costs.

The two halves of scikit-learn's handwritten digits are two modalities: either alone tells most digits, both tell more.
Every model is compiled from one blueprint text with the fusion's name put in.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["DROPOUT", "EPOCHS", "HALVES", "STRATEGIES", "Accuracy", "Data", "digits", "train_alone", "train_fused"]

EPOCHS = 60
DROPOUT = 0.3

HALVES = ("left", "right")

STRATEGIES = (
    "concat", "add", "mean", "max", "multiply", "weighted", "gated", "film", "bilinear", "tensor", "low_rank_tensor",
    "cross_attention", "tokens", "bottleneck", "mixture",
)  # fmt: skip

# Fusions by attention are given the rows of a half as steps; the others one vector for each half.
_OF_SEQUENCES = ("cross_attention", "tokens", "bottleneck")

# Where the branches play different parts, they are given by those.
_BRANCHES = {"film": "features: left_code, condition: right_code"}

# A half is 8 rows of 4 pixels. Both halves are encoded in one way, each with weights of its own.
_BLOCKS = """\
blocks:
  rows:
    inputs: [half]
    nodes:
      rows: {layer: Conv1D, filters: 16, kernel_size: 3, padding: same, activation: relu}
  code:
    inputs: [half]
    nodes:
      rows: {block: rows}
      flat: {layer: Flatten}
      code: {layer: Dense, units: 32, activation: relu}
"""

_TRAINING = """\
  scores: {layer: Dense, units: 10, activation: softmax}
outputs: scores
training:
  optimizer: {adam: {learning_rate: 3e-3}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
"""

_ALONE = f"""\
blueprint: 1
name: alone
inputs:
  half: {{shape: [8, 4]}}
{_BLOCKS}nodes:
  code: {{block: code}}
  dropped: {{layer: Dropout, rate: 0.2}}
{_TRAINING}"""

_FUSED = f"""\
blueprint: 1
name: fused
params:
  modality_dropout: 0.0
inputs:
  left: {{shape: [8, 4]}}
  right: {{shape: [8, 4]}}
  has_left: {{shape: []}}
  has_right: {{shape: []}}
{_BLOCKS}nodes:
  left_code: {{block: CODE, from: left}}
  right_code: {{block: CODE, from: right}}
  fused:
    fuse: STRATEGY
    from: {{BRANCHES, presence: {{left_code: has_left, right_code: has_right}}}}
    modality_dropout: $modality_dropout
  dropped: {{layer: Dropout, rate: 0.2}}
{_TRAINING}"""


@dataclass(frozen=True, slots=True)
class Data:
    """Digits to train and to test with.

    Arguments:
        train: each half's pixels from 0 to 1, (samples, 8, 4), by its name.
        train_labels: the digits.
        test: the same of other samples.
        test_labels: their digits.
    """

    train: Mapping[str, Array]
    train_labels: Array
    test: Mapping[str, Array]
    test_labels: Array


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often a fused model tells the digit.

    Arguments:
        whole: with both halves.
        absent: with one half, averaged over which one is absent.
    """

    whole: float
    absent: float


def digits(seed: int) -> Data:
    """The digits, a third of them kept for the test.

    Arguments:
        seed: which third.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    found = load_digits()
    images = (found.images / 16).astype("float32")
    train, test, train_labels, test_labels = train_test_split(
        images, found.target, test_size=1 / 3, stratify=found.target, random_state=seed
    )
    return Data(_halves(train), train_labels, _halves(test), test_labels)


def _halves(images: Array) -> dict[str, Array]:
    return {"left": images[:, :, :4], "right": images[:, :, 4:]}


def train_alone(half: str, data: Data, seed: int, epochs: int = EPOCHS) -> float:
    """The accuracy of a model that is trained and tested with one half only.

    Arguments:
        half: its name.
        data: the digits.
        seed: of the weights and whatever else is random.
        epochs: how long it is trained.
    """
    model = _trained(_ALONE, {}, data.train[half], data.train_labels, seed, epochs)
    return _accuracy(model, data.test[half], data.test_labels)


def train_fused(strategy: str, dropout: float, data: Data, seed: int, epochs: int = EPOCHS) -> Accuracy:
    """The accuracy of a model that is trained with both halves, which every sample has.

    Arguments:
        strategy: the fusion.
        dropout: the rate of modality dropout.
        data: the digits.
        seed: of the weights and whatever else is random.
        epochs: how long it is trained.
    """
    chosen = {
        "STRATEGY": strategy,
        "CODE": "rows" if strategy in _OF_SEQUENCES else "code",
        "BRANCHES": _BRANCHES.get(strategy, "inputs: [left_code, right_code]"),
    }
    text = _FUSED
    for place, words in chosen.items():
        text = text.replace(place, words)
    model = _trained(text, {"modality_dropout": dropout}, _given(data.train), data.train_labels, seed, epochs)
    whole = _accuracy(model, _given(data.test), data.test_labels)
    absent = [_accuracy(model, _given(data.test, absent=half), data.test_labels) for half in HALVES]
    return Accuracy(whole, fmean(absent))


def _given(halves: Mapping[str, Array], absent: str | None = None) -> dict[str, Array]:
    """What a fused model is fed with: zeros for a half that is absent, and which ones are there."""
    import numpy as np

    found: dict[str, Array] = {}
    for name, pixels in halves.items():
        share = np.float32(name != absent)
        found |= {name: pixels * share, f"has_{name}": np.full(len(pixels), share)}
    return found


def _trained(text: str, params: Mapping[str, Any], given: Any, labels: Array, seed: int, epochs: int) -> Any:
    """A trained model of a blueprint's text."""
    import keras

    import graphbuilder

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    model = graphbuilder.compile(graphbuilder.parse(text), params)
    # Compiling such small models by XLA takes longer than training them; what Python costs for each step does too.
    model.jit_compile = False
    model.steps_per_execution = 10
    model.fit(given, labels, batch_size=120, epochs=epochs, verbose=0)
    return model


def _accuracy(model: Any, given: Any, labels: Array) -> float:
    """The share of samples whose digit is told."""
    import keras

    scores = keras.ops.convert_to_numpy(model(given, training=False))
    return float((scores.argmax(axis=-1) == labels).mean())


def main(argv: list[str] | None = None) -> int:
    """Runs the benchmark and prints its table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fusion_digits", description=__doc__)
    parser.add_argument("strategies", nargs="*", metavar="STRATEGY", help="fusions; left out, all of them")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of split and weights (default 0 1 2)")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"of each training (default {EPOCHS})")
    parser.add_argument("--dropout", type=float, default=DROPOUT, help=f"rate of modality dropout (default {DROPOUT})")
    options = parser.parse_args(argv)
    unknown = [name for name in options.strategies if name not in STRATEGIES]
    if unknown:
        parser.error(f"no fusion {', '.join(unknown)}; there are {', '.join(STRATEGIES)}")
    # Before TensorFlow is first imported: the models are too small for an accelerator to be of use.
    os.environ.update({"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"})

    started = time.perf_counter()
    splits = {seed: digits(seed) for seed in options.seeds}
    count = f"{len(splits)} seed{'s' if len(splits) > 1 else ''}"
    print(f"Accuracy in % on digits in halves, mean ± standard deviation over {count}, {options.epochs} epochs")
    for half in HALVES:
        _row(f"{half} alone", [train_alone(half, data, seed, options.epochs) for seed, data in splits.items()])
    print(f"\nTrained with both halves, without and with modality dropout {options.dropout:g}")
    print(f"{'':<16}{'both halves at test':>32}{'one half absent at test':>32}")
    print(f"{'':<16}{'without':>16}{'with':>16}{'without':>16}{'with':>16}")
    for strategy in options.strategies or STRATEGIES:
        found = {
            rate: [train_fused(strategy, rate, data, seed, options.epochs) for seed, data in splits.items()]
            for rate in (0.0, options.dropout)
        }
        _row(
            strategy,
            *([accuracy.whole for accuracy in accuracies] for accuracies in found.values()),
            *([accuracy.absent for accuracy in accuracies] for accuracies in found.values()),
        )
    print(f"\n{time.perf_counter() - started:.0f} s")
    return 0


def _row(name: str, *cells: Sequence[float]) -> None:
    """One line of a table: a name, and mean and deviation of each cell's accuracies."""
    shown = (f"{100 * fmean(values):.1f} ± {100 * pstdev(values):.1f}" for values in cells)
    print(f"{name:<16}" + "".join(f"{cell:>16}" for cell in shown), flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
