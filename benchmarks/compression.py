"""`python -m benchmarks.compression`: what compression saves in bytes and costs in accuracy, on data that is made here.

`digits_cnn` stands beside the same passes written by hand with tensorflow-model-optimization. Everything is measured on
the .tflite files: accuracies in the TFLite runtime, on samples that nothing was trained on.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.compression_data import MADE

if TYPE_CHECKING:
    import numpy as np

    from graphbuilder.data import Data

    Arrays = Mapping[str, np.ndarray[Any, np.dtype[Any]]]

__all__ = ["BARS", "NAMES", "Bars", "Files", "Found", "code_lines", "found", "main", "missed"]

ROOT = Path(__file__).resolve().parent.parent
BLUEPRINTS = ROOT / "blueprints"
BY_HAND = Path(__file__).with_name("compression_by_hand.py")
NAMES = ("digits_cnn", *MADE)


@dataclass(frozen=True, slots=True)
class Bars:
    """What a blueprint must reach with every seed.

    Arguments:
        drop: the most accuracy that may be lost, as a share.
        gzip: how many times smaller it must be after gzip, at least.
        raw: how many times smaller the file itself must be, at least.
        zeros: the least share of zeros among the compressed kernels.
        values: the most different values in a kernel of a Dense layer, and in a channel of a convolution's.
    """

    drop: float = 0.01
    gzip: float = 1.0
    raw: float = 1.0
    zeros: float = 0.0
    values: int | None = None


BARS: Mapping[str, Bars] = {
    "digits_cnn": Bars(gzip=14, raw=3.7, zeros=0.79, values=16),
    "compressed_transformer": Bars(gzip=8),
    "compressed_lstm": Bars(gzip=8),
    "compressed_image_text": Bars(),
}


@dataclass(frozen=True, slots=True)
class Files:
    """What a side made.

    Arguments:
        before: the float .tflite file.
        after: the compressed one.
        seconds: how long it took to train, compress and convert, with the start of all processes.
    """

    before: Path
    after: Path
    seconds: float


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured of two files.

    Arguments:
        before: the accuracy of the float file.
        after: that of the compressed one.
        gzip: how many times smaller it is after gzip.
        raw: how many times smaller the file itself is.
        zeros: the share of zeros among its 8-bit kernels.
        stored: the share of all kernels' numbers that has 8 bits.
        dense: the most different values in an 8-bit kernel of two axes.
        channel: the most in a channel of an 8-bit kernel of four axes; 0 where there is none.
        seconds: how long it took.
    """

    before: float
    after: float
    gzip: float
    raw: float
    zeros: float
    stored: float
    dense: int
    channel: int
    seconds: float


def missed(bars: Bars, found: Found) -> list[str]:
    """The bars that are not reached, in words.

    Arguments:
        bars: what must be reached.
        found: what was measured.
    """
    wrong = []
    # Accuracies are counts of samples, so a drop of exactly a point must not fail by rounding.
    if found.before - found.after > bars.drop + 1e-9:
        wrong.append(f"loses {100 * (found.before - found.after):.2f} points, and {100 * bars.drop:g} are allowed")
    if found.gzip < bars.gzip:
        wrong.append(f"gzip {found.gzip:.2f}×, and {bars.gzip:g}× is asked")
    if found.raw < bars.raw:
        wrong.append(f"raw {found.raw:.2f}×, and {bars.raw:g}× is asked")
    if found.zeros < bars.zeros:
        wrong.append(f"{found.zeros:.1%} zeros, and {bars.zeros:.0%} are asked")
    if bars.values is not None and max(found.dense, found.channel) > bars.values:
        wrong.append(f"{max(found.dense, found.channel)} values, and {bars.values} are allowed")
    return wrong


def found(files: Files, samples: Arrays, labels: np.ndarray[Any, np.dtype[Any]]) -> Found:
    """Measures two files.

    Arguments:
        files: the files.
        samples: inputs that nothing was trained on, by name.
        labels: their classes.
    """
    from graphbuilder.backend.runtime_evaluation import tensor_facts
    from graphbuilder.compression.sizes import file_size

    before, after = file_size(files.before), file_size(files.after)
    tensors = [fact for fact in tensor_facts(files.after.read_bytes()) if len(fact.shape) > 1]
    kernels = [fact for fact in tensors if fact.dtype in ("INT8", "FLOAT32", "FLOAT16")]
    small = [fact for fact in kernels if fact.dtype == "INT8"]
    counted = sum(fact.size for fact in small)
    return Found(
        before=_accuracy(files.before, samples, labels),
        after=_accuracy(files.after, samples, labels),
        gzip=before.gzip / after.gzip,
        raw=before.raw / after.raw,
        zeros=sum(fact.zeros or 0 for fact in small) / max(1, counted),
        stored=counted / max(1, sum(fact.size for fact in kernels)),
        dense=max((fact.unique or 0 for fact in small if len(fact.shape) == 2), default=0),
        channel=max((fact.unique_per_channel or 0 for fact in small if len(fact.shape) == 4), default=0),
        seconds=files.seconds,
    )


