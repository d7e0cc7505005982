"""Names and what they stand for while the walk is inside a file or a block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphbuilder.blueprint import BlockPlace, Document, Node
from graphbuilder.errors import Related, nearest
from graphbuilder.graph import Origin, Value

__all__ = ["BROKEN_NODE", "Bound", "Made", "Scope", "Unresolved"]


class Unresolved(Exception):
    """A reference that names no single value.

    Arguments:
        message: what is wrong.
        hint: how to mend it.
        fix: the reference that was probably meant.
        left_out: whether there would be such a value with other params.
    """

    def __init__(
        self, message: str, hint: str | None = None, fix: str | None = None, *, left_out: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.fix = fix
        self.left_out = left_out


@dataclass(frozen=True, slots=True)
class Made:
    """Who made the weights behind a node, so that `reuse` can call it again.

    Arguments:
        node: the layer or block node.
        scope: where it was written.
        layer_path: the path under which its layers are kept.
    """

    node: Node
    scope: Scope
    layer_path: str


@dataclass(slots=True)
class Bound:
    """What a name stands for: values by port, and for a block what lies inside.

    Arguments:
        ports: the values it gives by port; None for a value that is broken by an earlier mistake.
        single: whether the bare name means the one value it gives.
        inner: the names inside, for taps; for a repeated block its copies by number.
        made: who made the weights, for a node that can be reused.
        varies: whether params decide what lies inside: a `when` that is false here, a computed number of copies.
        missing: why a tap names nothing here.
    """

    ports: Mapping[str, Value | None]
    single: bool = True
    inner: Mapping[str, Bound] = field(default_factory=dict)
    made: Made | None = None
    varies: bool = False
    missing: Unresolved | None = None

    @classmethod
    def of(cls, value: Value | None, made: Made | None = None) -> Bound:
        """A name that stands for one value."""
        return cls({"0": value}, made=made)


# What the name of a node stands for when it could not be made.
BROKEN_NODE = Bound({"0": None})


@dataclass(slots=True)
class Scope:
    """One level of names: a file, or one use of a block.

    Arguments:
        document: the file that the nodes stand in.
        where: the keys that lead to the file's or block's definition.
        path: the path of the node that uses the block, empty for the file itself.
        layer_path: the path under which its layers are kept; differs from `path` where a block is reused.
        params: the values of the params.
        names: what each input and node stands for, as the walk goes on.
        user: the origin of the node that uses the block, in the user's scope.
        outer: the scope of that node.
        depth: blocks around this one.
        swallowed: nodes that stand among another node's arguments, through a wrong indentation, and were told there.
    """

    document: Document
    where: tuple[str | int, ...]
    path: str
    layer_path: str
    params: Mapping[str, Any]
    names: dict[str, Bound] = field(default_factory=dict)
    user: Origin | None = None
    outer: Scope | None = None
    block: str | None = None
    depth: int = 0
    swallowed: set[str] = field(default_factory=set)

    def join(self, name: str) -> str:
        """The path of a node of this scope."""
        return f"{self.path}.{name}" if self.path else name

    def join_layer(self, name: str) -> str:
        """The path under which a layer of this scope is kept."""
        return f"{self.layer_path}.{name}" if self.layer_path else name

    def origin(self, *path: str | int) -> Origin:
        """Where something of this scope was written."""
        return Origin(self.document.source, (*self.where, *path))

    def find_block(self, name: str) -> BlockPlace | None:
        """The block of that name, as this scope's file sees it."""
        return self.document.find_block(name)

    def resolve(self, reference: str) -> Value | None:
        """The value that a reference names; None where an earlier mistake broke it.

        Raises:
            Unresolved: it names none, or several.
        """
        first, *rest = reference.split(".")
        bound = self.names.get(first)
        if bound is None:
            raise self._unknown(first, reference)
        trail = first
        for index, step in enumerate(rest):
            if bound is BROKEN_NODE:
                return None
            # A port comes before a node inside of the same name; the copies of a repeat come before numbered ports.
            hidden = step in bound.inner and (bound.single or step.isdigit())
            if step in bound.ports and index == len(rest) - 1 and not hidden:
                return bound.ports[step]
            if step not in bound.inner:
                raise _no_such_part(bound, trail, step)
            bound = bound.inner[step]
            trail = f"{trail}.{step}"
            if bound.missing is not None:
                raise Unresolved(f"{trail} names nothing here: {bound.missing.message}", bound.missing.hint)
        if bound.single:
            return next(iter(bound.ports.values()))
        choices = ", ".join(f"{trail}.{port}" for port in bound.ports)
        count = f"{len(bound.ports)} output{'s' if len(bound.ports) > 1 else ''} in a list or mapping"
        raise Unresolved(f"{trail} has {count}", f"say which: {choices}")

    def _unknown(self, first: str, reference: str) -> Unresolved:
        close = nearest(first, self.names)
        if close is not None:
            fix = ".".join([close, *reference.split(".")[1:]])
            return Unresolved(f"there is no node or input {first}", f"did you mean {fix}?", fix)
        known = ", ".join(list(self.names)[:8])
        return Unresolved(f"there is no node or input {first}", f"known here: {known}" if known else None)

    def uses(self) -> list[Related]:
        """The nodes whose use of a block led here, innermost first."""
        found = []
        scope: Scope | None = self
        while scope is not None and scope.user is not None:
            user = scope.user
            message = f"in block {scope.block}, used by {scope.path}"
            found.append(Related(message, user.source.name, user.position(key=True)))
            scope = scope.outer
        return found


def _no_such_part(bound: Bound, trail: str, step: str) -> Unresolved:
    known = list(dict.fromkeys([*(() if bound.single else bound.ports), *bound.inner]))
    if not known:
        if bound.varies:
            return Unresolved(f"{trail} is left out here, and with it {step}", left_out=True)
        return Unresolved(f"{trail} has one output and nothing inside", f"write {trail}", trail)
    close = nearest(step, known)
    if close is None and all(name.isdigit() for name in known):
        what = f"copies are {known[0]} to {known[-1]}" if bound.inner else f"outputs are {', '.join(known)}"
        return Unresolved(f"{trail} has no {step}", f"its {what}", left_out=bound.varies and step.isdigit())
    hint = f"did you mean {trail}.{close}?" if close else f"it has {', '.join(known[:12])}"
    return Unresolved(f"{trail} has no {step}", hint, f"{trail}.{close}" if close else None)
