"""The forms that options of compression passes take: where, schedules, structures of sparsity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from graphbuilder.catalog.arguments import as_written, conflict, refuse
from graphbuilder.errors import suggestion

__all__ = ["Block", "ConstantSchedule", "PolynomialSchedule", "Schedule", "Selection", "Structure", "Where"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which layers a pass touches.

    Arguments:
        nodes: names and patterns of nodes; a block's name stands for all that is in it. Empty for all.
        layers: kinds of layers. Empty for all.
        excluded: names, patterns or kinds that are left out.
    """

    nodes: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConstantSchedule:
    """The whole sparsity from one moment on.

    Arguments:
        begin: the share of the run before it.
    """

    begin: float = 0.0


@dataclass(frozen=True, slots=True)
class PolynomialSchedule:
    """A sparsity that grows from step to step: s = s₁ + (s₀ - s₁)(1 - t)ᵖ, where t goes from 0 to 1.

    Source: Zhu and Gupta 2017, https://arxiv.org/abs/1710.01878

    Arguments:
        initial: s₀, the sparsity at the beginning.
        begin: the share of the run before it.
        end: the share of the run at which it is reached; what remains trains with it.
        power: p.
    """

    initial: float = 0.0
    begin: float = 0.0
    end: float = 0.75
    power: float = 3.0


@dataclass(frozen=True, slots=True)
class Block:
    """Sparsity of whole blocks of a matrix.

    Arguments:
        block: rows and columns.
        pooling: what stands for a block when they are compared: "average" or "max".
    """

    block: tuple[int, int]
    pooling: Literal["average", "max"] = "average"


_WHERE_KEYS = ("nodes", "layers", "except")


def _where(value: Any) -> Any:
    """{nodes, layers, except} as a Selection."""
    if isinstance(value, Selection):
        return value
    if not isinstance(value, dict):
        raise refuse("a mapping {nodes: […], layers: […], except: […]}")
    found: dict[str, tuple[str, ...]] = {}
    for key, written in value.items():
        if key not in _WHERE_KEYS:
            hint = suggestion(key, _WHERE_KEYS)
            raise conflict((key,), f"{key} is not known here", hint=hint, code="GB201", on_key=True)
        items = written if isinstance(written, list) else [written]
        for index, item in enumerate(items):
            if not isinstance(item, str):
                place = (key, index) if isinstance(written, list) else (key,)
                raise conflict(place, f"{key} holds {as_written(item)}", "names or patterns", code="GB204")
        found[key] = tuple(items)
    return Selection(found.get("nodes", ()), found.get("layers", ()), found.get("except", ()))


_NAMES = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Where = Annotated[
    Selection,
    BeforeValidator(_where),
    WithJsonSchema({"type": "object", "properties": dict.fromkeys(_WHERE_KEYS, _NAMES), "additionalProperties": False}),
]


def _numbers(name: str, written: Any, known: dict[str, tuple[float, float]]) -> dict[str, float]:
    """The options of a schedule, each within its bounds."""
    if not isinstance(written, dict):
        raise conflict((name,), f"{name} is {as_written(written)}", f"a mapping of {', '.join(known)}")
    for key, value in written.items():
        if key not in known:
            hint = suggestion(key, list(known))
            raise conflict((name, key), f"{key} is not known here", hint=hint, code="GB201", on_key=True)
        low, high = known[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise conflict((name, key), f"{key} is {as_written(value)}", f"a number from {low:g} to {high:g}")
    return {key: float(value) for key, value in written.items()}


def _schedule(value: Any) -> Any:
    if isinstance(value, (ConstantSchedule, PolynomialSchedule)):
        return value
    if value == "constant":
        return ConstantSchedule()
    if value == "polynomial":
        return PolynomialSchedule()
    if isinstance(value, dict) and len(value) == 1:
        name, options = next(iter(value.items()))
        if name == "constant":
            return ConstantSchedule(**_numbers(name, options, {"begin": (0, 0.99)}))
        if name == "polynomial":
            known = {"initial": (0.0, 0.99), "begin": (0.0, 0.99), "end": (0.01, 1.0), "power": (0.1, 10.0)}
            made = PolynomialSchedule(**_numbers(name, options, known))
            if made.end <= made.begin:
                raise conflict((name, "end"), f"end is {made.end:g} and begin {made.begin:g}", "an end behind begin")
            return made
    raise refuse("constant, polynomial, or {polynomial: {initial: 0.5, end: 0.8}}")


_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
Schedule = Annotated[
    ConstantSchedule | PolynomialSchedule,
    BeforeValidator(_schedule),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["constant", "polynomial"]},
                {
                    "type": "object",
                    "properties": {
                        "constant": {"type": "object", "properties": {"begin": _SHARE}, "additionalProperties": False},
                        "polynomial": {
                            "type": "object",
                            "properties": {
                                "initial": _SHARE,
                                "begin": _SHARE,
                                "end": _SHARE,
                                "power": {"type": "number", "minimum": 0.1, "maximum": 10},
                            },
                            "additionalProperties": False,
                        },
                    },
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


def _structure(value: Any) -> Any:
    if isinstance(value, Block) or value in ("unstructured", "2:4"):
        return value
    # YAML 1.1 read 2:4 as a number in base 60; YAML 1.2 and JSON read a string, and so does this.
    if isinstance(value, dict) and "block" in value:
        for key in value:
            if key not in ("block", "pooling"):
                hint = suggestion(key, ["block", "pooling"])
                raise conflict((key,), f"{key} is not known here", hint=hint, code="GB201", on_key=True)
        sizes = value["block"]
        if not isinstance(sizes, list) or len(sizes) != 2 or not all(type(size) is int and size >= 1 for size in sizes):
            raise conflict(("block",), f"block is {as_written(sizes)}", "[rows, columns], such as [1, 4]")
        pooling = value.get("pooling", "average")
        if pooling not in ("average", "max"):
            raise conflict(("pooling",), f"pooling is {as_written(pooling)}", "average or max")
        return Block((sizes[0], sizes[1]), pooling)
    raise refuse("unstructured, 2:4, or {block: [1, 4]}", 'write structure: "2:4"' if value == "2/4" else None)


Structure: TypeAlias = Annotated[
    Any,
    BeforeValidator(_structure),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["unstructured", "2:4"]},
                {
                    "type": "object",
                    "properties": {
                        "block": {
                            "type": "array",
                            "items": {"type": "integer", "minimum": 1},
                            "minItems": 2,
                            "maxItems": 2,
                        },
                        "pooling": {"enum": ["average", "max"]},
                    },
                    "required": ["block"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
