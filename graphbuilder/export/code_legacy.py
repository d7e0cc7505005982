"""What stands for an op in code for tf_keras, which has no keras.ops: functions of TensorFlow, applied in turn.

Which ones is for the backend to find out; here is the form in which it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphbuilder.catalog import OpEntry
from graphbuilder.export.expressions import Calling, Code

__all__ = ["LegacyCode", "Made", "Sliced", "Step", "Steps", "filled"]


@dataclass(frozen=True, slots=True)
class Made:
    """A tensor that an earlier step gave.

    Arguments:
        step: the number of the step.
        output: the number of its output.
    """

    step: int
    output: int


@dataclass(frozen=True, slots=True)
class Sliced:
    """A part of a tensor.

    Arguments:
        tensor: code, or what a step gave.
        key: what stands between the brackets: numbers, slices, None and an ellipsis.
    """

    tensor: Code | Made
    key: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One function of TensorFlow, which tf_keras makes a layer of.

    Arguments:
        suffix: what stands behind the op's name in the layer's.
        expression: the call, with `Made` for what earlier steps gave.
        outputs: how many tensors it gives; None for one that is no list.
    """

    suffix: str
    expression: Calling | Sliced
    outputs: int | None


@dataclass(frozen=True, slots=True)
class Steps:
    """What stands for an op.

    Arguments:
        steps: in the order in which they are done.
        results: what the op gives.
    """

    steps: tuple[Step, ...]
    results: tuple[Made, ...]


# Finds the steps of an op whose arguments are code, by port.
StepsOf: TypeAlias = Callable[[OpEntry, Mapping[str, Any]], Steps]


@dataclass(frozen=True, slots=True)
class LegacyCode:
    """How ops and masks are said to tf_keras.

    Arguments:
        steps: finds the steps of an op.
        unmasked: the calls that give a tensor whose mask Keras 3 would not pass on, with the number of the output.
    """

    steps: StepsOf
    unmasked: Mapping[str, int] = field(default_factory=dict)


def filled(expression: Any, variables: Mapping[Made, Code]) -> Any:
    """An expression with variables in the place of what steps gave.

    Example:
        >>> filled(Sliced(Made(0, 0), (slice(None), 0)), {Made(0, 0): Code("x")}).text
        'x[:, 0]'
    """
    if isinstance(expression, Made):
        return variables[expression]
    if isinstance(expression, Sliced):
        tensor = filled(expression.tensor, variables)
        return Code(f"{tensor.text}[{', '.join(map(_subscript, expression.key))}]")
    if isinstance(expression, Calling):
        keywords = {key: filled(item, variables) for key, item in (expression.keywords or {}).items()}
        return Calling(expression.function, tuple(filled(item, variables) for item in expression.positional), keywords)
    if isinstance(expression, (list, tuple)):
        return type(expression)(filled(item, variables) for item in expression)
    return expression


def _subscript(part: Any) -> str:
    if isinstance(part, slice):
        start, stop, step = ("" if end is None else str(end) for end in (part.start, part.stop, part.step))
        return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"
    return "..." if part is Ellipsis else repr(part)