def _accuracy(model: Path, samples: Arrays, labels: np.ndarray[Any, np.dtype[Any]]) -> float:
    """The share of samples whose class a .tflite file tells. Inputs that are called otherwise go by their order."""
    from graphbuilder.backend.runtime import LiteRunner

    runner = LiteRunner(model)
    given = samples if set(samples) == set(runner.inputs) else dict(zip(runner.inputs, samples.values(), strict=True))
    (scores,) = runner.predict(given).values()
    return float((scores.argmax(axis=-1) == labels.reshape(-1)).mean())


def code_lines(path: Path) -> int:
    """The lines of a file that say something: no blank ones, no comments, no docstrings.

    Arguments:
        path: a Python or YAML file.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return sum(1 for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    begins = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in silent:
            begins = begins or token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
        elif not (begins and token.type == tokenize.STRING):
            begins = False
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines)


def _graphbuilder(name: str, data: str, folder: Path, seed: int) -> Files:
    """What `graphbuilder compress` makes of a shipped blueprint."""
    import graphbuilder

    started = time.perf_counter()
    done = graphbuilder.compress(BLUEPRINTS / f"{name}.yaml", data, folder, seed=seed)
    seconds = time.perf_counter() - started
    first, last = (done.report.stages[place].artifact() for place in (0, -1))
    if done.problems or first is None or last is None:
        raise RuntimeError(f"{name}: {'; '.join(map(str, done.problems)) or 'no .tflite file was written'}")
    return Files(folder / first.path, folder / last.path, seconds)


def _by_hand(data: Data, folder: Path, seed: int) -> Files:
    """What the script that is written by hand makes of the same samples."""
    import numpy as np

    folder.mkdir()
    arrays = data.train.arrays()
    assert arrays is not None
    (images,), (labels,) = arrays[0].values(), arrays[1].values()
    np.savez(folder / "train.npz", train_x=images, train_y=labels, seed=np.array(seed))
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(BY_HAND), str(folder / "train.npz"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{BY_HAND.name} failed: {done.stderr[-2000:]}")
    return Files(folder / "float.tflite", folder / "compressed.tflite", time.perf_counter() - started)


def _data(name: str, spec: str, seed: int) -> Data:
    """The data of a run, its samples held out as `graphbuilder compress` holds them out."""
    from graphbuilder.api import lower
    from graphbuilder.backend.datasets import open_data

    graph = lower(BLUEPRINTS / f"{name}.yaml")
    return open_data(spec, graph).with_validation(float((graph.training or {}).get("validation_split", 0.0)), seed)


def main(argv: list[str] | None = None) -> int:
    """Runs the benchmark, prints its table, and fails where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compression", description=__doc__)
    parser.add_argument("blueprints", nargs="*", metavar="BLUEPRINT", help=f"of {', '.join(NAMES)}; left out, all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of data and weights (default 0 1 2)")
    options = parser.parse_args(argv)
    unknown = [name for name in options.blueprints if name not in NAMES]
    if unknown:
        parser.error(f"no blueprint {', '.join(unknown)} here; there are {', '.join(NAMES)}")
    # Before TensorFlow is first imported: the models are too small for an accelerator to be of use.
    os.environ.update({"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"})
    wrong: list[str] = []
    for name in options.blueprints or NAMES:
        _head(name)
        for seed in options.seeds:
            wrong += [f"{name}, seed {seed}: {words}" for words in _measure(name, seed)]
    print("\n" + ("\n".join(f"missed: {words}" for words in wrong) or "Every bar is reached."))
    return 1 if wrong else 0


def _measure(name: str, seed: int) -> list[str]:
    """Runs a blueprint with one seed, prints what comes of it, and gives the bars that it misses."""
    from benchmarks.compression_data import write
    from graphbuilder.backend.compression_judging import judged_part, samples_of

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        spec = "digits" if name == "digits_cnn" else str(write(name, folder / "made.npz", seed))
        data = _data(name, spec, seed)
        _, part = judged_part(data)
        samples, targets = samples_of(part, 256)
        (labels,) = targets.values()
        ours = found(_graphbuilder(name, spec, folder / "ours", seed), samples, labels)
        _row("graphbuilder", seed, ours)
        if name == "digits_cnn":
            _row("by hand", seed, found(_by_hand(data, folder / "hand", seed), samples, labels))
        return missed(BARS[name], ours)


_COLUMNS = ("seed", "float", "after", "points", "gzip", "raw", "zeros", "8 bits", "values", "in a channel", "seconds")


def _head(name: str) -> None:
    lines = f"{code_lines(BLUEPRINTS / f'{name}.yaml')} lines"
    if name == "digits_cnn":
        lines += f", by hand {code_lines(BY_HAND)}"
    print(f"\n{name} ({lines})")
    _print("", _COLUMNS)


def _row(side: str, seed: int, one: Found) -> None:
    _print(
        side,
        [
            str(seed),
            f"{100 * one.before:.2f}",
            f"{100 * one.after:.2f}",
            f"{100 * (one.after - one.before):+.2f}",
            f"{one.gzip:.2f}×",
            f"{one.raw:.2f}×",
            f"{100 * one.zeros:.1f} %",
            f"{100 * one.stored:.0f} %",
            str(one.dense),
            str(one.channel or "–"),
            f"{one.seconds:.0f}",
        ],
    )


def _print(side: str, cells: Sequence[str]) -> None:
    padded = (f"{cell:>{max(8, len(column) + 2)}}" for column, cell in zip(_COLUMNS, cells, strict=True))
    print(f"{side:<14}" + "".join(padded), flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
