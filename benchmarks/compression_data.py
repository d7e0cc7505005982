"""Data to train compressed models on: made from a seed, without a network, and beyond a model that is not trained.

`python -m benchmarks.compression_data compressed_lstm -o signals.npz` writes a file that `--data` takes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

__all__ = ["MADE", "orders", "questions", "vibrations", "write"]

_MARKS = 3
_LETTERS = 24


def orders(seed: int, samples: int = 5_000) -> dict[str, Array]:
    """Sequences of letters among which three marks stand, each once; the class is the order of the marks, 1 of 6.

    The letters are noise, and every class has the same tokens: only their places tell.

    Arguments:
        seed: of everything random.
        samples: how many.

    Returns:
        `tokens` of (samples, 32), 0 where the sequence has ended, 1 to 3 the marks, 4 to 27 the letters; and `scores`.
    """
    import numpy as np

    length = 32
    random = np.random.default_rng(seed)
    known = np.array(list(permutations(range(1, _MARKS + 1))))
    classes = random.integers(0, len(known), samples)
    tokens = random.integers(1 + _MARKS, 1 + _MARKS + _LETTERS, (samples, length))
    ends = random.integers(length // 2, length + 1, samples)
    for sequence, end, which in zip(tokens, ends, classes, strict=True):
        sequence[np.sort(random.choice(end, _MARKS, replace=False))] = known[which]
        sequence[end:] = 0
    return {"tokens": tokens.astype("int32"), "scores": classes.astype("int32")}


def vibrations(seed: int, samples: int = 5_000) -> dict[str, Array]:
    """The vibration of a machine along three axes, in noise; the class is what the machine does.

    It runs evenly (0), speeds up (1), slows down (2), shakes less (3) or more (4), or turns the other way round from
    some moment on (5). Speed, strength, beginning and moment are drawn for each sample, so that no single measurement
    and no average tells.

    Arguments:
        seed: of everything random.
        samples: how many.

    Returns:
        `signal` of (samples, 48, 3), and `scores`.
    """
    import numpy as np

    steps = 48
    random = np.random.default_rng(seed)
    classes = random.integers(0, 6, samples)

    def drawn(low: float, high: float) -> Array:
        return random.uniform(low, high, (samples, 1))

    def where(*chosen: int) -> Array:
        return np.isin(classes, chosen)[:, None]

    time = np.linspace(0, 1, steps)[None]
    # Turns per window at its beginning and at its end; their geometric mean is the same in all classes.
    speed, growth = drawn(4, 7), drawn(1.2, 1.4)
    first = np.select([where(1), where(2)], [speed / growth, speed * growth], speed)
    last = np.select([where(1), where(2)], [speed * growth, speed / growth], speed)
    turned = 2 * np.pi * (drawn(0, 1) + first * time + (last - first) * time**2 / 2)
    fading = 1.3 * (1 + (1 / drawn(2, 3) - 1) * time)
    strength = drawn(0.7, 1.3) * np.select([where(3), where(4)], [fading, fading[:, ::-1]], 1.0)
    # The second axis follows the first by a quarter of a turn, or leads it once the machine turns the other way.
    lag = np.where(where(5) & (time > drawn(1 / 3, 2 / 3)), -np.pi / 2, np.pi / 2)
    waves = [np.sin(turned), np.sin(turned - lag), np.sin(2 * turned + 2 * np.pi * drawn(0, 1)) / 2]
    signal = strength[..., None] * np.stack(waves, axis=-1)
    signal += random.normal(0, 0.35, signal.shape)
    return {"signal": signal.astype("float32"), "scores": classes.astype("int32")}


_COLOURS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1))
_SHAPES = 4
_PLACES = 4
# Tokens that mean nothing, and how many words there are for each of colour, shape and place.
_FILLERS = 10
_WORDS = 3


def questions(seed: int, samples: int = 8_000) -> dict[str, Array]:
    """Images of one shape, and questions for its colour, its shape or its place.

    Without the question one can only guess which of three facts is wanted; without the image, which of four or six
    answers is right.

    Arguments:
        seed: of everything random.
        samples: how many.

    Returns:
        `image` of (samples, 24, 24, 3) from 0 to 1; `question` of (samples, 12), 0 where it has ended; and `answer`: 0
        to 5 are colours, 6 to 9 shapes, 10 to 13 places.
    """
    import numpy as np

    size, length = 24, 12
    random = np.random.default_rng(seed)
    images = np.empty((samples, size, size, 3))
    texts = np.zeros((samples, length), int)
    answers = np.empty(samples, int)
    for index in range(samples):
        facts = [int(random.integers(0, count)) for count in (len(_COLOURS), _SHAPES, _PLACES)]
        inside = _shape(facts[1], facts[2], size, random)
        images[index] = random.uniform(0.2, 0.5)
        images[index][inside] = np.array(_COLOURS[facts[0]]) * random.uniform(0.6, 1)
        wanted = int(random.integers(0, 3))
        answers[index] = facts[wanted] + (0, len(_COLOURS), len(_COLOURS) + _SHAPES)[wanted]
        asked = 1 + _FILLERS + _WORDS * wanted + random.integers(0, _WORDS)
        words = [asked, *random.integers(1, 1 + _FILLERS, random.integers(3, length))]
        texts[index, : len(words)] = random.permutation(words)
    images = np.clip(images + random.normal(0, 0.12, images.shape), 0, 1)
    return {"image": images.astype("float32"), "question": texts.astype("int32"), "answer": answers.astype("int32")}


def _shape(kind: int, place: int, size: int, random: np.random.Generator) -> Array:
    """The pixels of a square, disc, cross or ring that lies at the left, right, top or bottom."""
    import numpy as np

    radius, near, middle = random.uniform(3.5, 5.5), random.uniform(6, 8), random.uniform(9, size - 10)
    far = size - 1 - near
    row, column = ((middle, near), (middle, far), (near, middle), (far, middle))[place]
    rows, columns = np.mgrid[:size, :size]
    down, right = np.abs(rows - row), np.abs(columns - column)
    away, longer, shorter = np.hypot(down, right), np.maximum(down, right), np.minimum(down, right)
    found: Array = (
        longer <= 0.85 * radius,
        away <= radius,
        (shorter <= 0.3 * radius) & (longer <= 1.1 * radius),
        (away <= 1.1 * radius) & (away >= 0.55 * radius),
    )[kind]
    return found


# What makes the data of each blueprint, given a seed and how many samples.
MADE: Mapping[str, Callable[..., dict[str, Array]]] = {
    "compressed_transformer": orders,
    "compressed_lstm": vibrations,
    "compressed_image_text": questions,
}


def write(name: str, path: Path, seed: int = 0, samples: int | None = None) -> Path:
    """Writes the data of a blueprint as a `.npz` file.

    Arguments:
        name: the blueprint's.
        path: where to.
        seed: of everything random.
        samples: how many; None for as many as the blueprint is measured with.
    """
    import numpy as np

    arrays = MADE[name](seed) if samples is None else MADE[name](seed, samples)
    np.savez(path, **arrays)  # type: ignore[arg-type]  # names of arrays, not of options
    return path


def main(argv: list[str] | None = None) -> int:
    """Writes the file that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compression_data", description=__doc__)
    parser.add_argument("blueprint", choices=list(MADE))
    parser.add_argument("--output", "-o", type=Path, required=True, help="the .npz file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, help="how many (default: as many as the blueprint is measured with)")
    options = parser.parse_args(argv)
    print(write(options.blueprint, options.output, options.seed, options.samples))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
