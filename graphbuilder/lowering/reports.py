"""Collects what the walk finds wrong, located in the user's file, each fault once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from graphbuilder.catalog import Misfit
from graphbuilder.catalog.refusals import Refusal
from graphbuilder.errors import Diagnostic, Position, Related, Severity
from graphbuilder.graph import Call, Value
from graphbuilder.lowering.scope import Scope

__all__ = ["Reports", "Stop"]

# The codes of names that are not known.
_NAMES = ("GB207", "GB301")

# How many other places that use such a name are told.
MORE_PLACES = 8

# How many links of the chain that a shape came through are shown.
CHAIN = 6

# How far back the beginning of such a chain is looked for: a stranger's file may have very long ones, and many.
FARTHEST = 1_000


class Stop(Exception):
    """A limit was passed; walking on would be what the limit forbids."""


class Reports:
    """The diagnostics of one walk.

    Arguments:
        root: the scope of the user's own file, where diagnostics are located whenever they can be.
    """

    def __init__(self, root: Scope) -> None:
        self.root = root
        self.diagnostics: list[Diagnostic] = []
        # How often something was reported, what is told only once included: whoever compares the count before and after
        # a step knows whether the step failed.
        self.count = 0
        self._seen: set[tuple[object, ...]] = set()
        self._names: dict[tuple[object, ...], int] = {}

    @property
    def failed(self) -> bool:
        """Whether there is an error among them."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)

    def add(
        self,
        scope: Scope,
        code: str,
        message: str,
        path: tuple[str | int, ...],
        *,
        key: bool = False,
        node: str | None = None,
        severity: Severity = Severity.ERROR,
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
        fix: str | None = None,
        fix_entry: Mapping[str, str] | None = None,
        drop: bool = False,
        related: tuple[Related, ...] = (),
    ) -> None:
        """Adds one diagnostic.

        Arguments:
            scope: where it was found; inside an imported or shipped block the diagnostic stands at the node of the
                user's file that uses the block, and the inner place is told beside it.
            path: the keys that lead to it, from the scope's own definition.
            key: whether it is about the key rather than the value.
            node: the path of the node.
            fix_entry: keys with their values, as YAML, that would mend it in the place of the entry at the path.
            drop: whether it would be mended by leaving the entry at the path out.
        """
        self.count += 1
        identity = (code, scope.document.source.name, scope.where, path, message)
        if identity in self._seen:
            return
        self._seen.add(identity)
        source = scope.document.source
        place = source.position((*scope.where, *path), key=key)
        if code in _NAMES and self._told_already((code, source.name, scope.where, message), place):
            return
        fix_position = None
        if fix_entry is not None:
            fix, fix_position = source.entry_text(fix_entry, (*scope.where, *path))
        elif drop and (gap := source.entry_place((*scope.where, *path))) is not None:
            fix, fix_position = "", gap
        more = list(related)
        file = source.name
        if scope.document is not self.root.document:
            inner = Related(f"inside block {scope.block}", file, place)
            user = scope.user
            outside = scope.outer
            while outside is not None and outside.document is not self.root.document:
                user, outside = outside.user, outside.outer
            assert user is not None
            file, place, fix, fix_position = user.source.name, user.position(key=True), None, None
            # What would mend it stands in another file.
            hint = None if hint is None else str(hint)
            # What would mend it stands in another file.
            hint = None if hint is None else str(hint)
            more.append(inner)
        else:
            more += scope.uses()
        self.diagnostics.append(
            Diagnostic(
                code, message, severity, file, place, node, found, expected, hint, fix, tuple(more), fix_position
            )
        )

    def withdraw(self, code: str, scope: Scope, path: tuple[str | int, ...]) -> None:
        """Takes back what was said under a code of the node at a path: it was a consequence of another fault.

        Arguments:
            code: the code.
            scope: where the node stands.
            path: the keys that lead to it, from the scope's own definition.
        """
        place = scope.document.source.position((*scope.where, *path), key=True)
        for number, found in enumerate(self.diagnostics):
            if found.code == code and found.file == scope.document.source.name and found.position == place:
                del self.diagnostics[number]
                self._names = {name: at - (at > number) for name, at in self._names.items()}
                return

    def _told_already(self, name: tuple[object, ...], place: Position) -> bool:
        """Whether a name that is not known was told before; then this place is told beside the first one.

        A name that is missing, or misspelt where it is declared, is one fault, however often it is used.
        """
        number = self._names.setdefault(name, len(self.diagnostics))
        if number == len(self.diagnostics):
            return False
        first = self.diagnostics[number]
        if first.file == name[1] and len(first.related) < MORE_PLACES:
            self.diagnostics[number] = replace(first, related=(*first.related, Related("and here", None, place)))
        return True

    def refusal(self, scope: Scope, refusal: Refusal, prefix: tuple[str | int, ...], node: str) -> None:
        """Adds the diagnostic of an argument that was not accepted."""
        missing = refusal.code == "GB202"
        self.add(
            scope,
            refusal.code,
            refusal.message,
            prefix if missing else (*prefix, *refusal.path),
            key=missing or refusal.on_key,
            node=node,
            found=refusal.found,
            expected=refusal.expected,
            hint=refusal.hint,
            fix=refusal.fix,
            drop=refusal.drop,
        )

    def misfit(
        self, scope: Scope, misfit: Misfit, prefix: tuple[str | int, ...], node: str, chain: tuple[Related, ...]
    ) -> None:
        """Adds the diagnostic of inputs that do not fit."""
        path = (*prefix, misfit.argument) if misfit.argument else prefix
        self.add(
            scope,
            misfit.code,
            misfit.message,
            path,
            key=misfit.argument is None,
            node=node,
            found=misfit.found,
            expected=misfit.expected,
            hint=misfit.hint,
            related=chain,
        )


def chain_of(value: Value, givers: dict[str, Call]) -> tuple[Related, ...]:
    """The chain of nodes that a value came through, as one line: `image (…) → conv (…) → pool (…)`.

    Of a long one the beginning is told, and what lies next to the value.

    Arguments:
        value: the value at fault.
        givers: the call that gives each value, by the value's name.
    """
    chain: list[Value] = []
    here: Value | None = value
    while here is not None and len(chain) < FARTHEST:
        chain.append(here)
        call = givers.get(here.name)
        here = next(call.inputs(), None) if call is not None else None
    shown = chain if len(chain) <= CHAIN else [*chain[: CHAIN - 1], chain[-1]]
    links = [f"{link.name} {link.type or '(unknown)'}" for link in shown]
    if len(chain) > CHAIN:
        links.insert(CHAIN - 1, "…")
    return (Related("it came from " + " → ".join(reversed(links))),)
