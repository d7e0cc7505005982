"""Representative samples: checked against a model's inputs, and fed to the converter one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from graphbuilder.errors import BlueprintError, Diagnostic, suggestion

if TYPE_CHECKING:
    import numpy as np

__all__ = ["InputSpecs", "checked_samples", "feed"]

# By an input's name, its axes (the first is the number of samples; None is open) and its dtype.
InputSpecs: TypeAlias = "Mapping[str, Sequence[Any]]"


def checked_samples(samples: Mapping[str, np.ndarray] | None, inputs: InputSpecs, limit: int) -> dict[str, np.ndarray]:
    """The samples, at most so many, in the inputs' dtypes.

    Raises:
        BlueprintError: with everything that does not fit.
    """
    import numpy

    if samples is None:
        hint = "give data, or choose the scheme dynamic or float16, which need none"
        raise BlueprintError(Diagnostic("GB814", "no samples tell the ranges of activations", hint=hint))
    problems = [
        Diagnostic("GB814", f"the samples lack the input {name}", hint=suggestion(name, list(samples)))
        for name in inputs
        if name not in samples
    ]
    problems += [
        Diagnostic("GB814", f"there are samples of {name}, which is no input", hint=suggestion(name, list(inputs)))
        for name in samples
        if name not in inputs
    ]
    found: dict[str, np.ndarray] = {}
    counts = {}
    for name in inputs:
        if name not in samples:
            continue
        shape, dtype = inputs[name]
        given = numpy.asarray(samples[name])
        expected = tuple(shape[1:])
        if given.ndim != len(shape) or any(
            want is not None and want != have for want, have in zip(expected, given.shape[1:], strict=True)
        ):
            text = "samples × " + " × ".join("any" if size is None else str(size) for size in expected)
            message = f"the samples of {name} have the shape {list(given.shape)}"
            problems.append(Diagnostic("GB814", message, node=name, expected=text if expected else "one axis, samples"))
            continue
        counts[name] = len(given)
        given = given[:limit]
        if given.dtype.kind not in "biuf":
            problems.append(Diagnostic("GB814", f"the samples of {name} are {given.dtype}", node=name, expected=dtype))
            continue
        if given.dtype.kind == "f" and not numpy.isfinite(given).all():
            problems.append(Diagnostic("GB814", f"the samples of {name} hold numbers that are not finite", node=name))
        found[name] = given.astype(dtype)
    if len(set(counts.values())) > 1:
        text = ", ".join(f"{name} {count}" for name, count in counts.items())
        problems.append(Diagnostic("GB814", f"the inputs have unequal numbers of samples: {text}"))
    if counts and not min(counts.values()):
        problems.append(Diagnostic("GB814", "there is no sample", expected="at least one; a hundred tell ranges well"))
    if problems:
        raise BlueprintError(problems)
    return found


def feed(samples: Mapping[str, np.ndarray], inputs: InputSpecs, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The samples as the converter takes them: a batch at a time, of the model's own size.

    Arguments:
        samples: as `checked_samples` gives them.
        inputs: the model's inputs.
        names: what the exported signature calls them.
    """
    import numpy

    size = next(iter(inputs.values()))[0][0] or 1
    count = min(len(given) for given in samples.values())
    for start in range(0, count, size):
        # The last batch is filled up from the beginning, because the model takes whole ones.
        chosen = numpy.arange(start, start + size) % count
        yield {names[name]: given[chosen] for name, given in samples.items()}
