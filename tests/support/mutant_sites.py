"""Places in a blueprint's text where a single fault can be made, and slips of the fingers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from graphbuilder.text import Source
from graphbuilder.text.tree import Mapping, Node, Scalar, Sequence

__all__ = ["STRUCTURE", "Fault", "Site", "misspelt", "sites"]

Path = tuple[str | int, ...]
# The keys of a node that are no arguments.
STRUCTURE = tuple("layer op fuse block reuse from when about call wraps repeat args gives".split())


@dataclass(frozen=True, slots=True)
class Fault:
    """One change of a text that makes one fault.

    Arguments:
        start: where the text that is replaced begins.
        end: where it ends.
        text: what stands there instead.
        at: an offset on the line that is at fault.
        node: the node or input at fault, by its own name.
        meeting: whether it shows only where another node needs another size.
    """

    start: int
    end: int
    text: str
    at: int
    node: str | None
    meeting: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """One value of a text with the keys that lead to it.

    Arguments:
        path: the keys from the root.
        rest: the keys from the file or block that it belongs to.
        key: its key, if it has one.
        value: the value.
        holder: the mapping or list around it.
    """

    path: Path
    rest: Path
    key: Scalar | None
    value: Node
    holder: Mapping | Sequence

    @property
    def node(self) -> str | None:
        """The node or input that it lies in."""
        return str(self.rest[1]) if len(self.rest) > 1 and self.rest[0] in ("nodes", "inputs") else None

    @property
    def argument(self) -> bool:
        """Whether it is an argument of a node's layer, op, fusion or block."""
        return len(self.rest) == 3 and self.rest[0] == "nodes" and self.rest[2] not in STRUCTURE

    def fault(self, text: str, *, meeting: bool = False) -> Fault:
        """The fault of another text in the value's place."""
        return Fault(self.value.start, self.value.end, text, self.value.start, self.node, meeting)

    def key_fault(self, text: str, node: str | None) -> Fault:
        """The fault of another text in the key's place."""
        assert self.key is not None
        return Fault(self.key.start, self.key.end, text, self.key.start, node)


def sites(source: Source) -> Iterator[Site]:
    """Every value of a text but the root, in order."""
    waiting: list[tuple[Path, Node]] = [((), source.root)]
    while waiting:
        path, node = waiting.pop()
        inside: list[tuple[str | int, Scalar | None, Node]] = []
        if isinstance(node, Mapping):
            inside = [(str(key.value), key, value) for key, value in node.entries]
        elif isinstance(node, Sequence):
            inside = [(index, None, value) for index, value in enumerate(node.items)]
        for step, key, value in inside:
            assert isinstance(node, (Mapping, Sequence))
            here = (*path, step)
            rest = here[2:] if here[0] == "blocks" and len(here) > 2 else here
            yield Site(here, rest, key, value, node)
        waiting += [((*path, step), value) for step, _, value in reversed(inside)]


def misspelt(word: str, choose: random.Random) -> str:
    """A word with one slip of the fingers."""
    letters = [index for index, letter in enumerate(word) if letter.isalpha()]
    at = choose.choice(letters[1:] or letters)
    slip = choose.choice(["drop", "double", "swap", "other"])
    if slip == "swap" and at + 1 < len(word) and word[at] != word[at + 1]:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if slip == "other":
        return word[:at] + choose.choice([letter for letter in "qxzj" if letter != word[at]]) + word[at + 1 :]
    if slip == "drop" and len(letters) > 2:
        return word[:at] + word[at + 1 :]
    return word[:at] + word[at] + word[at:]
