"""Writes the uses of blocks and fusions: calls of their functions, and loops over the copies of a repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphbuilder.blueprint import BlockNode, FuseNode
from graphbuilder.export.expressions import Calling, Code, written
from graphbuilder.export.units import Unit
from graphbuilder.graph import Value

if TYPE_CHECKING:
    from graphbuilder.export.code_functions import Function, FunctionWriter, Module

__all__ = ["UseWriter"]


class UseWriter:
    """Writes the uses that stand in one function.

    Arguments:
        module: the file.
        unit: what the function is for.
        writer: the function.
    """

    def __init__(self, module: Module, unit: Unit, writer: FunctionWriter) -> None:
        self._module = module
        self._unit = unit
        self._writer = writer

    def write(self, units: Sequence[Unit]) -> None:
        """Writes the uses of one node: one, or the copies of a repeat.

        Copies become a loop where each is given what the one before it gives, and nothing else differs.
        """
        functions = [self._module.function_of(unit) for unit in units]
        keywords = [self._keywords(unit, function) for unit, function in zip(units, functions, strict=True)]
        self._remark(units[0])
        alike = all(function.name == functions[0].name for function in functions)
        alike = alike and len({written(Calling("", (), given)) for given in keywords}) == 1
        # Copies that feed nothing are left out of a graph.
        alike = alike and [unit.copy for unit in units] == list(range(len(units)))
        carried = None
        if len(units) > 1:
            carried = self._carried(units, functions) if alike else None
        elif alike and self._counted(units[0]) and len(units[0].results) == 1 and 0 in functions[0].ports:
            # One copy now, another number of them for another value of a param: the first port is given the output.
            carried = {functions[0].ports.index(0): 0}
        if carried is not None:
            self._loop(units, functions, keywords[0], carried)
            return
        for unit, function, given in zip(units, functions, keywords, strict=True):
            used = self._writer.values
            inputs = tuple(used[value.name] for value in function.inputs)
            call = self._call(unit, function, inputs, given, self._name(unit), unit.copy)
            self._writer.assign(self._results(unit), call)

    def _remark(self, unit: Unit) -> None:
        assert unit.node is not None
        where = (*self._unit.where, "nodes", unit.used_as.rpartition(".")[2])
        for said in self._module.comments(self._unit.document).beside(where):
            self._writer.remark(said)
        self._writer.remark(unit.node.about)

    def _keywords(self, unit: Unit, function: Function) -> dict[str, Any]:
        """The params that a function is given, without the number of the copy."""
        assert unit.node is not None
        given = {}
        for name, argument in function.params.items():
            if name in unit.node.arguments:
                given[argument] = self._writer.told(unit.node.arguments[name], unit.params[name])
            elif name not in function.defaults and name != "index":
                given[argument] = unit.params[name]
        return given

    def _call(
        self,
        unit: Unit,
        function: Function,
        inputs: tuple[Code, ...],
        keywords: Mapping[str, Any],
        name: Any,
        number: Any,
    ) -> Calling:
        copies = {function.params["index"]: number} if "index" in function.params and unit.copy is not None else {}
        return Calling(function.name, inputs, {**keywords, **copies, function.prefix: name})

    def _name(self, unit: Unit, number: str | None = None) -> Any:
        """The expression of the beginning of the names of a unit's layers."""
        path = unit.path if number is None else f"{unit.used_as}.{{{number}}}"
        if not self._unit.path:
            return path if number is None else Code(f'f"{path}"')
        return Code(f'f"{{{self._writer.prefix}}}{self._unit.within(path)}"')

    def _results(self, unit: Unit) -> list[str]:
        if len(unit.results) == 1:
            path = unit.path if unit.copy is None else f"{unit.used_as}.{unit.copy}"
            return [self._writer.new_value(unit.results[0], self._unit.within(path).lstrip(".")).text]
        return [self._writer.new_value(value, self._unit.within(value.name).lstrip(".")).text for value in unit.results]

    def _carried(self, units: Sequence[Unit], functions: Sequence[Function]) -> dict[int, int] | None:
        """For each input that comes from the copy before, which of its results it is; None where there is no loop."""
        found: dict[int, int] = {}
        for before, unit, function in zip(units, units[1:], functions[1:], strict=False):
            for slot, value in enumerate(function.inputs):
                if value is functions[0].inputs[slot]:
                    continue
                if value not in before.results or found.setdefault(slot, before.results.index(value)) != (
                    before.results.index(value)
                ):
                    return None
            calls = {call.name for call in (*before.calls(), *unit.calls())}
            if any(name not in calls for value in before.results for name in self._consumers(value)):
                return None
        # What is carried must be carried each time.
        for slot in found:
            kept = [functions[0].inputs[slot] is function.inputs[slot] for function in functions[1:]]
            if any(kept):
                return None
        return found if found and len(set(found.values())) == len(found) else None

    def _counted(self, unit: Unit) -> bool:
        """Whether an expression says how many copies there are."""
        assert isinstance(unit.node, (BlockNode, FuseNode))
        return isinstance(unit.node, BlockNode) and isinstance(self._writer.told(unit.node.repeat, 1), Code)

    def _consumers(self, value: Value) -> tuple[str, ...]:
        return self._module.found.consumers.get(value.name, ())

    def _loop(
        self, units: Sequence[Unit], functions: Sequence[Function], keywords: Mapping[str, Any], carried: dict[int, int]
    ) -> None:
        """Writes a loop whose variables hold what one copy gives to the next."""
        writer, first, last = self._writer, units[0], units[-1]
        inputs = [writer.values[value.name] for value in functions[0].inputs]
        node_name = self._unit.within(first.used_as).lstrip(".")
        names = []
        for number, value in enumerate(last.results):
            name = node_name if len(last.results) == 1 else f"{node_name}.{number}"
            names.append(writer.new_value(value, name).text)
        for slot, number in carried.items():
            writer.assign([names[number]], inputs[slot])
            inputs[slot] = Code(names[number])
        assert isinstance(first.node, BlockNode)
        count = writer.told(first.node.repeat, len(units))
        index = writer.new_name("index")
        over = count.text if isinstance(count, Code) else str(count)
        with writer.inside(f"for {index} in range({over}):"):
            name = self._name(first, index)
            writer.assign(names, self._call(first, functions[0], tuple(inputs), keywords, name, Code(index)))
