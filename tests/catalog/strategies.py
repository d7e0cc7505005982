"""Configurations of catalog entries: each entry's examples, with arguments and inputs changed one or a few at a time.

What values an argument may have is read off its JSON Schema; how it may be wrong, off the same. Whether a configuration
as a whole is right is not known here, and does not matter: the catalog and Keras must agree on that too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeAlias

from hypothesis import strategies as st

from graphbuilder.catalog import BATCH, Entry, Inputs, LayerEntry, TensorType
from graphbuilder.catalog.objects import KINDS
from graphbuilder.catalog.ports import PortTypes
from graphbuilder.catalog.tensor import Dim

__all__ = ["WEAK", "Case", "cases", "example_cases", "systematic_cases"]

Schema: TypeAlias = Mapping[str, Any]

_SIZES: tuple[Dim, ...] = (1, 2, 3, 4, 5, 6, 8, 11, None, "n")
_DTYPES = ("float32", "float16", "bfloat16", "float64", "int32", "int64", "uint8", "bool")
# The dtypes of plain Python numbers, which have no axes. Weak "bool" cannot be told from the dtype of that name.
WEAK = ("int", "float")
_WRONG_NAME = "bogus"
# An array without a stated length grows no longer than this.
_LONGEST = 4

_OBJECTS: Mapping[str, tuple[Any, ...]] = {
    "initializer": (
        "ones",
        "he_normal",
        None,
        {"RandomNormal": {"stddev": 0.1}},
        {"Constant": {"value": 0.5}},
        {"VarianceScaling": {"scale": 2.0, "mode": "fan_out"}},
    ),
    "regularizer": ("l2", {"l1": {"l1": 0.1}}, {"L1L2": {"l1": 0.1, "l2": 0.2}}),
    "constraint": ("non_neg", {"MaxNorm": {"max_value": 2.0}}),
    "activation": ("relu", "linear", "softmax", "sigmoid", "gelu", None, {"relu": {"max_value": 6.0}}),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One configuration of an entry.

    Arguments:
        kind: the entry.
        arguments: as a blueprint writes them.
        inputs: the types at the connected ports.
        call: call arguments that are not tensors.
    """

    kind: type[Entry]
    arguments: Mapping[str, Any]
    inputs: Mapping[str, PortTypes]
    call: Mapping[str, Any]

    @property
    def types(self) -> Inputs:
        """The inputs as the entry's rules take them."""
        return Inputs(self.inputs, self.call)

    def leaves(self) -> Iterator[TensorType]:
        """Every tensor, in the order of the ports."""
        for found in self.inputs.values():
            yield from (found,) if isinstance(found, TensorType) else found

    def with_leaf(self, index: int, changed: TensorType) -> Case:
        """The same with one tensor exchanged."""
        leaves = list(self.leaves())
        leaves[index] = changed
        return self.with_leaves(leaves)

    def with_leaves(self, leaves: list[TensorType]) -> Case:
        """The same with all tensors exchanged."""
        rest = iter(leaves)
        inputs: dict[str, PortTypes] = {
            port: next(rest) if isinstance(found, TensorType) else tuple(next(rest) for _ in found)
            for port, found in self.inputs.items()
        }
        return replace(self, inputs=inputs)

    def with_argument(self, name: str, value: Any) -> Case:
        """The same with one argument set."""
        return replace(self, arguments={**self.arguments, name: value})

    def __str__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        inputs = ", ".join(
            f"{port}: {found}" if isinstance(found, TensorType) else f"{port}: [{', '.join(map(str, found))}]"
            for port, found in self.inputs.items()
        )
        call = f", call {dict(self.call)}" if self.call else ""
        return f"{self.kind.name()}({arguments}) on {inputs}{call}"

    def __repr__(self) -> str:
        return str(self)


def example_cases(kind: type[Entry]) -> list[Case]:
    """The entry's own examples."""
    return [
        Case(
            kind,
            dict(example.arguments),
            {port.name: found for port, found in zip(kind.ports, example.inputs, strict=False)},
            dict(example.call),
        )
        for example in kind.examples
    ]


@cache
def _schema(kind: type[Entry]) -> Schema:
    return kind.model_json_schema()


def _alternatives(kind: type[Entry], schema: Schema) -> list[Schema]:
    """The plain schemas of which a value must meet one."""
    if "$ref" in schema:
        found: Any = _schema(kind)
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return _alternatives(kind, found)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return [plain for item in schema[key] for plain in _alternatives(kind, item)]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": name} for name in schema["type"]]
    return [schema]


def _object_kind(schema: Schema) -> str | None:
    names = schema.get("anyOf", [{}])[0].get("enum")
    return next((name for name, kind in KINDS.items() if kind.names == names), None)


def right_values(kind: type[Entry], schema: Schema) -> list[Any]:
    """A handful of values that a schema takes, the plainest first."""
    found_kind = _object_kind(schema)
    if found_kind is not None:
        return list(_OBJECTS[found_kind])
    found: list[Any] = []
    for plain in _alternatives(kind, schema):
        found += _right(kind, plain)
    return _distinct(found)


