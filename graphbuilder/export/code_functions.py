"""Writes the functions of exported code: one for the model, and one for each kind of block or fusion in it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphbuilder.blueprint import Document, Param
from graphbuilder.export.code_calls import CallWriter
from graphbuilder.export.code_comments import Comments, comment, docstring
from graphbuilder.export.code_names import Imports, Names
from graphbuilder.export.code_params import translated
from graphbuilder.export.code_told import derived
from graphbuilder.export.code_uses import UseWriter
from graphbuilder.export.expressions import WIDTH, Calling, Code, written
from graphbuilder.export.units import Structured, Unit, function_kinds
from graphbuilder.graph import Call, Graph, Value, layer_names
from graphbuilder.lowering.order import references

__all__ = ["Function", "FunctionWriter", "Module"]

_INDENT = "    "


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
    """

    name: str
    params: Mapping[str, str]
    prefix: str
    defaults: frozenset[str]
    inputs: tuple[Value, ...]
    ports: tuple[int, ...]


class Module:
    """What the functions of one file share.

    Arguments:
        graph: the graph that is written.
        found: its units.
        imports: the classes of its custom layers.
        legacy: whether it is for tf_keras.
    """

    def __init__(self, graph: Graph, found: Structured, imports: Imports, legacy: bool) -> None:
        self.legacy = legacy
        self.graph = graph
        self.found = found
        self.imports = imports
        self.built = layer_names(graph)
        self.functions: list[tuple[str, str]] = []
        self.arrays = False
        self._known: dict[tuple[str, str], str] = {}
        self._written: dict[str, Function] = {}
        self._comments: dict[int, Comments] = {}
        # Variables are called after nodes; a function must not be hidden by one.
        self._words = {word for name in (*graph.calls, *graph.inputs) for word in name.split(".")}
        self.bases = {kind: self._base(kind) for kind in function_kinds(found.root)}

    def function_of(self, unit: Unit) -> Function:
        """The function of a unit, written when it is first asked for."""
        if unit.path not in self._written:
            self._written[unit.path] = FunctionWriter(self, unit, frozenset()).function()
        return self._written[unit.path]

    def comments(self, document: Document) -> Comments:
        """The comments of a file."""
        if id(document) not in self._comments:
            self._comments[id(document)] = Comments(document.source)
        return self._comments[id(document)]

    def function(self, kind: str, text: str) -> str:
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


# Where a function's name is written once its text is known.
_PLACE = "__function__"


