"""Which variables stand for the values that a node takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphbuilder.export.code_conditions import Conditions, Unmergeable
from graphbuilder.export.code_names import Names
from graphbuilder.export.expressions import Code
from graphbuilder.export.units import Unit
from graphbuilder.lowering.order import references

__all__ = ["Reader", "ports_of"]


class Reader:
    """Reads variables in one use of a block.

    In a function that does for several uses, a node that this use lacks has a variable all the same, which holds what
    passes through.

    Arguments:
        unit: the use.
        conditions: which of its nodes other uses lack, or have and it lacks; None for a function of its own.
        names: the names of the function, of which every node and port takes one.
    """

    def __init__(self, unit: Unit, conditions: Conditions | None, names: Names) -> None:
        self._unit = unit
        self._conditions = conditions
        self._variables: dict[str, str] = {}
        if conditions is not None and unit.place is not None:
            self._variables = {name: names.new(name) for name in [*unit.place.ports, *unit.nodes]}
        # For each node that this use lacks, the nodes that read its variable; "" is what the block gives.
        self.read_for: dict[str, set[str]] = {}

    def variable(self, name: str) -> str | None:
        """The variable that is kept for a node or port."""
        return self._variables.get(name)

    def read(self, name: str, codes: Sequence[Code], in_order: bool) -> list[Code]:
        """The variables that a node reads.

        Arguments:
            name: the node.
            codes: the variables of the values that it takes.
            in_order: whether these are all, in the order in which the node names them.

        Raises:
            Unmergeable: it cannot be told which variable is meant.
        """
        if self._conditions is None or name not in self._unit.nodes:
            return list(codes)
        sources = self._conditions.sources(name)
        if in_order and len(sources) == len(codes):
            return [self._one(name, code, [source]) for code, source in zip(codes, sources, strict=True)]
        return [self._one(name, code, sources) for code in codes]

    def results(self, values: Mapping[str, Code]) -> list[Code]:
        """The variables that a function gives back.

        Raises:
            Unmergeable: it cannot be told which variable is meant.
        """
        unit = self._unit
        codes = [values[value.name] for value in unit.results]
        if self._conditions is None or unit.place is None:
            return codes
        outputs = unit.place.definition.outputs
        sources = list(references(outputs)) if outputs is not None else list(unit.nodes)[-1:]
        return [self._one("", code, sources) for code in codes]

    def _one(self, name: str, code: Code, sources: Sequence[str]) -> Code:
        """The variable for a value: that of the node that is named, if this use lacks it and passes the value on."""
        assert self._conditions is not None
        found = {
            source
            for source in sources
            if "." not in source and source in self._variables
            and self._variables[self._conditions.standing_for(source, self._unit)] == code.text
        }  # fmt: skip
        if not any(self._conditions.absent(source, self._unit) for source in found):
            return code
        if len(found) > 1:
            raise Unmergeable
        (source,) = found
        self.read_for.setdefault(source, set()).add(name)
        return replace(code, text=self._variables[source])


def ports_of(unit: Unit) -> dict[str, tuple[int, str]]:
    """For each value that comes from outside, its place among the ports and what it is called inside.

    Arguments:
        unit: a use of a block or a fusion.
    """
    names = {} if unit.place is None else {name: number for number, name in enumerate(unit.place.ports)}
    found: dict[str, tuple[int, str]] = {}
    if unit.fusion is not None:
        for number, branch in enumerate(unit.fusion.branches):
            found.setdefault(branch.value.name, (number, branch.name))
    elif len(names) == 1 and len(unit.inputs) == 1:
        found[unit.inputs[0].name] = (0, next(iter(names)))
    else:
        for call in unit.calls():
            node = unit.nodes.get(unit.within(call.name).lstrip("."))
            written_names = [] if node is None or node.source is None else list(references(node.source))
            arrived = list(call.inputs())
            if len(written_names) == len(arrived):
                for name, value in zip(written_names, arrived, strict=True):
                    if name in names and value in unit.inputs:
                        found.setdefault(value.name, (names[name], name))
    for number, value in enumerate(unit.inputs):
        found.setdefault(value.name, (len(names) + number, value.name.rpartition(".")[2] or value.name))
    return found
