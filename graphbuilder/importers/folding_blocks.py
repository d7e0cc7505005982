"""A template as a block, and its stretches as nodes that use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_core import PydanticUndefined

from graphbuilder.catalog import layers, ops
from graphbuilder.importers.folding_cost import cost_of, expression_cost
from graphbuilder.importers.folding_names import (
    block_name,
    free_name,
    given_name,
    run_name,
    slot_names,
    strangers,
    stretch_name,
)
from graphbuilder.importers.folding_params import MISSING, Different, Params
from graphbuilder.importers.folding_steps import Moves, Scope, Step, map_references, references_in, rewritten
from graphbuilder.importers.folding_templates import Slot, Stretch, Template
from graphbuilder.lowering.resolved_values import literal

__all__ = ["with_blocks"]

# How many params a block of blocks may have before its use says less than the nodes in it.
_MOST_PARAMS = 4
# How long a value must be, as text, and how many nodes must have it, that it becomes a param.
_LONG, _OFTEN = 24, 3
# What it costs to take in a node that has a name like those of others, outside.
_ODD = 2.0
# How many lines a block must save.
_WORTH = 1.0


def with_blocks(scope: Scope, templates: Sequence[Template]) -> Scope:
    """The scope with a block for each template that makes it shorter, and nodes that use it in place of its stretches.

    Arguments:
        scope: the scope.
        templates: of stretches that have no node in common.
    """
    waiting = list(templates)
    while waiting:
        template = waiting.pop(0)
        if len(template.stretches) < 2 or len(template.slots) < 2 or not template.ports[0]:
            continue
        if any(step.name in scope.pinned for stretch in template.stretches for step in stretch.steps):
            continue
        try:
            found, moves = _Writing(scope, template).done()
        except Different:
            continue
        found = replace(found, oddness=scope.oddness + _ODD * sum(map(strangers, template.stretches)))
        if cost_of(found) < cost_of(scope) - _WORTH and _is_readable(list(found.blocks.values())[-1]):
            scope = found
            waiting = [_moved(each, scope, moves) for each in waiting]
    return scope


def _is_readable(block: Mapping[str, Any]) -> bool:
    nested = any("block" in node for node in block["nodes"].values())
    return not nested or len(block.get("params", ())) <= _MOST_PARAMS


def _moved(template: Template, scope: Scope, moves: Moves) -> Template:
    """A template of nodes that stay, after others have moved."""
    steps = {step.name: step for step in scope.steps}
    place = {step.name: index for index, step in enumerate(scope.steps)}

    stretches = tuple(
        Stretch(
            place[each.steps[0].name],
            tuple(steps[step.name] for step in each.steps),
            None if each.entry is None else moves.followed(each.entry),
        )
        for each in template.stretches
    )
    slots = tuple(
        replace(
            slot,
            members=tuple(None if member is None else steps[member.name] for member in slot.members),
            first=steps[slot.first.name],
        )
        for slot in template.slots
    )
    ports = tuple(tuple(map(moves.followed, each)) for each in template.ports)
    return Template(slots, template.exit, ports, stretches)


@dataclass(slots=True)
class _Run:
    """Copies that feed each other, from which one node with `repeat` is made."""

    numbers: list[int]


@dataclass(slots=True)
class _Writing:
    scope: Scope
    template: Template
    params: Params = field(init=False)
    names: dict[int, str] = field(init=False)
    ports: list[str] = field(init=False)
    block: str = field(init=False)

    def __post_init__(self) -> None:
        template = self.template
        self.params = Params(len(template.stretches))
        self.ports = _port_names(template)
        names = slot_names(template.slots, template.stretches, self.ports)
        self.names = dict(zip((slot.number for slot in template.slots), names, strict=True))
        self.block = free_name(block_name(template.stretches, template.slots), self.scope.blocks)

    def done(self) -> tuple[Scope, Moves]:
        definition = self._definition()
        runs = self._runs()
        moves = Moves()
        gone = {step.name for stretch in self.template.stretches for step in stretch.steps}
        taken = {*self.scope.inputs, *(step.name for step in self.scope.steps if step.name not in gone)}
        made: dict[str, Step] = {}
        for run in runs:
            stretches = [self.template.stretches[number] for number in run.numbers]
            name = free_name(self._run_name(stretches), taken)
            taken.add(name)
            made[stretches[0].steps[0].name] = self._use(name, run)
            self._move(name, run, moves)
        steps: list[Step] = []
        for step in self.scope.steps:
            if step.name in made:
                steps.append(made[step.name])
            elif step.name not in gone:
                steps.append(step)
        return rewritten(self.scope, steps, moves, {self.block: definition}), moves

    def _definition(self) -> dict[str, Any]:
        written = [self._node(slot) for slot in self.template.slots]
        self.params.settle()
        nodes: dict[str, Any] = {}
        for slot, (kind, arguments, source) in zip(self.template.slots, written, strict=True):
            arguments = {key: self.params.written(value) for key, value in arguments.items()}
            nodes[self.names[slot.number]] = {kind[0]: kind[1], "from": source, **arguments}
        self._shorten(nodes)
        found: dict[str, Any] = {"params": self.params.declared(), "inputs": self.ports, "nodes": nodes}
        if not found["params"]:
            del found["params"]
        last = self._reference(self.template.exit)
        return found if last == list(nodes)[-1] else {**found, "outputs": last}

    def _shorten(self, nodes: dict[str, Any]) -> None:
        """Turns long values that many nodes of the block have in common into params."""
        found: dict[str, list[tuple[dict[str, Any], str]]] = {}
        for node in nodes.values():
            for key, value in node.items():
                long = isinstance(value, Mapping) and len(repr(value)) >= _LONG
                if key != "from" and long and not expression_cost(value):
                    found.setdefault(repr(value), []).append((node, key))
        for places in found.values():
            keys = {key for _, key in places}
            wanted = keys.pop() if len(keys) == 1 else min(keys).rpartition("_")[2]
            if len(places) < _OFTEN:
                continue
            text = self.params.constant(wanted, places[0][0][places[0][1]])
            for node, key in places if text is not None else ():
                node[key] = text

    def _node(self, slot: Slot) -> tuple[tuple[str, str], dict[str, Any], Any]:
        name = self.names[slot.number]
        present = [member for member in slot.members if member is not None]
        arguments: dict[str, Any] = {}
        if slot.optional:
            there = [member is not None for member in slot.members]
            arguments["when"] = self.params.flag(there, self._flag_names(slot))
        kind = present[0].kind
        keys = dict.fromkeys(key for step in sorted(present, key=lambda s: -len(s.arguments)) for key in step.arguments)
        for key in keys:
            values = [MISSING if member is None else member.arguments.get(key, MISSING) for member in slot.members]
            if any(key not in member.arguments for member in present):
                default = _default_of(kind, key, values, self.scope)
                values = [
                    default if member is not None and key not in member.arguments else value
                    for member, value in zip(slot.members, values, strict=True)
                ]
            arguments[key] = self.params.general(values, (key, f"{name}_{key}"))
        if kind[0] == "reuse":
            kind = ("reuse", self._reuse(slot))
        return kind, arguments, map_references(slot.source, self._reference)

    def _reuse(self, slot: Slot) -> str:
        """The node of the block whose layer is called again."""
        targets = set()
        for member, stretch in zip(slot.members, self.template.stretches, strict=True):
            assert member is not None
            head, _, rest = member.kind[1].partition(".")
            place = next((i for i, step in enumerate(stretch.steps) if step.name == head), None)
            if place is None:
                raise Different
            owner = next(s for s in self.template.slots if stretch.steps[place] in s.members)
            targets.add(f"{self.names[owner.number]}.{rest}" if rest else self.names[owner.number])
        if len(targets) > 1:
            raise Different
        return targets.pop()

    def _flag_names(self, slot: Slot) -> tuple[str, ...]:
        """Names for the param that says whether some nodes are there."""
        there = [member is not None for member in slot.members]
        group = [each for each in self.template.slots if [member is not None for member in each.members] == there]
        names = [self.names[each.number] for each in group]
        wanted = []
        if any(len(list(references_in(each.source))) > 1 for each in group):
            wanted.append("residual")
        elif group[0].source == "@0" and sum(each.source == "@0" for each in self.template.slots) > 1:
            wanted.append("shortcut")
        words = [name.split("_")[0] for name in names]
        if len(set(words)) == 1 and len(names) > 1:
            wanted.append(words[0])
        return (*wanted, f"with_{names[0].split('_')[-1]}", f"with_{names[0]}")

    def _reference(self, reference: str) -> str:
        head, dot, rest = reference.partition(".")
        number = int(head[1:])
        return f"{self.ports[number] if head[0] == '@' else self.names[number]}{dot}{rest}"

    def _runs(self) -> list[_Run]:
        template = self.template
        order = sorted(range(len(template.stretches)), key=lambda number: template.stretches[number].start)
        readers = self.scope.readers()
        outside = {reference.partition(".")[0] for reference in references_in(self.scope.outputs)}
        runs: list[_Run] = []
        ending: dict[str, _Run] = {}
        for number in order:
            stretch, ports = template.stretches[number], template.ports[number]
            run = ending.pop(ports[0], None)
            if run is not None:
                before = run.numbers[-1]
                mine = {step.name for step in stretch.steps}
                follows = all(self.scope.steps[index].name in mine for index in readers.get(ports[0], ()))
                same = template.ports[before][1:] == ports[1:]
                if not (follows and same and self.params.follow(before, number)) or ports[0] in outside:
                    run = None
            if run is None:
                run = _Run([])
                runs.append(run)
            run.numbers.append(number)
            ending[stretch.exit] = run
        return runs

    def _run_name(self, stretches: Sequence[Stretch]) -> str:
        names = [stretch_name(stretch) or given_name(stretch) or stretch.steps[0].name for stretch in stretches]
        return run_name(names)

    def _use(self, name: str, run: _Run) -> Step:
        ports = self.template.ports[run.numbers[0]]
        repeat = {"repeat": len(run.numbers)} if len(run.numbers) > 1 else {}
        source = ports[0] if len(ports) == 1 else list(ports)
        return Step(name, ("block", self.block), {**repeat, **self.params.given(run.numbers[0])}, source)

    def _move(self, name: str, run: _Run, moves: Moves) -> None:
        for copy, number in enumerate(run.numbers):
            prefix = f"{name}.{copy}" if len(run.numbers) > 1 else name
            for slot in self.template.slots:
                member = slot.members[number]
                if member is not None:
                    moves.values[member.name] = moves.layers[member.name] = f"{prefix}.{self.names[slot.number]}"
            last = copy == len(run.numbers) - 1
            moves.values[self.template.stretches[number].exit] = name if last else prefix


def _port_names(template: Template) -> list[str]:
    """`x` for the first input, and for others what all stretches have there, if it is the same."""
    names = ["x"]
    for column in list(zip(*template.ports, strict=True))[1:]:
        same = set(column)
        names.append(free_name(column[0].replace(".", "_") if len(same) == 1 else "other", names))
    return names


def _default_of(kind: tuple[str, str], key: str, values: Sequence[Any], scope: Scope) -> Any:
    """What a node that does not say an argument means by it."""
    if key in ("call", "args", "wraps"):
        return {}
    if kind[0] == "block":
        return _default_of_param(scope.blocks.get(kind[1], {}).get("params", {}).get(key, {}))
    known = layers.get(kind[1]) if kind[0] == "layer" else ops.get(kind[1]) if kind[0] == "op" else None
    found = known.model_fields.get(key) if known is not None else None
    if found is None:
        raise Different
    default = found.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        raise Different
    value = literal(default)
    # One size stands for all axes where the others are written so.
    sizes = isinstance(value, list) and value and all(type(item) is int and item == value[0] for item in value)
    return value[0] if sizes and any(type(other) is int for other in values) else value


def _default_of_param(param: Any) -> Any:
    """What a param is when nobody gives it."""
    if not isinstance(param, Mapping):
        return param
    if "default" not in param:
        raise Different
    return param["default"]
