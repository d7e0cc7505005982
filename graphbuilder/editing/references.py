"""Who takes what at the top level of a blueprint: its edges as they are written, or implied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphbuilder.blueprint import Block, BlockNode, Blueprint, Node, ReuseNode
from graphbuilder.text.source import Path

__all__ = ["OUTPUTS", "Use", "feeding", "implied_output", "naming", "references", "same_branch", "tap_uses", "uses"]

# What the outputs are called among the consumers: a word that no node can have for a name.
OUTPUTS = "outputs:"


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a value is taken.

    Arguments:
        consumer: the node that takes it, or `OUTPUTS`.
        reference: what is taken, as it is written; for an implied place, the node above, or the last node.
        path: where it is written, or would be.
        implied: whether it is left to the order of the nodes.
    """

    consumer: str
    reference: str
    path: Path
    implied: bool = False


def references(written: Any, path: Path) -> Iterator[tuple[str, Path]]:
    """The references in a `from` or in `outputs`, with their places, in order."""
    waiting: list[tuple[Any, Path]] = [(written, path)]
    while waiting:
        item, place = waiting.pop()
        if isinstance(item, str):
            # An expression gives a constant, never a reference.
            if "$" not in item:
                yield item, place
        elif isinstance(item, list):
            waiting.extend(reversed([(each, (*place, index)) for index, each in enumerate(item)]))
        elif isinstance(item, Mapping) and "constant" not in item:
            waiting.extend(reversed([(each, (*place, str(key))) for key, each in item.items()]))


def implied_output(blueprint: Blueprint | Block) -> str | None:
    """The node that is the output because the file names none; None where it does, or has no node."""
    if blueprint.outputs is not None or not blueprint.nodes:
        return None
    return list(blueprint.nodes)[-1]


def uses(blueprint: Blueprint | Block) -> list[Use]:
    """Every place at the top level that takes a value, in the order of the file, the outputs last."""
    found: list[Use] = []
    above: str | None = None
    for name, node in blueprint.nodes.items():
        place: Path = ("nodes", name, "from")
        if isinstance(node.source, str):
            # Most nodes have one source, and edits of large files ask for all of them.
            if "$" not in node.source:
                found.append(Use(name, node.source, place))
        elif node.source is not None:
            found += [Use(name, reference, where) for reference, where in references(node.source, place)]
        else:
            implied = above or (next(iter(blueprint.inputs)) if len(blueprint.inputs) == 1 else None)
            if implied is not None:
                found.append(Use(name, implied, place, implied=True))
        above = name
    last = implied_output(blueprint)
    if last is not None:
        found.append(Use(OUTPUTS, last, ("outputs",), implied=True))
    else:
        found += [Use(OUTPUTS, reference, where) for reference, where in references(blueprint.outputs, ("outputs",))]
    return found


def tap_uses(blueprint: Blueprint | Block) -> list[Use]:
    """The places under `taps` that name a value.

    They are no places that take one: a tap goes where the value goes that it names, and nothing is connected to it.
    """
    return [Use(f"the tap {name}", reference, ("taps", name)) for name, reference in blueprint.taps.items()]


def naming(blueprint: Blueprint | Block, name: str) -> list[Use]:
    """Every place that takes a value of an input or node, and every tap that names one."""
    return [use for use in (*uses(blueprint), *tap_uses(blueprint)) if use.reference.partition(".")[0] == name]


def feeding(blueprint: Blueprint | Block, names: Iterable[str], found: Sequence[Use]) -> set[str]:
    """The nodes that feed some nodes, directly or through others, and these themselves.

    Whose weights a node uses again counts as feeding it, because it must be made first.

    Arguments:
        blueprint: the file.
        names: the nodes.
        found: what `uses` gave.
    """
    taken: dict[str, set[str]] = {name: set() for name in blueprint.nodes}
    for use in found:
        if use.consumer != OUTPUTS:
            taken[use.consumer].add(use.reference.partition(".")[0])
    for name, node in blueprint.nodes.items():
        if isinstance(node, ReuseNode):
            taken[name].add(node.reuse.partition(".")[0])
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in taken and name not in reached:
            reached.add(name)
            waiting.extend(taken[name])
    return reached


def same_branch(blueprint: Blueprint | Block, reference: str) -> str:
    """A reference in the form that all references to the same value have: of a layer or an op, `x.0` is `x`.

    In a block, a number may be that of a copy, so nothing is said about it there.
    """
    first, _, rest = reference.partition(".")
    if rest == "0" and not _is_block(blueprint, blueprint.nodes.get(first)):
        return first
    return reference


def _is_block(blueprint: Blueprint | Block, node: Node | None) -> bool:
    seen: set[str] = set()
    while isinstance(node, ReuseNode) and node.reuse not in seen:
        seen.add(node.reuse)
        if "." in node.reuse:
            return True
        node = blueprint.nodes.get(node.reuse)
    return isinstance(node, BlockNode)
