"""Configurations of catalog entries: each entry's examples, with arguments and inputs changed one or a few at a time.

What values an argument may have is read off its JSON Schema; how it may be wrong, off the same. Whether a configuration
as a whole is right is not known here, and does not matter: the catalog and Keras must agree on that too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from graphbuilder.catalog import BATCH, Entry, LayerEntry, TensorType
from graphbuilder.catalog.tensor import Dim
from tests.catalog.cases import WEAK, Case, example_cases
from tests.catalog.values import Schema, alternatives, arguments_of, object_kind, right_values, within, wrong_values

__all__ = ["cases", "small", "systematic_cases"]

_SIZES: tuple[Dim, ...] = (1, 2, 3, 4, 5, 6, 8, 11, None, "n")
_DTYPES = ("float32", "float16", "bfloat16", "float64", "int32", "int64", "uint8", "bool")


def systematic_cases(kind: type[Entry]) -> list[Case]:
    """The examples; and from the first one, each argument and each input changed in each way, one at a time."""
    found: list[Case] = []
    examples = example_cases(kind)
    if not examples:
        return []
    base = small(examples[0])
    for name, schema in arguments_of(kind).items():
        is_object = object_kind(schema) is not None
        right = right_values(kind, schema)
        shown = right[:1] if is_object or name == "trainable" else right[:4] if name != "dtype" else right[::3]
        found += [base.with_argument(name, value) for value in shown if base.arguments.get(name, ...) != value]
        if not is_object:
            found += [base.with_argument(name, value) for value in wrong_values(kind, schema)[:4]]
    for name, argument in kind.call_arguments.items():
        found += [replace(base, call={**base.call, name: value}) for value in (True, False) if argument.kind is bool]
    return [*examples, *found, *_changed_inputs(base)]


def _changed_inputs(base: Case) -> Iterator[Case]:
    leaves = list(base.leaves())
    for size in dict.fromkeys(dim for leaf in leaves for dim in leaf.shape):
        for changed in (1, 2, None, "n") if size != BATCH else (2, None):
            yield base.with_leaves([_substituted(leaf, size, changed) for leaf in leaves])
    for index, leaf in enumerate(leaves[:2]):
        if leaf.dtype in WEAK:
            continue
        yield base.with_leaf(index, leaf.with_shape(leaf.shape[:-1]))
        yield base.with_leaf(index, leaf.with_shape((*leaf.shape, 2)))
        yield base.with_leaf(index, leaf.with_shape((*leaf.shape[:-1], None)))
        if len(leaf.shape) > 1:
            yield base.with_leaf(index, leaf.with_shape((*leaf.shape[:1], 7, *leaf.shape[2:])))
    for dtype in ("float16", "int32", "bool"):
        yield base.with_leaves([leaf if leaf.dtype in WEAK else TensorType(leaf.shape, dtype) for leaf in leaves])
    if len(leaves) > 1 and leaves[1].dtype not in WEAK:
        yield base.with_leaf(1, TensorType(leaves[1].shape, "int32"))


def small(case: Case) -> Case:
    """The case with large axes made small, where the entry takes it so."""
    leaves = list(case.leaves())
    large = sorted({dim for leaf in leaves for dim in leaf.shape if isinstance(dim, int) and dim > 12})
    for number, size in enumerate(large):
        tried = case.with_leaves([_substituted(leaf, size, 12 - number % 3 * 2) for leaf in case.leaves()])
        try:
            entry = case.kind.model_validate(dict(tried.arguments))
            entry.outputs(tried.types)
            if isinstance(entry, LayerEntry):
                entry.weights(tried.types)
        except Exception:  # whatever the reason: the axis stays as the example has it
            continue
        case = tried
    return case


def _substituted(leaf: TensorType, size: Dim, changed: Dim) -> TensorType:
    return leaf.with_shape(changed if dim == size and type(dim) is type(size) else dim for dim in leaf.shape)


@st.composite
def cases(draw: st.DrawFn, kind: type[Entry]) -> Case:
    """An example of an entry with up to four things changed."""
    examples = example_cases(kind)
    case = draw(st.sampled_from([*map(small, examples), *examples[:1]]))
    arguments = arguments_of(kind)
    plain = [name for name, schema in arguments.items() if object_kind(schema) is None and name != "trainable"]
    for _ in range(draw(st.sampled_from((1, 1, 2, 2, 3)))):
        pick = draw(st.integers(0, 9))
        if pick == 0 and len(plain) < len(arguments):
            name = draw(st.sampled_from([name for name in arguments if name not in plain]))
        elif plain:
            name = draw(st.sampled_from(plain))
        else:
            break
        value = draw(_values(kind, arguments[name], case, case.arguments.get(name)))
        if value is not _NOTHING:
            case = case.with_argument(name, value)
    for _ in range(draw(st.sampled_from((0, 1, 1, 2)))):
        case = draw(_changed(case))
    for name, argument in kind.call_arguments.items():
        if argument.kind is bool and draw(st.integers(0, 3)) == 0:
            case = replace(case, call={**case.call, name: draw(st.booleans())})
    return case


_NOTHING = object()


def _values(kind: type[Entry], schema: Schema, case: Case, now: Any) -> st.SearchStrategy[Any]:
    """Values for one argument: mostly right ones, some wrong ones, and variations of what stands there."""
    if object_kind(schema) is not None:
        return st.sampled_from([*right_values(kind, schema), *wrong_values(kind, schema)])
    plain = alternatives(kind, schema)
    choices: list[Any] = []
    for item in plain:
        if item.get("type") == "integer" and "enum" not in item:
            sizes = [dim for leaf in case.leaves() for dim in leaf.shape if isinstance(dim, int) and dim <= 12]
            choices += [size for size in sizes if within(size, item)][:4]
    if isinstance(now, (list, tuple)) and now:
        row = list(now)
        choices += [row[::-1], row[1:], [*row, row[0]], [*row[:-1], 1]]
        if all(isinstance(item, int) and not isinstance(item, bool) for item in row):
            choices += [[-1, *row[1:]], [row[0] + 1, *row[1:]], [*row[:-1], row[-1] * 2]]
    right = right_values(kind, schema)
    wrong = wrong_values(kind, schema)
    found: list[st.SearchStrategy[Any]] = [
        st.sampled_from(values) for values in (right, right, right, choices, wrong) if values
    ]
    return st.one_of(found) if found else st.just(_NOTHING)


@st.composite
def _changed(draw: st.DrawFn, case: Case) -> Case:
    """The case with its inputs changed in one way."""
    leaves = list(case.leaves())
    if not leaves:
        return case
    index = draw(st.integers(0, len(leaves) - 1))
    leaf = leaves[index]
    if leaf.dtype in WEAK:
        return case
    way = draw(st.sampled_from(("everywhere", "everywhere", "everywhere", "axis", "axis", "rank", "dtype", "count")))
    if way == "everywhere" and leaf.shape:
        size = draw(st.sampled_from(leaf.shape))
        changed = draw(st.sampled_from(_SIZES))
        return case.with_leaves([_substituted(other, size, changed) for other in leaves])
    if way == "axis" and leaf.shape:
        axis = draw(st.integers(0, leaf.rank - 1))
        shape = list(leaf.shape)
        shape[axis] = draw(st.sampled_from(_SIZES))
        return case.with_leaf(index, leaf.with_shape(shape))
    if way == "rank":
        axis = draw(st.integers(0, leaf.rank))
        longer = (*leaf.shape[:axis], draw(st.sampled_from(_SIZES)), *leaf.shape[axis:])
        shorter = (*leaf.shape[:axis], *leaf.shape[axis + 1 :])
        return case.with_leaf(index, leaf.with_shape(draw(st.sampled_from((longer, shorter)))))
    if way == "dtype":
        return case.with_leaf(index, TensorType(leaf.shape, draw(st.sampled_from(_DTYPES))))
    if way == "count":
        return draw(_other_count(case))
    return case


@st.composite
def _other_count(draw: st.DrawFn, case: Case) -> Case:
    """The case with a tensor more or less at a port that takes several, or without an optional one."""
    inputs = dict(case.inputs)
    for port in case.kind.ports:
        found = inputs.get(port.name)
        if isinstance(found, tuple):
            inputs[port.name] = (*found, found[-1]) if draw(st.booleans()) or len(found) <= port.least else found[:-1]
        elif found is not None and port.optional and draw(st.booleans()):
            del inputs[port.name]
    return replace(case, inputs=inputs)