class FunctionWriter:
    """Writes the body of one function.

    Arguments:
        module: the file.
        unit: what the function is for.
        fixed: params that are no arguments, because not all that depends on them is told.
    """

    def __init__(self, module: Module, unit: Unit, fixed: frozenset[str]) -> None:
        self._module = module
        self._unit = unit
        self._names = Names(module.bases.values())
        self._lines: list[str] = []
        self._depth = 1
        self._used: set[str] = set()
        self._declared = self._declarations(fixed)
        # The prefix of the names of layers; the model's own have none.
        self.prefix = self._names.new("name") if unit.path else ""
        self._params = {name: self._names.new(name) for name in self._declared}
        self._derived = derived(self._declared, unit.params, unit.node.arguments if unit.node is not None else None)
        self.values: dict[str, Code] = {}
        self._calls = CallWriter(module, unit, self)
        self._uses = UseWriter(module, unit, self)

    def _declarations(self, fixed: frozenset[str]) -> dict[str, Param | None]:
        """The params of the unit's definition; of a copy its number too."""
        unit = self._unit
        definition: Any = unit.document.blueprint if not unit.path and unit.document is not None else None
        definition = unit.place.definition if unit.place is not None else definition
        found: dict[str, Param | None] = {} if unit.copy is None else {"index": None}
        if definition is not None:
            found.update({name: param for name, param in definition.params.items() if name not in fixed})
        return found

    def params(self) -> list[str]:
        """The params that are arguments of the function, in the order of their declaration."""
        return [name for name in self._declared if name in self._used and name not in self._derived]

    def param_name(self, name: str) -> str:
        """What a param is called in the code."""
        return self._params[name]

    def told(self, raw: Any, value: Any) -> Any:
        """An expression of the blueprint as an expression of the code, where it can be one; else its value."""
        used: set[str] = set()

        def name_of(name: str) -> str | None:
            if name not in self._params or not self._can_be_told(name, used):
                return None
            used.add(name)
            return self._params[name]

        found = translated(raw, value, self._unit.params, name_of)
        if found is not value:
            self._used |= used
        return found

    def _can_be_told(self, name: str, used: set[str]) -> bool:
        """Whether a param is an argument, or is computed from those that are."""
        if name not in self._derived:
            return True
        before = set(self._used)
        made = isinstance(self.told(self._derived[name], self._unit.params[name]), Code)
        used |= self._used - before
        self._used = before
        return made

    def new_value(self, value: Value, name: str) -> Code:
        """Remembers a value under a new variable, and gives the variable."""
        kind = value.type
        shape = () if kind is None else tuple(size if isinstance(size, int) else None for size in kind.shape)
        code = Code(self._names.new(name), shape, "" if kind is None else kind.dtype)
        self.values[value.name] = code
        return code

    def new_name(self, name: str) -> str:
        """A new variable."""
        return self._names.new(name)

    def layer_name(self, path: str) -> Any:
        """The expression of a layer's name in the model."""
        if not self._unit.path:
            return self._module.built[path]
        behind = self._unit.within(path)
        return Code(f'f"{{{self.prefix}}}{behind}"') if behind else Code(self.prefix)

    def say(self, head: str, value: Any) -> None:
        """Writes a statement."""
        indent = _INDENT * self._depth
        text = head + written(value, len(indent) + len(head.rpartition("\n")[2]), indent)
        # Many numbers stand side by side, which formatters would put on a line each.
        wide = re.search(r"^\s*[\[(]*-?(?:\d|True|False)[^\s,]*, ", text, re.MULTILINE) and "\n" in text
        block = [f"{indent}{text}"]
        self._lines += [f"{indent}# fmt: off", *block, f"{indent}# fmt: on"] if wide else block

    @contextlib.contextmanager
    def inside(self, head: str) -> Iterator[None]:
        """Writes the head of a compound statement; what is written meanwhile stands inside of it."""
        self._lines.append(f"{_INDENT * self._depth}{head}")
        self._depth += 1
        yield
        self._depth -= 1

    def remark(self, said: str | None) -> None:
        """Writes a comment."""
        self._lines += comment(said, _INDENT * self._depth)

    def assign(self, names: Sequence[str], value: Any) -> None:
        """Writes an assignment to one variable or several."""
        head = ", ".join(names)
        if len(head) > WIDTH - 24:
            inner = _INDENT * (self._depth + 1)
            head = f"(\n{''.join(f'{inner}{name},{chr(10)}' for name in names)}{_INDENT * self._depth})"
        self.say(f"{head} = ", value)

    def model(self, graph: Graph, document: Document | None) -> list[str]:
        """The body of the function that builds the model."""
        for name, given in graph.inputs.items():
            kind = given.value.type
            assert kind is not None
            value = self.new_value(given.value, name)
            shape: Any = tuple(size if isinstance(size, int) else None for size in kind.shape[1:])
            dtype: Any = kind.dtype
            if document is not None:
                spec = document.blueprint.inputs[name]
                shape, dtype = self.told(spec.shape, shape), self.told(spec.dtype, dtype)
                for said in self._module.comments(document).beside(("inputs", name)):
                    self.remark(said)
            self.remark(given.about)
            made = Calling("keras.Input", (), {"shape": shape, "dtype": dtype, "name": self._module.built[name]})
            self.assign([value.text], made)
        self._items()
        tensors = [self.values[given.value.name] for given in graph.inputs.values()]
        inputs: Any = tensors
        if graph.inputs_as == "tensor":
            inputs = tensors[0]
        elif graph.inputs_as == "mapping":
            inputs = dict(zip(graph.inputs, tensors, strict=True))
        self.say("return ", Calling("keras.Model", (inputs, self._structure(graph.outputs)), {"name": graph.name}))
        return [*self._prelude(), *self._lines]

    def _structure(self, outputs: Any) -> Any:
        if isinstance(outputs, Value):
            return self.values[outputs.name]
        if isinstance(outputs, Mapping):
            return {key: self._structure(item) for key, item in outputs.items()}
        return [self._structure(item) for item in outputs]

    def _prelude(self) -> Iterator[str]:
        """What is computed from params before anything else."""
        for name, raw in self._derived.items():
            if name in self._used:
                told = self.told(raw, self._unit.params[name])
                yield f"{_INDENT}{self._params[name]} = {told.text}"

    def _items(self) -> None:
        items = self._unit.items
        at = 0
        while at < len(items):
            item = items[at]
            if isinstance(item, Call):
                self._calls.write(item)
                at += 1
                continue
            end = at + 1
            while end < len(items) and _follows(item, items[end]):
                end += 1
            self._uses.write([unit for unit in items[at:end] if isinstance(unit, Unit)])
            at = end

    def function(self) -> Function:
        """The function of a block or a fusion; it is kept with the file's others."""
        unit = self._unit
        ports = _ports(unit)
        inputs = sorted(unit.inputs, key=lambda value: ports[value.name][0])
        names = [self.new_value(value, ports[value.name][1]).text for value in inputs]
        self._items()
        results = [self.values[value.name].text for value in unit.results]
        self._return(results)
        values: dict[str, Any] = {}
        for name in self.params():
            param = self._declared[name]
            if param is None or param.required or name in self._computed():
                continue
            # A list must not be a default, which all calls would share.
            if isinstance(param.default, (str, int, float, bool, type(None))):
                values[name] = param.default
        signature = self.signature(_PLACE, names, values)
        body = [*signature, *self._docstring(), *self._prelude(), *self._lines]
        params = {name: self._params[name] for name in self.params()}
        above = []
        if unit.place is not None and unit.place.path:
            above = self._module.comments(unit.document).above(unit.where)
        text = "\n".join([*(line for said in above for line in comment(said, "")), *body])
        name = self._module.function(unit.function_kind, text)
        numbers = tuple(ports[value.name][0] for value in inputs)
        return Function(name, params, self.prefix, frozenset(values), tuple(inputs), numbers)

    def _computed(self) -> set[str]:
        """The params whose defaults are computed from others."""
        return {
            name
            for name, param in self._declared.items()
            if param is not None and isinstance(param.default, str) and "$" in param.default
        }

    def _return(self, results: Sequence[str]) -> None:
        line = f"{_INDENT}return {', '.join(results)}"
        if len(line) > WIDTH:
            line = "\n".join([f"{_INDENT}return (", *(f"{_INDENT * 2}{name}," for name in results), f"{_INDENT})"])
        self._lines.append(line)

    def _docstring(self) -> list[str]:
        unit = self._unit
        if unit.fusion is not None:
            branches = " and ".join(branch.name for branch in unit.fusion.branches)
            return docstring([f"Merges {branches}: {unit.fusion.strategy}."], _INDENT)
        about = None if unit.place is None else unit.place.definition.about
        arguments = []
        for name in self.params():
            param = self._declared[name]
            said = "the number of this copy, from 0" if param is None else param.about
            arguments.append((self._params[name], said or "see the blueprint"))
        arguments = arguments if any(said != "see the blueprint" for _, said in arguments) else []
        if arguments:
            arguments.append((self.prefix, "what the names of its layers begin with"))
        return docstring([about or f"The block {unit.kind}."], _INDENT, arguments)

    def signature(self, name: str, tensors: Sequence[str], defaults: Mapping[str, Any]) -> list[str]:
        """The lines of a function's head.

        Arguments:
            name: the function's.
            tensors: the arguments by position.
            defaults: what its params are when nobody gives them, for those that have a default.
        """
        parts = list(tensors)
        keywords = []
        for param in self.params():
            default = f"={written(defaults[param])}" if param in defaults else ""
            keywords.append(f"{self._params[param]}{default}")
        keywords += [self.prefix] if self.prefix else []
        parts += ["*", *keywords] if keywords else []
        line = f"def {name}({', '.join(parts)}):"
        if len(line) <= WIDTH:
            return [line]
        return [f"def {name}(", *(f"{_INDENT}{part}," for part in parts), "):"]


def _follows(unit: Unit, item: Call | Unit) -> bool:
    """Whether an item is a further copy of the block that a unit is a copy of."""
    return isinstance(item, Unit) and unit.copy is not None and item.used_as == unit.used_as


def _ports(unit: Unit) -> dict[str, tuple[int, str]]:
    """For each value that comes from outside, its place among the ports and what it is called inside."""
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
