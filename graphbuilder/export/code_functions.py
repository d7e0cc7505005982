"""Writes the body of one function of exported code: that of the model, or of a use of a block or fusion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphbuilder.blueprint import Document, Param
from graphbuilder.export.code_calls import CallWriter
from graphbuilder.export.code_comments import comment, docstring
from graphbuilder.export.code_conditions import Conditions, Unmergeable
from graphbuilder.export.code_names import Names
from graphbuilder.export.code_params import LONGEST, LONGEST_ALONE, translated, unchanging
from graphbuilder.export.code_reading import Reader, ports_of
from graphbuilder.export.code_statements import INDENT, Statements
from graphbuilder.export.code_told import derived
from graphbuilder.export.code_uses import UseWriter
from graphbuilder.export.expressions import WIDTH, Calling, Code, written
from graphbuilder.export.units import Unit
from graphbuilder.graph import Call, Graph, Value

if TYPE_CHECKING:
    from graphbuilder.export.code_module import Module

__all__ = ["FunctionWriter"]


class FunctionWriter(Statements):
    """Writes the body of one function.

    Arguments:
        module: the file.
        unit: what the function is for.
        fixed: params that are no arguments, because not all that depends on them is told.
        numbered: whether it is told the number of a copy.
        conditions: which of its nodes other uses of the block lack, for a function that does for all of them.
        makes: whether it makes the layers, and gives a function that calls them, any number of times.
    """

    def __init__(
        self,
        module: Module,
        unit: Unit,
        fixed: frozenset[str] = frozenset(),
        numbered: bool = False,
        conditions: Conditions | None = None,
        makes: bool = False,
    ) -> None:
        super().__init__(makes, module.modules)
        self._module = module
        self._unit = unit
        self._names = Names(module.bases.values())
        self._marks: list[tuple[str, int]] = []
        self.names_calls = False
        self._used: set[str] = set()
        self._counter: str | None = None
        self._declared = self._declarations(fixed, numbered)
        # The prefix of the names of layers; the model's own have none.
        self.prefix = self._names.new("name") if unit.path else ""
        self._params = {name: self._names.new(name) for name in self._declared}
        self._derived = derived(self._declared, unit.params, unit.node.arguments if unit.node is not None else None)
        # What a block computes by what Python has not is given to its function.
        for name in [*self._derived] if unit.path else []:
            if not self._can_be_told(name, set()):
                del self._derived[name]
        self.values: dict[str, Code] = {}
        self.made: dict[str, str] = {}
        self.inputs: list[Value] = []
        self.ports: list[int] = []
        self.tensors: list[str] = []
        self.results: list[str] = []
        self._conditions = conditions
        self._call = self._names.new("call") if makes else ""
        self._reader = Reader(unit, conditions, self._names)
        self._calls = CallWriter(module, unit, self)
        self._uses = UseWriter(module, unit, self)

    def _declarations(self, fixed: frozenset[str], numbered: bool) -> dict[str, Param | None]:
        """The params of the unit's definition; of copies their number too."""
        unit = self._unit
        definition: Any = unit.document.blueprint if not unit.path and unit.document is not None else None
        definition = unit.place.definition if unit.place is not None else definition
        found: dict[str, Param | None] = {"index": None} if numbered else {}
        if definition is not None:
            found.update({name: param for name, param in definition.params.items() if name not in fixed})
        return found

    def params(self) -> list[str]:
        """The params that are arguments of the function, in the order of their declaration."""
        return [name for name in self._declared if name in self._used and name not in self._derived]

    def param_name(self, name: str) -> str:
        """What a param is called in the code."""
        return self._params[name]

    def told(self, raw: Any, value: Any, longest: int = LONGEST) -> Any:
        """An expression of the blueprint as an expression of the code, where it can be one; else its value."""
        used: set[str] = set()

        def name_of(name: str) -> str | None:
            if name not in self._params or not self._can_be_told(name, used):
                return None
            used.add(name)
            return self._params[name]

        found = translated(raw, value, self._unit.params, name_of, longest)
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
        code = Code(self.new_name(name), shape, "" if kind is None else kind.dtype)
        self.values[value.name] = code
        return code

    def new_name(self, name: str) -> str:
        """A new variable."""
        made = self._reader.variable(name) or self._names.new(name)
        self.made[made] = self._marks[-1][0] if self._marks else ""
        return made

    def loop_name(self) -> str:
        """The variable that counts in loops, which do not stand in each other."""
        if self._counter is None:
            self._counter = self._names.new("index")
        return self._counter

    def read(self, name: str, values: Sequence[Value], in_order: bool = True) -> list[Code]:
        """The variables of values that a node takes.

        Arguments:
            name: the node of the unit.
            values: what it takes.
            in_order: whether these are all that it takes, in the order in which it names them.

        Raises:
            Unmergeable: it cannot be told which variable is meant.
        """
        return self._reader.read(name, [self.values[value.name] for value in values], in_order)

    def condition(self, name: str) -> str:
        """The code of a node's `when`.

        Raises:
            Unmergeable: it cannot be said in code.
        """
        assert self._conditions is not None
        told = self.told(self._conditions.raw(name), self._conditions.when(name, self._unit), LONGEST_ALONE)
        if not isinstance(told, Code):
            raise Unmergeable
        return told.text

    @property
    def path(self) -> str:
        """The path of the unit."""
        return self._unit.path

    @property
    def reader(self) -> Reader:
        """What was read for nodes that this use lacks."""
        return self._reader

    def share_params(self, writers: Sequence[FunctionWriter]) -> None:
        """Takes the params that other uses of the block need, too."""
        for writer in writers:
            self._used |= writer._used

    def layer_name(self, path: str, behind: str, suffix: str = "") -> Any:
        """The expression of the name of a layer or op in the model.

        Arguments:
            path: its path in the graph.
            behind: what of that stands behind the unit's own.
            suffix: what is added to the name.
        """
        if not self._unit.path:
            return f"{self._module.built.get(path, path)}{suffix}"
        behind = f"{behind}{suffix}"
        return Code(f'f"{{{self.prefix}}}{behind}"') if behind else Code(self.prefix)

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
            # Keras takes float32 where nothing is said.
            kinds = {} if dtype == "float32" else {"dtype": dtype}
            made = Calling("keras.Input", (), {"shape": shape, **kinds, "name": self._module.built[name]})
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
                yield f"{INDENT}{self._params[name]} = {told.text}"

    def _items(self) -> None:
        items = self._unit.items
        at = 0
        while at < len(items):
            item = items[at]
            name = self._unit.within(item.used_as if isinstance(item, Unit) else item.name).lstrip(".").split(".")[0]
            self._marks.append((name, len(self._lines)))
            optional = self._conditions is not None and name in self._conditions.optional
            self._depth = self._base + optional
            if isinstance(item, Call):
                self._calls.write(item)
                at += 1
                continue
            end = at + 1
            while end < len(items) and _follows(item, items[end]):
                end += 1
            self._uses.write([unit for unit in items[at:end] if isinstance(unit, Unit)])
            at = end

    def body(self) -> None:
        """Writes the statements of a block or a fusion."""
        unit = self._unit
        ports = ports_of(unit)
        self.inputs = sorted(unit.inputs, key=lambda value: ports[value.name][0])
        self.ports = [ports[value.name][0] for value in self.inputs]
        self.tensors = [self.new_value(value, ports[value.name][1]).text for value in self.inputs]
        self._items()
        self.results = [code.text for code in self._reader.results(self.values)]

    def pieces(self) -> dict[str, list[str]]:
        """The lines that were written for each node, by its name."""
        ends = [start for _, start in self._marks[1:]] + [len(self._lines)]
        found: dict[str, list[str]] = {}
        for (name, start), end in zip(self._marks, ends, strict=True):
            found.setdefault(name, []).extend(self._lines[start:end])
        return found

    def text(self, name: str, lines: Sequence[str], copies: bool) -> str:
        """The whole function of a block or fusion.

        Arguments:
            name: its name.
            lines: its statements.
            copies: whether every use of it is a copy of a repeat.
        """
        unit = self._unit
        signature = self.signature(name, [] if self.makes else self.tensors, self.defaults(copies))
        above = []
        if unit.place is not None and unit.place.path:
            above = self._module.comments(unit.document).above(unit.where)
        remarks = [line for said in above for line in comment(said, "")]
        body = [*lines, *self._returned()]
        if self.makes:
            tensors = [*self.tensors, *(["*", f"{self.prefix}={self.prefix}"] if self.names_calls else [])]
            head = self._head(self._call, tensors, INDENT)
            body = [*self._making, "", *head, *body, "", f"{INDENT}return {self._call}"]
        return "\n".join([*remarks, *signature, *self._docstring(), *self._prelude(), *body])

    def defaults(self, copies: bool) -> dict[str, Any]:
        """The values of the params that nobody needs to give.

        Arguments:
            copies: whether every use is a copy of a repeat, which is told its number.
        """
        values: dict[str, Any] = {}
        for name in self.params():
            param = self._declared[name]
            if param is None:
                values.update({} if copies else {name: 0})
            elif not param.required and name not in self._computed():
                # A list must not be a default, which all calls would share.
                default = unchanging(param.default)
                if isinstance(default, (str, int, float, bool, tuple, type(None))):
                    values[name] = default
        return values

    def _computed(self) -> set[str]:
        """The params whose defaults are computed from others."""
        return {
            name
            for name, param in self._declared.items()
            if param is not None and isinstance(param.default, str) and "$" in param.default
        }

    def _returned(self) -> list[str]:
        indent = INDENT * self._base
        line = f"{indent}return {', '.join(self.results)}"
        if len(line) <= WIDTH:
            return [line]
        return [f"{indent}return (", *(f"{indent}{INDENT}{name}," for name in self.results), f"{indent})"]

    def _docstring(self) -> list[str]:
        unit = self._unit
        told = None if unit.place is None else unit.place.definition.about
        kind = unit.kind if unit.kind.endswith("block") else f"{unit.kind} block"
        said = [told or f"{'Makes' if self.makes else 'Adds'} {'an' if kind[0] in 'aeio' else 'a'} {kind}."]
        if unit.fusion is not None:
            branches = " and ".join(branch.name for branch in unit.fusion.branches)
            said = [f"Merges {branches}: {unit.fusion.strategy}."]
        if self.makes:
            said.append("Gives a function that calls its layers, each time with the same weights.")
        arguments = []
        for name in self.params():
            param = self._declared[name]
            about = "the number of this copy, from 0" if param is None else param.about
            arguments += [(self._params[name], about)] if about else []
        if any(param is not None and param.about for param in map(self._declared.get, self.params())):
            arguments.append((self.prefix, "what the names of its layers begin with"))
        else:
            arguments = []
        return docstring(said, INDENT, arguments)

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
        return self._head(name, parts)

    def _head(self, name: str, parts: Sequence[str], indent: str = "") -> list[str]:
        line = f"{indent}def {name}({', '.join(parts)}):"
        if len(line) <= WIDTH:
            return [line]
        return [f"{indent}def {name}(", *(f"{indent}{INDENT}{part}," for part in parts), f"{indent}):"]


def _follows(unit: Unit, item: Call | Unit) -> bool:
    """Whether an item is a further copy of the block that a unit is a copy of."""
    return isinstance(item, Unit) and unit.copy is not None and item.used_as == unit.used_as
