"""What a name on the command line means: an input, a node, what lies inside a block or a fusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from graphbuilder.blueprint import BlockNode, BlockPlace, Document, Node, ReuseNode
from graphbuilder.errors import CommandError, Diagnostic
from graphbuilder.graph import Graph, Origin

__all__ = ["WrittenNode", "known_names", "nothing_of_that_name", "untapped", "value_owner", "within", "written_node"]


@dataclass(frozen=True, slots=True)
class WrittenNode:
    """A node as it stands in a file.

    Arguments:
        place: the file or block in which it stands.
        name: its name there.
        node: the node.
    """

    place: BlockPlace
    name: str
    node: Node

    @property
    def origin(self) -> Origin:
        """Where it stands."""
        return Origin(self.place.document.source, (*self.place.path, "nodes", self.name))

    @property
    def block(self) -> BlockPlace | None:
        """The block that it uses, itself or by reusing another node, if it does."""
        if isinstance(self.node, BlockNode):
            return self.place.document.find_block(self.node.block)
        again = _inside(self.place, self.node.reuse) if isinstance(self.node, ReuseNode) else None
        return again.block if again is not None else None


def written_node(document: Document, name: str) -> WrittenNode | None:
    """The node that a path in the graph leads to, as a file writes it; None for what no file writes.

    Arguments:
        document: the user's file.
        name: a path such as `encoder.2.attention`; that of a copy, `encoder.2`, leads to the block node.
    """
    return _inside(BlockPlace(document, document.blueprint, ()), name)


def _inside(place: BlockPlace, name: str) -> WrittenNode | None:
    here: BlockPlace | None = place
    found: WrittenNode | None = None
    for step in name.split("."):
        if here is None:
            return None  # nobody writes what lies inside a fusion
        node = here.definition.nodes.get(step)
        if node is not None:
            found = WrittenNode(here, step, node)
            here = found.block
        elif found is None or not step.isdigit():
            return None
        # Else it is the number of a copy of the block that was found last.
    return found


def untapped(document: Document, name: str) -> str:
    """The path that a name stands for: what it taps, where it ends in a tap.

    Arguments:
        document: the user's file.
        name: a path such as `backbone.stride_8`.

    Example:
        >>> from graphbuilder.blueprint import load
        >>> untapped(load("blueprints/unet_mobilenet.yaml"), "down.stride_8")
        'down.block_6.expand_relu'
    """
    outer, _, last = name.rpartition(".")
    found = written_node(document, outer) if outer else None
    place = BlockPlace(document, document.blueprint, ()) if not outer else found.block if found is not None else None
    taps = {} if place is None else place.definition.taps
    if last not in taps:
        return name
    return untapped(document, ".".join([*([outer] if outer else []), taps[last]]))


def within(name: str, path: str) -> bool:
    """Whether a path lies inside what another one names."""
    return name.startswith(f"{path}.")


def known_names(graph: Graph) -> list[str]:
    """Everything that can be explained: inputs, nodes, what lies inside them, and the blocks and branches around it."""
    found = dict.fromkeys(graph.inputs)
    for name in graph.calls:
        steps = name.split(".")
        for depth in range(1, len(steps) + 1):
            found[".".join(steps[:depth])] = None
    return list(found)


def value_owner(graph: Graph, name: str) -> str | None:
    """The call that gives a value such as `lstm.1`."""
    head, _, last = name.rpartition(".")
    call = graph.calls.get(head)
    return head if call is not None and last.isdigit() and any(value.name == name for value in call.outputs) else None


def nothing_of_that_name(document: Document, graph: Graph, name: str) -> CommandError:
    """The error of a name that stands for nothing in the graph, with what it may have meant."""
    file = document.source.name
    written = written_node(document, name)
    if written is not None:
        hint = "connect it, or name it under `outputs:`"
        told = f"{name} is not in the model: it feeds no output, or its `when` leaves it out"
        return CommandError(Diagnostic("GB301", told, file=file, found=name, hint=hint))
    hint = _near(name, known_names(graph))
    return CommandError(Diagnostic("GB301", f"there is no node or input {name}", file=file, found=name, hint=hint))


def _near(name: str, known: Sequence[str]) -> str:
    """What a name may have meant: one that looks like it, one inside a node, or else what there is to choose from."""
    outer = name.rpartition(".")[0]
    while outer and outer not in known:
        outer = outer.rpartition(".")[0]
    here = [each for each in known if each.rpartition(".")[0] == outer]
    if outer and not here:
        return f"{outer} has nothing inside"
    near = get_close_matches(name[len(outer) :].lstrip("."), [each.rpartition(".")[2] for each in here], n=1)
    close = [each for each in here if near and each.rpartition(".")[2] == near[0]]
    # A bare name often stands for a node inside a block or a fusion.
    close = close or [each for each in known if each.endswith(f".{name}")][:1]
    if close:
        return f"did you mean {close[0]}?"
    listed = f"{', '.join(here[:8])}{', …' if len(here) > 8 else ''}"
    return f"{outer} has {listed}" if outer else f"known here: {listed}"
