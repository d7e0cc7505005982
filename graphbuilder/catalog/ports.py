"""What a layer or op is called with: ports for tensors, and the types that arrive at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphbuilder.catalog.tensor import TensorType, shape_text

__all__ = ["CallArgument", "Inputs", "Misfit", "Port", "PortTypes", "wrong_rank"]

PortTypes: TypeAlias = TensorType | tuple[TensorType, ...]


class Misfit(Exception):
    """Tensors that a layer or op cannot take.

    Arguments:
        message: what is wrong and what was found, in one sentence without a full stop.
        expected: what would be taken.
        hint: how to mend it.
        code: GB304 for shapes, GB305 for dtypes, GB303 for the inputs as such, GB203 for an argument that only the
            inputs prove wrong.
        argument: the layer's argument at fault, when it is that.
    """

    def __init__(
        self,
        message: str,
        *,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
        code: str = "GB304",
        argument: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.found = found
        self.hint = hint
        self.code = code
        self.argument = argument


@dataclass(frozen=True, slots=True)
class Port:
    """A place where a tensor, or a list of them, enters a call.

    Arguments:
        name: the name of Keras's own call argument.
        many: whether it takes a list of tensors.
        optional: whether it may be left empty.
        least: the fewest tensors of a list.
        about: one line for people.
    """

    name: str
    many: bool = False
    optional: bool = False
    least: int = 1
    about: str = ""


@dataclass(frozen=True, slots=True)
class CallArgument:
    """An argument of a call that is not a tensor, such as `use_causal_mask`.

    Arguments:
        kind: the Python type it must have.
        default: Keras's default.
        about: one line for people.
    """

    kind: type
    default: Any = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The types at the ports of one call, and its arguments that are not tensors.

    Arguments:
        ports: the type, or tuple of types, at each connected port.
        call: the call arguments given, defaults left out.
    """

    ports: Mapping[str, PortTypes]
    call: Mapping[str, Any] = field(default_factory=dict)

    @property
    def first(self) -> TensorType:
        """The tensor at the first port."""
        found = next(iter(self.ports.values()))
        return found if isinstance(found, TensorType) else found[0]

    def one(self, name: str) -> TensorType:
        """The tensor at a port that is connected."""
        found = self.ports[name]
        return found if isinstance(found, TensorType) else found[0]

    def get(self, name: str) -> TensorType | None:
        """The tensor at an optional port, or None."""
        return self.one(name) if name in self.ports else None

    def many(self, name: str) -> tuple[TensorType, ...]:
        """The tensors at a port that takes a list; none when it is not connected."""
        found = self.ports.get(name, ())
        return (found,) if isinstance(found, TensorType) else found


def wrong_rank(found: TensorType, expected: str, hint: str | None = None) -> Misfit:
    """The misfit of a tensor with too many or too few axes.

    Arguments:
        found: the tensor.
        expected: the shape that would fit, such as "(batch, height, width, channels)".
        hint: how to mend it.
    """
    return Misfit(
        f"input has {found.rank} axes, {shape_text(found.shape)}",
        found=shape_text(found.shape),
        expected=expected,
        hint=hint,
    )