def _right(kind: type[Entry], schema: Schema) -> list[Any]:
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return list(schema["enum"])
    match schema.get("type"):
        case "null":
            return [None]
        case "boolean":
            return [True, False]
        case "integer":
            return [value for value in (1, 2, 3, 5, 8, 0, -1, -2, 4, 6) if _within(value, schema)]
        case "number":
            return [value for value in (0.5, 0.1, 0.0, 1.0, 2.0, 1e-3, -0.5) if _within(value, schema)]
        case "string":
            return []
        case "array":
            return _right_arrays(kind, schema)
    return []


def _right_arrays(kind: type[Entry], schema: Schema) -> list[Any]:
    prefix = schema.get("prefixItems")
    if isinstance(prefix, list):
        choices = [right_values(kind, item) for item in prefix]
        return [[options[min(pick, len(options) - 1)] for options in choices] for pick in range(3) if all(choices)]
    items = right_values(kind, schema.get("items", {}))
    least = schema.get("minItems", 0)
    most = min(schema.get("maxItems", max(_LONGEST, least)), max(_LONGEST, least))
    found: list[Any] = []
    for length in range(least, most + 1):
        for shift in range(3):
            row = [items[(shift + position * (shift + 1)) % len(items)] for position in range(length)] if items else []
            if len(row) == length:
                found.append(row)
    return _distinct(found)


def wrong_values(kind: type[Entry], schema: Schema) -> list[Any]:
    """Values of the right kind that a schema does not take: out of bounds, unknown names, lists of another length."""
    if _object_kind(schema) is not None:
        return [_WRONG_NAME]
    found: list[Any] = []
    plain_schemas = _alternatives(kind, schema)
    for plain in plain_schemas:
        match plain.get("type"):
            case "integer":
                found += [value for value in (0, -1, -2, 7) if not _within(value, plain)]
            case "number":
                found += [value for value in (-0.5, 0.0, 1.0, 1.5) if not _within(value, plain)]
            case "array" if "items" in plain or "prefixItems" in plain:
                found += _wrong_arrays(kind, plain)
        if "enum" in plain and all(isinstance(name, str) for name in plain["enum"]):
            found.append(_WRONG_NAME)
    # Of flags and numbers that it does not use just then, Keras takes null as it takes anything.
    lenient = ("null", "boolean", "number", "string")
    if not any(plain.get("type") in lenient and "enum" not in plain for plain in plain_schemas):
        found.append(None)
    return [value for value in _distinct(found) if not any(_takes(kind, plain, value) for plain in plain_schemas)]


def _wrong_arrays(kind: type[Entry], schema: Schema) -> list[Any]:
    right = _right_arrays(kind, schema)
    row = next((row for row in right if row), [1])
    found = [row[:-1], [*row, row[-1]]]
    if all(isinstance(item, int) and not isinstance(item, bool) for item in row):
        found += [[*row[:-1], 0], [*row[:-1], -1]]
    return found


def _takes(kind: type[Entry], schema: Schema, value: Any) -> bool:
    """Whether a value meets a plain schema, for the wrong values made above."""
    if isinstance(value, str):
        return bool(value in schema.get("enum", ()))
    if value is None:
        return schema.get("type") == "null"
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        numeric = schema.get("type") == "number" or (schema.get("type") == "integer" and isinstance(value, int))
        return numeric and _within(value, schema)
    if isinstance(value, list) and schema.get("type") == "array":
        length = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        items = _alternatives(kind, schema.get("items", {}))
        return length and all(any(_takes(kind, plain, item) for plain in items) for item in value)
    return False


def _within(value: float, schema: Schema) -> bool:
    return (
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and value > schema.get("exclusiveMinimum", value - 1)
        and value < schema.get("exclusiveMaximum", value + 1)
        and ("enum" not in schema or value in schema["enum"])
    )


def _distinct(values: list[Any]) -> list[Any]:
    seen: set[str] = set()
    return [value for value in values if not (repr(value) in seen or seen.add(repr(value)))]  # type: ignore[func-returns-value]


def _varied(kind: type[Entry]) -> dict[str, Schema]:
    """The arguments whose values are changed, each with its schema."""
    return dict(_schema(kind).get("properties", {}))


def systematic_cases(kind: type[Entry]) -> list[Case]:
    """The examples; and from the first one, each argument and each input changed in each way, one at a time."""
    found: list[Case] = []
    examples = example_cases(kind)
    if not examples:
        return []
    base = small(examples[0])
    for name, schema in _varied(kind).items():
        is_object = _object_kind(schema) is not None
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
    arguments = _varied(kind)
    plain = [name for name, schema in arguments.items() if _object_kind(schema) is None and name != "trainable"]
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
    if _object_kind(schema) is not None:
        return st.sampled_from([*right_values(kind, schema), *wrong_values(kind, schema)])
    plain = _alternatives(kind, schema)
    choices: list[Any] = []
    for item in plain:
        if item.get("type") == "integer" and "enum" not in item:
            sizes = [dim for leaf in case.leaves() for dim in leaf.shape if isinstance(dim, int) and dim <= 12]
            choices += [size for size in sizes if _within(size, item)][:4]
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
