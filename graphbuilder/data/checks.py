"""Holds arrays against what a graph needs: shape axis by axis, dtype, numbers that are finite, values in range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphbuilder.catalog import shape_text
from graphbuilder.data.faults import Faults, as_others
from graphbuilder.data.wants import Values, Wanted, Wants
from graphbuilder.errors import suggestion

if TYPE_CHECKING:
    import numpy

__all__ = ["Axes", "Offence", "check_arrays", "check_names", "check_shape", "converted", "offences"]


@dataclass(frozen=True, slots=True)
class Offence:
    """Values that an array may not hold.

    Arguments:
        code: the diagnostic's code.
        what: what the first offending sample holds, such as "is 10".
        expected: what would be accepted.
        sample: the index of the first offending sample.
        count: how many samples offend.
        hint: how to mend it.
    """

    code: str
    what: str
    expected: str
    sample: int
    count: int
    hint: str | None = None


class Axes:
    """The sizes that named axes have taken on, and where."""

    def __init__(self) -> None:
        self._sizes: dict[str, tuple[int, str]] = {}

    def disagreement(self, axis: str, size: int, array: str) -> tuple[int, str] | None:
        """What a named axis was before, and in which array, where that is another size."""
        before = self._sizes.setdefault(axis, (size, array))
        return None if before[0] == size else before


def check_names(
    found: Sequence[str], wants: Wants, faults: Faults, thing: str, columns: Mapping[str, Sequence[str]] | None = None
) -> dict[str, str]:
    """Which array of a source holds what the graph needs.

    Arguments:
        found: the names of the arrays.
        wants: what the graph needs.
        faults: takes what is missing or superfluous.
        thing: what the source calls them: "array", "feature".
        columns: names that the user stated, by the wanted name.

    Returns:
        The array's name by the wanted name, for those that are there.
    """
    stated = columns or {}
    matched: dict[str, str] = {}
    for wanted in wants:
        names = tuple(stated[wanted.name]) if wanted.name in stated else wanted.names
        held = next((name for name in names if name in found), None)
        if held is not None:
            matched[wanted.name] = held
    left = [name for name in found if name not in matched.values()]
    for wanted in wants:
        if wanted.name in matched:
            continue
        asked = stated.get(wanted.name, (wanted.name,))[0]
        faults.add(
            "GB703",
            f"there is no {thing} {asked}",
            node=wanted.name,
            expected=str(wanted),
            hint=suggestion(asked, left, listing=f"it holds {', '.join(found)}" if found else None),
        )
    if len(matched) == len(list(wants)):
        for name in left:
            known = ", ".join(wanted.name for wanted in wants)
            faults.warn("GB704", f"the {thing} {name} is not used", hint=f"the blueprint takes {known}")
    return matched


def check_shape(shape: tuple[int, ...], wanted: Wanted, axes: Axes, faults: Faults, name: str) -> bool:
    """Whether an array's shape fits; an axis of size 1 at the end may be missing or superfluous.

    Arguments:
        shape: the array's, the samples' axis first.
        wanted: what it should be.
        axes: the sizes of named axes so far.
        faults: takes what does not fit.
        name: what the array is called in its source.
    """
    if not shape:
        message = f"the array {name} is a single value"
        faults.add("GB705", message, node=wanted.name, expected=str(wanted), hint="its first axis counts the samples")
        return False
    if wanted.shape is None:
        return True
    given, expected = _same_rank(shape[1:], wanted.shape), wanted.shape
    text = shape_text(shape)
    if len(given) != len(expected):
        faults.add(
            "GB705",
            f"the array {name} has shape {text}",
            node=wanted.name,
            found=text,
            expected=shape_text(("samples", *expected)),
            hint=_rank_hint(shape[1:], wanted),
        )
        return False
    wrong = [
        f"axis {at} is {size} and must be {dim}"
        for at, (size, dim) in enumerate(zip(given, expected, strict=True), 1)
        if isinstance(dim, int) and size != dim
    ]
    for at, (size, dim) in enumerate(zip(given, expected, strict=True), 1):
        if isinstance(dim, str) and (before := axes.disagreement(dim, size, name)):
            wrong.append(f"axis {at}, {dim}, is {size} here and {before[0]} in {before[1]}")
    if wrong:
        faults.add(
            "GB705",
            f"the array {name} has shape {text}",
            node=wanted.name,
            found=text,
            expected=shape_text(("samples", *expected)),
            hint="; ".join(wrong),
        )
    return not wrong


def _same_rank(given: tuple[int, ...], expected: tuple[Any, ...]) -> tuple[int, ...]:
    """The axes, with one of size 1 put on or taken off the end where that is all that differs."""
    if len(given) == len(expected) + 1 and given[-1] == 1:
        return given[:-1]
    if len(given) + 1 == len(expected) and expected[-1] == 1:
        return (*given, 1)
    return given


def _rank_hint(given: tuple[int, ...], wanted: Wanted) -> str | None:
    expected = wanted.shape or ()
    if wanted.rule.values is Values.CLASSES and given and given[-1] == wanted.rule.size:
        return "these look one-hot: take the loss categorical_crossentropy, or labels.argmax(axis=-1)"
    if wanted.rule.values is Values.ONE_HOT and len(given) == len(expected) - 1:
        return "these look like class numbers: take the loss sparse_categorical_crossentropy"
    return f"it has {len(given)} axes beside the samples' and needs {len(expected)}"


def _kind(dtype: Any) -> str:
    """What a NumPy dtype holds, in a word."""
    kinds = {"b": "truth values", "i": "integers", "u": "integers", "f": "floats", "c": "complex numbers"}
    return kinds.get(dtype.kind, "text" if dtype.kind in "SUT" else "objects")


def converted(array: numpy.ndarray, wanted: Wanted, faults: Faults, name: str) -> numpy.ndarray | None:
    """The array in the shape and dtype that the model takes, or None where its dtype cannot become that.

    Numbers that stay the same are cast: integers and truth values to floats, whole floats to integers that hold them.

    Arguments:
        array: what was read; its shape fits.
        wanted: what it should be.
        faults: takes what does not fit.
        name: what the array is called in its source.
    """
    import numpy as np

    if wanted.shape is not None and array.ndim - 1 != len(wanted.shape):
        array = array[..., 0] if array.ndim - 1 > len(wanted.shape) else array[..., None]
    kind, target = array.dtype.kind, wanted.dtype

    def refuse(hint: str) -> None:
        message = f"the array {name} holds {_kind(array.dtype)} ({array.dtype})"
        faults.add("GB706", message, node=wanted.name, found=str(array.dtype), expected=target, hint=hint)

    if target == "string":
        if kind in "SUT":
            return array
        refuse("give text, as an array of dtype U")
        return None
    if kind not in "biuf" and not (kind == "c" and target.startswith("complex")):
        refuse("give numbers; text must be turned into ids first" if kind in "SUT" else "give numbers")
        return None
    if target == "bfloat16":
        # NumPy has no such numbers; TensorFlow casts them when they are fed.
        target = "float32"
    if np.dtype(target).kind in "iu" and kind == "f":
        whole = np.isfinite(array)
        whole &= array == np.floor(np.where(whole, array, 0))
        if not whole.all():
            at = int(np.argmin(whole.reshape(len(array), -1).all(axis=1)))
            refuse(f"only whole numbers become integers; sample {at} holds others")
            return None
    if np.dtype(target).kind in "iu" and kind in "iuf" and array.size:
        limits = np.iinfo(target)
        if array.min() < limits.min or array.max() > limits.max:
            refuse(f"its numbers go from {array.min()} to {array.max()}, and {target} ends at {limits.max}")
            return None
    if target == "bool" and kind != "b" and not np.isin(array, (0, 1)).all():
        refuse("only 0 and 1 become truth values")
        return None
    with np.errstate(over="ignore"):
        return array.astype(target, copy=False)


def check_arrays(
    arrays: Mapping[str, numpy.ndarray], names: Mapping[str, str], wants: Wants, faults: Faults
) -> dict[str, numpy.ndarray]:
    """The arrays as the model takes them, by the wanted names; what does not fit is noted.

    Arguments:
        arrays: what was read, by its name in the source.
        names: the source's name by the wanted name.
        wants: what the graph needs.
        faults: takes what does not fit.
    """
    axes = Axes()
    ready: dict[str, numpy.ndarray] = {}
    for wanted in wants:
        name = names.get(wanted.name)
        if name is None:
            continue
        array = arrays[name]
        if not check_shape(array.shape, wanted, axes, faults, name):
            continue
        made = converted(array, wanted, faults, name)
        if made is None:
            continue
        for offence in offences(made, wanted):
            faults.add(
                offence.code,
                f"sample {offence.sample} of the array {name} {offence.what}{as_others(offence.count)}",
                node=wanted.name,
                expected=offence.expected,
                hint=offence.hint,
            )
        ready[wanted.name] = made
    check_counts({names[name]: len(array) for name, array in ready.items()}, faults)
    return ready


def check_counts(counts: Mapping[str, int], faults: Faults) -> None:
    """Notes arrays that do not hold equally many samples, and arrays without any."""
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} has {count:,}" for name, count in counts.items())
        hint = "every array needs one entry for each sample"
        faults.add("GB709", f"the arrays hold unequal numbers of samples: {told}", hint=hint)
    elif counts and not next(iter(counts.values())):
        faults.add("GB710", "the arrays are empty", expected="at least one sample")


def offences(array: numpy.ndarray, wanted: Wanted) -> list[Offence]:
    """The values of a converted array that may not be there.

    Arguments:
        array: in the shape and dtype that the model takes.
        wanted: what it should be.
    """
    import numpy as np

    if not array.size:
        return []
    if array.dtype.kind in "fc":
        finite = np.isfinite(array)
        if not finite.all():
            samples = _samples(~finite)
            held = array[samples[0]][~finite[samples[0]]].flat[0]
            advice = "leave those samples out, or fill them in"
            return [Offence("GB707", f"holds {held}", "finite numbers", samples[0], len(samples), advice)]
    rule = wanted.rule
    if rule.values in (Values.IDS, Values.CLASSES):
        return _whole_range(array, wanted)
    if array.dtype.kind not in "iuf":
        return []
    if rule.values is Values.ONE_HOT:
        return _one_hot(array, wanted)
    bounds: dict[Values, tuple[Any, str]] = {
        Values.UNIT: ((array < 0) | (array > 1), "from 0 to 1"),
        Values.SIGNS: (~np.isin(array, (-1, 0, 1)), "-1 or 1, or 0 or 1"),
        Values.POSITIVE: (array < 0, "0 or more"),
    }
    if rule.values not in bounds:
        return []
    wrong, expected = bounds[rule.values]
    if not wrong.any():
        return []
    samples = _samples(wrong)
    held = array[samples[0]][wrong[samples[0]]].flat[0]
    expected = f"{expected}, for {rule.because}"
    hint: str | None = None
    if rule.values is Values.UNIT and bool((array == np.floor(array)).all()):
        hint = "for more than two classes take softmax and sparse_categorical_crossentropy"
    return [Offence("GB708", f"is {_number(held)}", expected, samples[0], len(samples), hint)]


def _samples(wrong: Any) -> list[int]:
    """The indices of the samples in which anything is wrong."""
    import numpy as np

    return [int(at) for at in np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))]


def _number(value: Any) -> str:
    return f"{value:g}" if getattr(value, "dtype", None) is not None and value.dtype.kind == "f" else str(value)


def _whole_range(array: numpy.ndarray, wanted: Wanted) -> list[Offence]:
    """Ids and class numbers that are negative or too large."""
    rule = wanted.rule
    wrong = array < 0
    if rule.size is not None:
        wrong = wrong | (array >= rule.size)
    if rule.ignored is not None:
        wrong &= array != rule.ignored
    if not wrong.any():
        return []
    samples = _samples(wrong)
    held = array[samples[0]][wrong[samples[0]]].flat[0]
    most = "0 or more" if rule.size is None else f"0 to {rule.size - 1}"
    hint: str | None = None
    if rule.size is not None:
        largest = int(array.max())
        if int(array.min()) == 1 and largest == rule.size:
            hint = "they seem to count from 1: subtract 1"
        elif rule.values is Values.CLASSES:
            hint = f"the labels go up to {largest}: {wanted.name} needs {largest + 1} units, or the labels are wrong"
        else:
            hint = f"the ids go up to {largest}: input_dim must be {largest + 1} or more"
    expected = f"{most}, for {rule.because}"
    return [
        Offence("GB708", f"{'is' if array.ndim == 1 else 'holds'} {held}", expected, samples[0], len(samples), hint)
    ]


def _one_hot(array: numpy.ndarray, wanted: Wanted) -> list[Offence]:
    """Rows that are no distribution over the classes."""
    import numpy as np

    total = array.sum(axis=-1)
    wrong = (array < 0).any(axis=-1) | (np.abs(total - 1) > 1e-3)
    if not wrong.any():
        return []
    samples = _samples(wrong)
    held = total[samples[0]] if np.ndim(total[samples[0]]) == 0 else total[samples[0]][wrong[samples[0]]].flat[0]
    expected = f"parts from 0 to 1 that add up to 1, for {wanted.rule.because}"
    return [Offence("GB708", f"adds up to {_number(held)}", expected, samples[0], len(samples))]
