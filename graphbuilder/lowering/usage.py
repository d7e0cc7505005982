"""What of a graph reaches its outputs, and warnings about what does not."""

from __future__ import annotations

from collections.abc import Mapping

from graphbuilder.blueprint import BlockNode, names_in, strings_in
from graphbuilder.errors import Related, Severity
from graphbuilder.graph import Call, Layer, Structure, Value, flatten
from graphbuilder.lowering.walk import Walk

__all__ = ["live_calls", "used_layers", "warn_unused"]


def live_calls(walk: Walk, outputs: Structure) -> tuple[dict[str, Call], set[str]]:
    """The calls that outputs depend on, in the order of the walk, and the names of the values they use."""
    givers = walk.calls.givers
    wanted = [leaf.name for leaf in flatten(outputs) if isinstance(leaf, Value)]
    reached: set[str] = set()
    calls: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in reached:
            continue
        reached.add(name)
        call = givers.get(name)
        if call is not None and call.name not in calls:
            calls.add(call.name)
            wanted.extend(value.name for value in call.inputs())
    return {name: call for name, call in walk.calls.calls.items() if name in calls}, reached


def used_layers(calls: Mapping[str, Call]) -> dict[str, Layer]:
    """The layers that calls apply, in order of first use."""
    found: dict[str, Layer] = {}
    for call in calls.values():
        if isinstance(call.target, Layer):
            found.setdefault(call.target.name, call.target)
    return found


def warn_unused(walk: Walk, live: Mapping[str, Call], reached: set[str]) -> None:
    """Warns about nodes and inputs that feed no output or tap, and about params and blocks that nobody uses."""
    root, blueprint, reports = walk.root, walk.document.blueprint, walk.reports
    # What a tap names is there for whoever uses this file as a block.
    alive = {name.partition(".")[0] for name in (*live, *live_calls(walk, walk.taps)[0])}
    made = {name.partition(".")[0] for name in walk.calls.calls}
    takers = _takers(walk)
    dead = {name for name in blueprint.nodes if name in made and name not in alive}
    for name in blueprint.nodes:
        # A node that feeds one of them only is not told by itself: connecting that one connects it.
        if name in dead and not takers.get(name, set()) & dead:
            reports.add(
                root,
                "GB306",
                f"{name} feeds no output, and is left out of the model",
                ("nodes", name),
                key=True,
                node=name,
                severity=Severity.WARNING,
                related=_needless(walk, name, takers, dead),
                hint="connect it, name it under `outputs:`, or delete it",
            )
    for name in blueprint.inputs:
        if name not in reached and not takers.get(name, set()) & dead:
            reports.add(
                root,
                "GB307",
                f"{name} feeds no output",
                ("inputs", name),
                key=True,
                node=name,
                severity=Severity.WARNING,
                hint="the model still asks for it; connect it or delete it",
            )
    _warn_unused_blocks(walk)
    _warn_unused_params(walk)


def _takers(walk: Walk) -> dict[str, set[str]]:
    """The nodes of the file that each of its inputs and nodes feeds."""
    found: dict[str, set[str]] = {}
    for call in walk.calls.calls.values():
        taker = call.name.partition(".")[0]
        for value in call.inputs():
            giver = value.name.partition(".")[0]
            if giver != taker:
                found.setdefault(giver, set()).add(taker)
    return found


def _needless(walk: Walk, name: str, takers: Mapping[str, set[str]], dead: set[str]) -> tuple[Related, ...]:
    """The inputs and nodes that feed only what is left out with a node."""
    gone = {name}
    found: list[str] = []
    for giver in reversed([*walk.document.blueprint.inputs, *walk.document.blueprint.nodes]):
        fed = takers.get(giver, set())
        if fed and fed <= gone and (giver in dead or giver in walk.inputs):
            gone.add(giver)
            found.append(giver)
    source = walk.document.source
    return tuple(
        Related(f"{giver} feeds nothing else", None, source.position((section, giver), key=True))
        for giver in reversed(found)
        for section in (["inputs"] if giver in walk.inputs else ["nodes"])
    )


def _warn_unused_blocks(walk: Walk) -> None:
    blueprint = walk.document.blueprint
    used = {node.block for node in blueprint.nodes.values() if isinstance(node, BlockNode)}
    for block in blueprint.blocks.values():
        used |= {node.block for node in block.nodes.values() if isinstance(node, BlockNode)}
    walk.check_blocks(set(blueprint.blocks) - used)
    for name in blueprint.blocks:
        if name not in used:
            walk.reports.add(
                walk.root,
                "GB308",
                f"the block {name} is never used",
                ("blocks", name),
                key=True,
                severity=Severity.WARNING,
            )


def _warn_unused_params(walk: Walk) -> None:
    blueprint = walk.document.blueprint
    if not blueprint.params:
        return
    data = walk.document.source.data
    used: set[str] = set()
    for text in strings_in({key: value for key, value in data.items() if key != "blocks"}):
        if "$" in text:
            used |= names_in(text)
    for name in blueprint.params:
        if name not in used:
            walk.reports.add(
                walk.root,
                "GB309",
                f"the param {name} is never used",
                ("params", name),
                key=True,
                severity=Severity.WARNING,
                hint=f"write ${name} where its value belongs, or delete it",
            )
