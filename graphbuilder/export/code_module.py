"""The functions of one file of exported code: one for each block, for all its uses if that can be, and fusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphbuilder.blueprint import Document
from graphbuilder.export.code_comments import Comments
from graphbuilder.export.code_conditions import Conditions, Unmergeable
from graphbuilder.export.code_functions import FunctionWriter
from graphbuilder.export.code_legacy import LegacyCode
from graphbuilder.export.code_merging import merged
from graphbuilder.export.code_names import Imports, Names
from graphbuilder.export.units import Structured, Unit, function_kinds
from graphbuilder.graph import Graph, Value, layer_names

__all__ = ["Apart", "Function", "Module"]

# Where a function's name is written once its text is known.
_PLACE = "__function__"


class Apart(Exception):
    """Calls of the same layers for which no one function can be written.

    Arguments:
        nodes: the nodes that call them.
    """

    def __init__(self, nodes: set[str]) -> None:
        super().__init__(", ".join(sorted(nodes)))
        self.nodes = nodes


@dataclass(frozen=True, slots=True)
class Function:
    """A function that was written for a unit.

    Arguments:
        name: its name.
        params: the params that it takes, by their names in the blueprint, with their names in the code.
        prefix: what the argument is called that its layers' names begin with.
        defaults: the params that have a default.
        inputs: the values that it is given, in order.
        ports: the numbers of the block's ports that they arrive at; larger ones where that is not known.
        makes: whether it makes the layers once and gives a function that calls them.
        names: for such a function, whether that too is told what names begin with.
    """

    name: str
    params: Mapping[str, str]
    prefix: str
    defaults: frozenset[str]
    inputs: tuple[Value, ...]
    ports: tuple[int, ...]
    makes: bool
    names: bool


class Module:
    """What the functions of one file share.

    Arguments:
        graph: the graph that is written.
        found: its units.
        imports: the classes of its custom layers.
        legacy: how ops are said to tf_keras; None for Keras 3.
    """

    def __init__(self, graph: Graph, found: Structured, imports: Imports, legacy: LegacyCode | None) -> None:
        self.legacy = legacy
        self.graph = graph
        self.found = found
        self.imports = imports
        self.built = layer_names(graph)
        self.functions: list[tuple[str, str]] = []
        self.modules: set[str] = set()
        self._known: dict[tuple[str, str], str] = {}
        self._written: dict[str, Function] = {}
        self._comments: dict[int, Comments] = {}
        # Variables are called after nodes; a function must not be hidden by one.
        self._words = {word for name in (*graph.calls, *graph.inputs) for word in name.split(".")}
        self.bases = {kind: self._base(kind) for kind in function_kinds(found.root)}
        self._uses: dict[object, list[Unit]] = {}
        for unit in found.units():
            self._uses.setdefault(_definition(unit), []).append(unit)
        self._owners = Counter(unit.owner for units in self._uses.values() for unit in units)
        # Blocks of which some use is called again.
        self._again = {key for key, units in self._uses.items() if any(unit.owner != unit.path for unit in units)}

    def function_of(self, unit: Unit) -> Function:
        """The function of a unit, written when one of its kind is first asked for."""
        if unit.path not in self._written:
            self._write(self._uses[_definition(unit)])
        return self._written[unit.path]

    def is_called_again(self, unit: Unit) -> bool:
        """Whether a unit is not the only one that calls its layers."""
        return self._owners[unit.owner] > 1

    def comments(self, document: Document) -> Comments:
        """The comments of a file."""
        if id(document) not in self._comments:
            self._comments[id(document)] = Comments(document.source)
        return self._comments[id(document)]

    def _write(self, units: Sequence[Unit]) -> None:
        """Writes the uses of one block or fusion: as one function, or as few as can be."""
        numbered = any(unit.copy is not None for unit in units)
        copies = all(unit.copy is not None for unit in units)
        makes = _definition(units[0]) in self._again
        alike: dict[tuple[str, frozenset[str]], list[tuple[Unit, FunctionWriter]]] = {}
        for unit in units:
            writer = FunctionWriter(self, unit, numbered=numbered, makes=makes)
            writer.body()
            text = writer.text(_PLACE, writer.lines, copies)
            alike.setdefault((text, frozenset(writer.pieces())), []).append((unit, writer))
        for group in self._groups(list(alike.values()), numbered):
            lines, writers = group
            text = writers[0].text(_PLACE, lines, copies)
            name = self._function(units[0].function_kind, text)
            defaults = frozenset(writers[0].defaults(copies))
            for writer in writers:
                params = {param: writer.param_name(param) for param in writers[0].params()}
                inputs, ports = tuple(writer.inputs), tuple(writer.ports)
                self._written[writer.path] = Function(
                    name, params, writer.prefix, defaults, inputs, ports, makes, writers[0].names_calls
                )

        self._refuse_apart(units)

    def _refuse_apart(self, units: Sequence[Unit]) -> None:
        """Sees that the calls of the same layers are written as one function.

        Raises:
            Apart: they are not, such as where one is given the same tensor twice.
        """
        functions: dict[str, set[str]] = {}
        for unit in units:
            functions.setdefault(unit.owner, set()).add(self._written[unit.path].name)
        apart = {unit.used_as for unit in units if len(functions[unit.owner]) > 1}
        if apart:
            raise Apart(apart)

    def _groups(
        self, alike: Sequence[Sequence[tuple[Unit, FunctionWriter]]], numbered: bool
    ) -> Iterator[tuple[list[str], list[FunctionWriter]]]:
        """The uses for which one function does, with its statements.

        Arguments:
            alike: the uses whose code is the same as it stands, with who wrote it.
            numbered: whether they are told the number of a copy.
        """
        waiting = list(alike)
        while waiting:
            first, *others = waiting
            waiting = []
            chosen, found = list(first), (first[0][1].lines, [writer for _, writer in first])
            for more in others:
                together = self._together([unit for unit, _ in (*chosen, *more)], numbered)
                if together is None:
                    waiting.append(more)
                else:
                    chosen, found = [*chosen, *more], together
            yield found

    def _together(self, units: Sequence[Unit], numbered: bool) -> tuple[list[str], list[FunctionWriter]] | None:
        """One function for several uses; None where there is none."""
        if any(unit.place is None for unit in units) or _definition(units[0]) in self._again:
            return None
        try:
            conditions = Conditions(units)
            writers = [FunctionWriter(self, unit, numbered=numbered, conditions=conditions) for unit in units]
            for writer in writers:
                writer.body()
            return merged(writers, conditions), writers
        except Unmergeable:
            return None

    def _function(self, kind: str, text: str) -> str:
        """The name of a function with this text behind its own name; the text is kept unless it is there already."""
        key = (kind, text)
        if key not in self._known:
            base, number = self.bases[kind], 1
            name = base
            while any(name == other for other, _ in self.functions):
                number += 1
                name = f"{base}_{number}"
            self._known[key] = name
            self.functions.append((name, text.replace(f"def {_PLACE}(", f"def {name}(", 1)))
        return self._known[key]

    def _base(self, kind: str) -> str:
        base = Names().new(kind.rpartition(".")[2])
        while base in self._words:
            base = f"{base}_block"
        return base


def _definition(unit: Unit) -> object:
    """What a unit is a use of."""
    return unit.function_kind if unit.place is None else (unit.kind, id(unit.place.definition))
