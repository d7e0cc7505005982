"""The types of layer arguments: what Keras takes, normalized, with messages that say what was found and expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticUndefined

from graphbuilder.catalog.object_options import expected_option
from graphbuilder.catalog.objects import KINDS, ObjectSpec
from graphbuilder.errors import suggestion

__all__ = [
    "GLOROT_UNIFORM",
    "ONES",
    "ORTHOGONAL",
    "SIGMOID",
    "TANH",
    "UNIFORM",
    "ZEROS",
    "Activation",
    "Axes",
    "Axis",
    "Constraint",
    "DataFormat",
    "Fraction",
    "Initializer",
    "NonNegative",
    "NonNegativeInt",
    "Padding",
    "PartialShape",
    "PositiveInt",
    "Regularizer",
    "RequiredInitializer",
    "Seed",
    "Size1",
    "Size2",
    "Size3",
    "argument",
    "as_written",
    "conflict",
    "refuse",
]


def as_written(value: Any) -> str:
    """A value as its author would write it, shortened to 60 characters."""
    if value is None:
        text = "null"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = f"'{value}'"
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(as_written(item) for item in value[:12]) + (", …]" if len(value) > 12 else "]")
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{key}: {as_written(item)}" for key, item in list(value.items())[:12]) + "}"
    else:
        text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def refuse(expected: str, hint: str | None = None) -> PydanticCustomError:
    """The error of a value that a validator does not take.

    Arguments:
        expected: what would be taken, as it reads after "expected".
        hint: how to mend it, in one sentence.
    """
    return PydanticCustomError("refused", "{expected}", {"expected": expected, "hint": hint})


def argument(about: str, default: Any = PydanticUndefined) -> Any:
    """A field of a catalog entry: one line for people, and Keras's default unless the argument is required."""
    return Field(default, description=about)


def conflict(
    place: str | tuple[str | int, ...],
    message: str,
    expected: str | None = None,
    hint: str | None = None,
    *,
    code: str = "GB203",
    on_key: bool = False,
    fix: str | None = None,
) -> PydanticCustomError:
    """The error of a value that needs a sentence of its own, such as an argument that is wrong beside another one.

    Arguments:
        place: the argument to point at, or the keys that lead to it, from what is being validated.
        message: what is wrong and what was found, in one sentence without a full stop.
        expected: what would be taken.
        hint: how to mend it, in one sentence.
        code: the diagnostic's code.
        on_key: whether the key, not the value, is at fault.
        fix: the text that would stand in the place of what is at fault, where one is likely.
    """
    context = {
        "path": (place,) if isinstance(place, str) else place,
        "message": message,
        "expected": expected,
        "hint": hint,
        "code": code,
        "on_key": on_key,
        "fix": fix,
    }
    return PydanticCustomError("conflict", "{message}", context)


PositiveInt = Annotated[int, Field(ge=1)]
NonNegativeInt = Annotated[int, Field(ge=0)]
# Strict floats: integers are taken for them, true and false are not.
Fraction = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
# What a seed may be: Keras keeps it in 64 bits.
Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]


def _repeated(rank: int) -> Callable[[Any], Any]:
    """A validator that spreads one integer over all axes, as Keras does."""
    expected = "a positive integer" + (f" or a list of {rank}" if rank > 1 else "")

    def spread(value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            value = (value,) * rank
        if not isinstance(value, (list, tuple)) or len(value) != rank:
            raise refuse(expected)
        for item in value:
            if not isinstance(item, int) or isinstance(item, bool) or item < 1:
                raise refuse(expected)
        return tuple(value)

    return spread


def _size_schema(rank: int) -> WithJsonSchema:
    one = {"type": "integer", "minimum": 1}
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": one, "minItems": rank, "maxItems": rank}]})


Size1 = Annotated[tuple[int], BeforeValidator(_repeated(1)), Field(strict=False), _size_schema(1)]
Size2 = Annotated[tuple[int, int], BeforeValidator(_repeated(2)), Field(strict=False), _size_schema(2)]
Size3 = Annotated[tuple[int, int, int], BeforeValidator(_repeated(3)), Field(strict=False), _size_schema(3)]


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _axes(value: Any) -> Any:
    """One axis, or several as a tuple."""
    if isinstance(value, (list, tuple)) and all(_is_integer(item) for item in value):
        return tuple(value)
    if not _is_integer(value):
        raise refuse("an integer or a list of integers")
    return value


Axis: TypeAlias = int
Axes = Annotated[
    int | tuple[int, ...],
    BeforeValidator(_axes),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}),
]


