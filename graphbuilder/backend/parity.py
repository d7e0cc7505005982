"""Whether an exported model computes what the compiled one does: random inputs, and the difference of two results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphbuilder.data.wants import Values, Wanted, wants_of
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.graph import Graph

if TYPE_CHECKING:
    import numpy as np

__all__ = ["TOLERANCES", "Parity", "compare", "named_outputs", "random_inputs", "sizes_to_try"]

# How far an output may be off, by the largest number of that output. The same kernels give the same bits; other
# runtimes sum in another order.
TOLERANCES: Mapping[str, float] = {"python": 0.0, "onnx": 1e-5, "tflite": 1e-5}

_SAMPLES = 2
_WORDS = ("a", "word", "or two", "")


@dataclass(frozen=True, slots=True)
class Parity:
    """How far two models are apart.

    Arguments:
        difference: the largest difference of an output, by the largest number of that output.
        tolerance: what it may be.
        output: the output that is furthest off.
    """

    difference: float
    tolerance: float
    output: str


def sizes_to_try() -> Iterator[int]:
    """Sizes for axes that the blueprint leaves open; a model of convolutions may ask for a large one."""
    yield from (8, 32, 64)


def random_inputs(graph: Graph, open_size: int = 8, seed: int = 0) -> dict[str, np.ndarray]:
    """Numbers of the inputs' shapes and dtypes: ids within the vocabulary, padding at the end of the last sample.

    Arguments:
        graph: the model.
        open_size: the size of axes that are open.
        seed: of the random numbers.

    Example:
        >>> from graphbuilder.blueprint import load
        >>> from graphbuilder.lowering import lower
        >>> given = random_inputs(lower(load("blueprints/image_text.yaml")))
        >>> {name: (array.shape, str(array.dtype)) for name, array in given.items()}
        {'image': ((2, 224, 224, 3), 'float32'), 'text': ((2, 64), 'int32')}
    """
    import numpy

    random = numpy.random.default_rng(seed)
    return {wanted.name: _array(wanted, open_size, random) for wanted in wants_of(graph).inputs}


def _array(wanted: Wanted, open_size: int, random: np.random.Generator) -> np.ndarray:
    import numpy

    assert wanted.shape is not None
    shape = (_SAMPLES, *(size if isinstance(size, int) else open_size for size in wanted.shape))
    if wanted.dtype == "string":
        return numpy.array(_WORDS, dtype=object)[random.integers(0, len(_WORDS), shape)]
    if wanted.dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    if "int" not in wanted.dtype:
        numbers = random.uniform(0, 1, shape) if wanted.modality == "image" else random.normal(size=shape)
        return numbers.astype(wanted.dtype)
    if wanted.rule.values is Values.IDS and wanted.rule.size is not None:
        ids = random.integers(0, wanted.rule.size, shape)
        if ids.ndim > 1:
            ids[-1, ..., ids.shape[-1] - ids.shape[-1] // 3 :] = 0
        return ids.astype(wanted.dtype)
    # What stands for an index somewhere is at least one of two.
    return random.integers(0, 256 if wanted.modality == "image" else 2, shape).astype(wanted.dtype)


def named_outputs(names: Any, produced: Any) -> dict[str, Any]:
    """What a model gives as arrays by name.

    Arguments:
        names: the names in the structure of the outputs, as `converting_names` makes them.
        produced: what the model gave.
    """
    import numpy

    if isinstance(names, str):
        return {names: numpy.asarray(produced)}
    keys: Any = names if isinstance(names, Mapping) else range(len(names))
    found: dict[str, Any] = {}
    for key in keys:
        found.update(named_outputs(names[key], produced[key]))
    return found


def compare(expected: Mapping[str, Any], found: Mapping[str, Any], kind: str, name: str) -> Parity:
    """Holds what an exported model gives against what the compiled one gives.

    Arguments:
        expected: the outputs of the compiled model, by name.
        found: those of the exported one.
        kind: a key of `TOLERANCES`.
        name: the file, for the message.

    Raises:
        BlueprintError: GB813, it computes something else.
    """
    import numpy

    tolerance = TOLERANCES[kind]
    worst = Parity(0.0, tolerance, next(iter(expected), ""))
    for output, wanted in expected.items():
        if output not in found:
            raise _other(name, f"it has no output {output}")
        given = numpy.asarray(found[output])
        if given.shape != wanted.shape:
            raise _other(name, f"the output {output} has the shape {list(given.shape)}", str(list(wanted.shape)))
        difference = _difference(wanted, given)
        if difference > worst.difference:
            worst = Parity(difference, tolerance, output)
    if worst.difference > tolerance:
        limit = "the very same numbers" if tolerance == 0 else f"at most {tolerance:g}"
        message = f"the output {worst.output} is off by {worst.difference:.3g} of its largest number"
        raise _other(name, message, limit)
    return worst


def _difference(wanted: np.ndarray, given: np.ndarray) -> float:
    import numpy

    if wanted.dtype.kind not in "fc":
        return 0.0 if numpy.array_equal(wanted, given) else float("inf")
    wanted, given = wanted.astype("float64"), given.astype("float64")
    known = numpy.isfinite(wanted)
    if not numpy.array_equal(known, numpy.isfinite(given)) or not numpy.array_equal(
        wanted[~known], given[~known], equal_nan=True
    ):
        return float("inf")
    if not known.any():
        return 0.0
    largest = float(numpy.abs(wanted[known]).max())
    apart = float(numpy.abs(wanted[known] - given[known]).max())
    return apart / largest if largest else apart


def _other(name: str, message: str, expected: str | None = None) -> BlueprintError:
    hint = "nothing was written; --no-verify writes it all the same"
    return BlueprintError(
        Diagnostic("GB813", f"{name} computes something else than the model: {message}", expected=expected, hint=hint)
    )
