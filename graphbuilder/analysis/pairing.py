"""Which node of one graph is which of another, whatever they are called now.

There are two ways to begin: with names, which people keep when they edit a file, and with structure, which stays when
names are given anew. Both are gone to the end, and the one is taken that leaves less to tell.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import TypeAlias

from graphbuilder.analysis.diff_sides import Node, Reference, Scope

__all__ = ["Pairs", "candidates"]

# The name in the second scope, by that in the first.
Pairs: TypeAlias = dict[str, str]


def candidates(one: Scope, two: Scope) -> Iterator[Pairs]:
    """Ways to pair the nodes of two scopes.

    Arguments:
        one: a scope.
        two: another one.
    """
    for begin in (_Pairing.by_names, _Pairing.by_structure):
        pairing = _Pairing(one, two)
        begin(pairing)
        pairing.grow()
        yield pairing.pairs


class _Side:
    """A scope with the ways through it.

    Arguments:
        scope: the scope.
    """

    def __init__(self, scope: Scope) -> None:
        self.nodes = scope.nodes
        self.taken_by: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for node in scope.nodes.values():
            for port, reference in node.inputs.items():
                if reference.node is not None:
                    self.taken_by[reference.node].append((port, node.name))
        for key, reference in scope.outputs.items():
            if reference.node is not None:
                self.taken_by[reference.node].append((f"output {key}", ""))
        # How many nodes have the weights of each; which of them makes the layer depends on the order of the file.
        self.sharing = Counter(node.shares or node.name for node in scope.nodes.values())
        self.order = self._in_order()

    def _in_order(self) -> list[str]:
        """The nodes, each behind those that it takes something of; what stands in a circle comes last."""
        needs = {
            name: {ref.node for ref in node.inputs.values() if ref.node in self.nodes}
            for name, node in self.nodes.items()
        }
        waiting = {name: len(found) for name, found in needs.items()}
        found = [name for name, count in waiting.items() if not count]
        for name in found:
            for follower in dict.fromkeys(follower for _, follower in self.taken_by[name]):
                if follower in waiting:
                    waiting[follower] -= 1
                    if not waiting[follower]:
                        found.append(follower)
        return [*found, *(name for name, count in waiting.items() if count)]

    def _own(self, node: Node) -> bytes:
        shared = self.sharing[node.shares or node.name] > 1
        return "\0".join(node.signature).encode() + (b"shared" if shared else b"")

    def digests(self, inputs: Mapping[str, str]) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """What stands above each node, and what below, each with the node itself.

        Arguments:
            inputs: what each input is known as on both sides.
        """
        above: dict[str, bytes] = {}
        for name in self.order:
            node = self.nodes[name]
            parts = [
                f"{port}={ref.part}".encode() + above.get(ref.node or "", b"") for port, ref in node.inputs.items()
            ]
            above[name] = _digest([self._own(node), inputs.get(name, "").encode(), *parts])
        below: dict[str, bytes] = {}
        for name in reversed(self.order):
            node = self.nodes[name]
            parts = sorted(port.encode() + below.get(other, b"") for port, other in self.taken_by[name])
            below[name] = _digest([self._own(node), inputs.get(name, "").encode(), *parts])
        return above, below


def _digest(parts: list[bytes]) -> bytes:
    found = blake2b(digest_size=16)
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.digest()


def _both(above: Mapping[str, bytes], below: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: digest + below[name] for name, digest in above.items()}


class _Pairing:
    """Pairs that grow.

    Arguments:
        one: the first scope.
        two: the second.
    """

    def __init__(self, one: Scope, two: Scope) -> None:
        self.one, self.two = _Side(one), _Side(two)
        self.pairs: Pairs = {}
        self._back: Pairs = {}
        self._pair_inputs()

    def _add(self, mine: str, theirs: str) -> None:
        self.pairs[mine] = theirs
        self._back[theirs] = mine

    def _left(self, side: _Side, taken: Mapping[str, str]) -> list[Node]:
        return [side.nodes[name] for name in side.order if name not in taken]

    def _pair_inputs(self) -> None:
        """Inputs by name, and the others in their order where they are alike."""
        mine = [node for node in self.one.nodes.values() if node.kind == "input"]
        theirs = [node for node in self.two.nodes.values() if node.kind == "input"]
        names = {node.short: node.name for node in theirs}
        for node in mine:
            if node.short in names:
                self._add(node.name, names[node.short])
        for node in mine:
            if node.name not in self.pairs:
                free = [other for other in theirs if other.name not in self._back]
                same = next((other for other in free if other.signature == node.signature), None)
                if same is not None:
                    self._add(node.name, same.name)

    def by_names(self) -> None:
        """Pairs nodes of one kind and one name."""
        theirs: dict[tuple[str, str], str] = {}
        for node in self._left(self.two, self._back):
            theirs.setdefault((node.kind, node.short), node.name)
        for node in self._left(self.one, self.pairs):
            exact = self.two.nodes.get(node.name)
            other = node.name if exact is not None and exact.kind == node.kind else theirs.get((node.kind, node.short))
            if other is not None and other not in self._back:
                self._add(node.name, other)

    def by_structure(self) -> None:
        """Pairs nodes with the same above and below them, then those with the same above, or below."""
        known = {mine: f"input {number}" for number, mine in enumerate(self.pairs)}
        above, below = self.one.digests(known)
        there_above, there_below = self.two.digests({self.pairs[name]: text for name, text in known.items()})
        self._pair_alike(_both(above, below), _both(there_above, there_below))
        self._pair_alike(above, there_above)
        self._pair_alike(below, there_below)

    def _pair_alike(self, mine: Mapping[str, bytes], theirs: Mapping[str, bytes]) -> None:
        """Pairs nodes with one key; of several the one with the same inputs, or the same name, else the first."""
        groups: dict[bytes, list[Node]] = defaultdict(list)
        for node in self._left(self.two, self._back):
            groups[theirs[node.name]].append(node)
        for node in self._left(self.one, self.pairs):
            group = groups.get(mine[node.name])
            if group:
                best = max(group, key=lambda other: (self._agreeing(node, other), other.short == node.short))
                group.remove(best)
                self._add(node.name, best.name)

    def grow(self) -> None:
        """Pairs what stands beside pairs: first what is alike, then what is of one kind; last what has one name."""
        grown = True
        while grown:
            grown = self._sweep(lambda node, other: node.signature == other.signature, least=1)
            grown = grown or self._sweep(lambda node, other: node.kind == other.kind, least=2)
        theirs = {node.short: node.name for node in self._left(self.two, self._back)}
        for node in self._left(self.one, self.pairs):
            other = theirs.get(node.short)
            if other is not None and other not in self._back:
                self._add(node.name, other)

    def _sweep(self, fits: Callable[[Node, Node], bool], least: int) -> bool:
        """Pairs what fits and has at least so many neighbours that are pairs; tells whether there was any."""
        grown = False
        for direction in (1, -1):
            for node in self._left(self.one, self.pairs)[::direction]:
                best, score = None, (least - 1, False)
                for other in self._beside(node):
                    if other.name not in self._back and fits(node, other):
                        found = (self._agreeing(node, other), node.short == other.short)
                        if found[0] >= least and (best is None or found > score):
                            best, score = other, found
                if best is not None:
                    self._add(node.name, best.name)
                    grown = True
        return grown

    def _beside(self, node: Node) -> Iterator[Node]:
        """The nodes of the other scope that are connected to pairs as this one is."""
        met: set[str] = set()
        for port, reference in node.inputs.items():
            for other_port, other in self.two.taken_by.get(self.pairs.get(reference.node or "", ""), ()):
                if other_port == port and other and other not in met:
                    met.add(other)
                    yield self.two.nodes[other]
        for port, taker in self.one.taken_by[node.name]:
            paired = self.two.nodes.get(self.pairs.get(taker, ""))
            found = None if paired is None else paired.inputs.get(port)
            source = None if found is None else self.two.nodes.get(found.node or "")
            if source is not None and source.name not in met:
                met.add(source.name)
                yield source

    def _agreeing(self, node: Node, other: Node) -> int:
        """How many connections of two nodes lead to pairs."""
        count = sum(self._same(reference, other.inputs.get(port)) for port, reference in node.inputs.items())
        theirs = set(self.two.taken_by[other.name])
        for port, taker in self.one.taken_by[node.name]:
            count += (port, self.pairs.get(taker, taker)) in theirs and (not taker or taker in self.pairs)
        return count

    def _same(self, mine: Reference, theirs: Reference | None) -> bool:
        if theirs is None or mine.node is None or mine.part != theirs.part:
            return False
        return self.pairs.get(mine.node) == theirs.node