def _partial_shape(value: Any) -> Any:
    """Sizes of which some may be left open, as a tuple."""
    if not isinstance(value, (list, tuple)) or not all(
        item is None or (_is_integer(item) and item >= 1) for item in value
    ):
        raise refuse("a list of sizes, each a positive integer or null")
    return tuple(value)


PartialShape = Annotated[
    tuple[int | None, ...],
    BeforeValidator(_partial_shape),
    WithJsonSchema({"type": "array", "items": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}}),
]

Padding: TypeAlias = Literal["valid", "same"]
DataFormat: TypeAlias = Literal["channels_last", "channels_first"]


def _object_parser(kind_name: str) -> Callable[[Any], Any]:
    """A validator that turns a name, or `{name: {options}}`, into an ObjectSpec."""
    kind = KINDS[kind_name]
    form = f"the name of {'an' if kind_name[0] in 'aeiou' else 'a'} {kind_name}, or {{name: {{options}}}}"

    def parse(value: Any) -> Any:
        if value is None or isinstance(value, ObjectSpec):
            return value
        options: Any = {}
        if isinstance(value, dict) and len(value) == 1:
            value, options = next(iter(value.items()))
            options = {} if options is None else options
        if not isinstance(value, str) or not isinstance(options, dict):
            raise refuse(form)
        canonical = kind.canonical(value)
        if value in kind.unusable:
            message = f"{kind_name} {value} cannot be used here: {kind.unusable[value]}"
            raise conflict((), message, hint=f"use a node of its own: {{op: {value}}}")
        if canonical is None:
            raise refuse(
                form, suggestion(value, kind.names, listing=f"`graphbuilder layers --{kind_name}s` lists them")
            )
        known = kind.options[canonical]
        for option in options:
            if option not in known:
                takes = f"takes {', '.join(known)}" if known else "takes no options"
                hint = suggestion(option, known, listing=f"{value} {takes}")
                raise conflict((value, option), f"{value} has no option {option}", hint=hint, code="GB201", on_key=True)
            expected = expected_option(canonical, option, options[option])
            if expected is not None:
                message = f"{option} of {value} is {as_written(options[option])}"
                raise conflict((value, option), message, expected)
        return ObjectSpec(kind_name, value, options)

    return parse


def _required(value: Any) -> Any:
    if value is None:
        raise refuse("the name of an initializer, or {name: {options}}", "leave it out to have Keras's default")
    return value


def _object_schema(kind_name: str) -> WithJsonSchema:
    kind = KINDS[kind_name]
    properties = {
        name: {
            "type": ["object", "null"],
            "properties": {option: {} for option in options},
            "additionalProperties": False,
        }
        for name, options in kind.options.items()
    }
    named = {"type": "object", "properties": properties, "minProperties": 1, "maxProperties": 1}
    return WithJsonSchema({"anyOf": [{"enum": kind.names}, named, {"type": "null"}]})


Initializer = Annotated[
    ObjectSpec | None, BeforeValidator(_object_parser("initializer")), _object_schema("initializer")
]
# For layers that copy it, which null does not allow.
RequiredInitializer = Annotated[Initializer, BeforeValidator(_required)]
Regularizer = Annotated[
    ObjectSpec | None, BeforeValidator(_object_parser("regularizer")), _object_schema("regularizer")
]
Constraint = Annotated[ObjectSpec | None, BeforeValidator(_object_parser("constraint")), _object_schema("constraint")]
Activation = Annotated[ObjectSpec | None, BeforeValidator(_object_parser("activation")), _object_schema("activation")]

ZEROS = ObjectSpec("initializer", "zeros")
ONES = ObjectSpec("initializer", "ones")
UNIFORM = ObjectSpec("initializer", "uniform")
GLOROT_UNIFORM = ObjectSpec("initializer", "glorot_uniform")
ORTHOGONAL = ObjectSpec("initializer", "orthogonal")
TANH = ObjectSpec("activation", "tanh")
SIGMOID = ObjectSpec("activation", "sigmoid")
