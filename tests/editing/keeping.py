"""What must not change when nodes become a block or a block becomes nodes, compared without any names."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from graphbuilder.compression.plan import plan_compression
from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.blocks import ExtractBlock
from graphbuilder.editing.session import Session
from graphbuilder.errors import BlueprintError, CommandError
from graphbuilder.graph import Argument, Constant, CustomLayer, Graph, Layer, Structure, Value
from graphbuilder.lowering import lower
from graphbuilder.lowering.resolved_values import plain_entry

__all__ = ["check_kept", "fingerprint"]


def fingerprint(graph: Graph) -> Any:
    """What a graph computes, without names and without the order of its calls."""
    values: dict[str, str] = {}
    calls: Counter[str] = Counter()
    shared: dict[str, list[str]] = {}
    for place, given in enumerate(graph.inputs.values()):
        values[given.value.name] = _digest(("input", place, str(given.value.type), given.modality))
    for call in graph.calls.values():
        entry = call.target.entry if isinstance(call.target, Layer) else call.target
        arguments = entry.arguments if isinstance(entry, CustomLayer) else plain_entry(entry)
        taken = [(port, _argument(item, values)) for port, item in call.arguments.items()]
        made = _digest((call.kind, arguments, dict(call.options), taken, call.about))
        calls[made] += 1
        if isinstance(call.target, Layer):
            shared.setdefault(call.target.name, []).append(made)
        for place, value in enumerate(call.outputs):
            values[value.name] = _digest((made, place, str(value.type), value.masked))
    return calls, sorted(map(sorted, shared.values())), graph.parameters, _argument(graph.outputs, values)


def _argument(item: Argument | Structure, values: Mapping[str, str]) -> Any:
    if isinstance(item, Value):
        return values[item.name]
    if isinstance(item, Constant):
        return ("constant", repr(item.value), str(item.type))
    if isinstance(item, tuple):
        return [_argument(each, values) for each in item]
    return {key: _argument(each, values) for key, each in item.items()}


def _digest(made: Any) -> str:
    return hashlib.sha256(repr(made).encode()).hexdigest()


def compressed(graph: Graph) -> list[tuple[str, list[str]]]:
    """What the passes do: each with the shapes of the weights that it changes."""
    plan, _ = plan_compression(graph)
    return [
        (stage.declared.label(), sorted(str(graph.layers[target.layer].weights) for target in stage.targets))
        for stage in plan.stages
    ]


def comments(text: str) -> Counter[str]:
    """The comments of a text by how often they stand there; those in quotes count too."""
    return Counter(re.findall(r"(?:^|\s)(#[^\r\n]*)", text))


def check_kept(session: Session, command: Command) -> bool:
    """Carries a command out where it can be, and compares what must not change; False where it is refused."""
    before_text, before = session.text, lower(session.document())
    try:
        session.run(command)
    except (CommandError, BlueprintError):
        assert session.text == before_text
        return False
    after = lower(session.document())
    assert fingerprint(after) == fingerprint(before)
    if before.compression:
        assert compressed(after) == compressed(before)
    if isinstance(command, ExtractBlock):
        assert comments(session.text) == comments(before_text)
    return True
