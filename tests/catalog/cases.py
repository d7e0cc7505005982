"""One configuration of an entry: its arguments and the types of its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphbuilder.catalog import Entry, Inputs, TensorType
from graphbuilder.catalog.ports import PortTypes

__all__ = ["WEAK", "Case", "example_cases"]

# The dtypes of plain Python numbers, which have no axes. Weak "bool" cannot be told from the dtype of that name.
WEAK = ("int", "float")


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
