"""Writes the uses of blocks and fusions: calls of their functions, and loops over the copies of a repeat."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphbuilder.blueprint import BlockNode, FuseNode
from graphbuilder.export.code_params import unchanging
from graphbuilder.export.expressions import Calling, Code, written
from graphbuilder.export.units import Unit
from graphbuilder.graph import Value

if TYPE_CHECKING:
    from graphbuilder.export.code_functions import FunctionWriter
    from graphbuilder.export.code_module import Function, Module

__all__ = ["UseWriter"]

# The variable of what makes the layers of one copy, in a loop over those of all.
_EACH = "each"


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
        # What makes the layers of uses that are called several times, by the paths of their owners.
        self._made: dict[str, str] = {}
        # The lists of those of copies.
        self._lists: dict[str, str] = {}

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
        again = self._writer.makes or any(self._module.is_called_again(unit) for unit in units)
        if functions[0].makes and again:
            self._make(units, functions, keywords, alike and (len(units) > 1 or carried is not None))
        if carried is not None:
            self._loop(units, functions, keywords[0], carried)
            return
        for unit, function, given in zip(units, functions, keywords, strict=True):
            inputs = tuple(self._read(unit, function))
            self._writer.assign(self._results(unit), self._call(unit, function, inputs, given))

    def _make(
        self,
        units: Sequence[Unit],
        functions: Sequence[Function],
        keywords: Sequence[Mapping[str, Any]],
        listed: bool,
    ) -> None:
        """Makes the layers of uses that are called several times, unless that is done already."""
        missing = [unit.owner not in self._made for unit in units]
        if not any(missing):
            return
        writer, node = self._writer, self._unit.owned(units[0].owned_as).lstrip(".")
        with writer.made_once():
            if listed and all(missing):
                variable = writer.new_name(f"{node}_layers")
                writer.assign([variable], [])
                with self._counting(units) as index:
                    call = self._making(units[0], functions[0], keywords[0], index)
                    writer.say("", Calling(f"{variable}.append", (call,)))
                self._lists[units[0].owned_as] = variable
                self._made.update({unit.owner: f"{variable}[{unit.copy}]" for unit in units})
                return
            for unit, function, given in itertools.compress(zip(units, functions, keywords, strict=True), missing):
                number = "" if unit.copy is None else f"_{unit.copy}"
                variable = writer.new_name(f"{node}_layers{number}")
                writer.assign([variable], self._making(unit, function, given))
                self._made[unit.owner] = variable

    def _read(self, unit: Unit, function: Function) -> list[Code]:
        """The variables that a use is given."""
        name = self._unit.within(unit.used_as).lstrip(".")
        return self._writer.read(name, function.inputs, in_order=False)

    def _remark(self, unit: Unit) -> None:
        assert unit.node is not None
        where = (*self._unit.where, "nodes", unit.used_as.rpartition(".")[2])
        for said in self._module.comments(self._unit.document).beside(where):
            self._writer.remark(said)
        self._writer.remark(unit.node.about if unit.reuse is None else unit.reuse.about)

    def _keywords(self, unit: Unit, function: Function) -> dict[str, Any]:
        """The params that a function is given, without the number of the copy."""
        assert unit.node is not None
        given = {}
        for name, argument in function.params.items():
            if name in unit.node.arguments:
                given[argument] = unchanging(self._writer.told(unit.node.arguments[name], unit.params[name]))
            elif name not in function.defaults and name != "index":
                given[argument] = unchanging(unit.params[name])
        return given

    def _call(
        self,
        unit: Unit,
        function: Function,
        inputs: tuple[Code, ...],
        keywords: Mapping[str, Any],
        index: str | None = None,
    ) -> Calling:
        """A use, which makes the layers unless they are there already.

        Arguments:
            unit: the use.
            function: of the use.
            inputs: what it is given.
            keywords: its params.
            index: the variable that counts copies, in a loop.
        """
        if not function.makes:
            making = self._making(unit, function, keywords, index)
            return Calling(making.function, inputs, making.keywords)
        made: str | Calling = self._made.get(unit.owner) or self._making(unit, function, keywords, index)
        if index is not None and unit.owned_as in self._lists:
            made = _EACH
        named = function.names and (self._writer.makes or unit.owner != unit.path)
        if named:
            self._writer.names_calls = True
        return Calling(made, inputs, {function.prefix: self._name(unit, index)} if named else {})

    def _making(self, unit: Unit, function: Function, keywords: Mapping[str, Any], index: str | None = None) -> Calling:
        """What makes the layers of a use."""
        number = unit.copy if index is None else Code(index)
        copies = {function.params["index"]: number} if "index" in function.params and unit.copy is not None else {}
        name = self._name(unit, index, owned=function.makes)
        return Calling(function.name, (), {**keywords, **copies, function.prefix: name})

    def _name(self, unit: Unit, index: str | None = None, owned: bool = False) -> Any:
        """The expression of the beginning of the names of a unit's layers."""
        whole, node = (unit.owner, unit.owned_as) if owned else (unit.path, unit.used_as)
        path = whole if index is None else f"{node}.{{{index}}}"
        if not self._unit.path:
            return path if index is None else Code(f'f"{path}"')
        behind = self._unit.owned(path) if owned else self._unit.within(path)
        return Code(f'f"{{{self._writer.prefix}}}{behind}"')

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
        inputs = self._read(first, functions[0])
        node_name = self._unit.within(first.used_as).lstrip(".")
        names = []
        for number, value in enumerate(last.results):
            name = node_name if len(last.results) == 1 else f"{node_name}.{number}"
            names.append(writer.new_value(value, name).text)
        for slot, number in carried.items():
            writer.assign([names[number]], inputs[slot])
            inputs[slot] = Code(names[number])
        made = self._lists.get(first.owned_as)
        function = functions[0]
        if made is None:
            with self._counting(units) as index:
                writer.assign(names, self._call(first, function, tuple(inputs), keywords, index))
            return
        named = function.names and (writer.makes or first.owner != first.path)
        index = writer.loop_name()
        head = f"for {index}, {_EACH} in enumerate({made}):" if named else f"for {_EACH} in {made}:"
        with writer.inside(head):
            writer.assign(names, self._call(first, function, tuple(inputs), keywords, index))

    @contextlib.contextmanager
    def _counting(self, units: Sequence[Unit]) -> Iterator[str]:
        """A loop over the numbers of copies; gives the variable that counts them."""
        node = units[0].node
        assert isinstance(node, BlockNode)
        count = self._writer.told(node.repeat, len(units))
        index = self._writer.loop_name()
        with self._writer.inside(f"for {index} in range({count.text if isinstance(count, Code) else count}):"):
            yield index
