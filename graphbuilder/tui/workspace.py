"""What is open in the editor: the session, what came of lowering its text, and what of it is unfolded."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from graphbuilder.api.reading import unmet
from graphbuilder.blueprint import Document
from graphbuilder.compression.declared import declared_passes
from graphbuilder.editing.session import Session
from graphbuilder.errors import Diagnostic, GraphbuilderError
from graphbuilder.graph import Graph
from graphbuilder.lowering import Lowered, try_lower
from graphbuilder.text import Source
from graphbuilder.text.source import Path
from graphbuilder.text.tree import Mapping as Entries
from graphbuilder.text.tree import dereferenced
from graphbuilder.tui.canvas import Scene, foldable_below, scene_of
from graphbuilder.tui.canvas.known import known_of
from graphbuilder.tui.canvas.remembered import Drawn

__all__ = ["Facts", "Outcome", "Workspace", "outcome_of", "subject_at"]

_MARK = "\ufeff"
# What is typed within so many seconds of one another is undone together.
_TYPING = 1.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one node beyond what it says.

    Arguments:
        shape: what it gives; empty where that is not known.
        parameters: in its weights; None where that is not known.
        macs: multiply-accumulates for one sample; None where that is not known.
        calls: how many layers and ops it comes to.
    """

    shape: str
    parameters: int | None
    macs: int | None
    calls: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of lowering one state of a document.

    Arguments:
        document: the very document.
        lowered: the graph, if there is one, and what is wrong.
        unmet: passes that cannot be carried out, and budgets that are exceeded.
        compressed: the layers that passes of compression touch, by their paths.
    """

    document: Document
    lowered: Lowered
    unmet: tuple[Diagnostic, ...] = ()
    compressed: frozenset[str] = frozenset()


def outcome_of(document: Document, params: Mapping[str, Any]) -> Outcome:
    """Lowers a document; it may be called in a thread.

    Arguments:
        document: a loaded blueprint.
        params: values for some of its params.
    """
    lowered = try_lower(document, params)
    known_of(lowered)  # it is kept, so that drawing need not wait for it
    touched: set[str] = set()
    if lowered.graph is not None and lowered.graph.compression:
        declared, _ = declared_passes(lowered.graph)
        touched.update(layer for each in declared for layer in each.chosen.layers)
    asked = () if lowered.graph is None else unmet(lowered.graph)
    return Outcome(document, lowered, asked, frozenset(touched))


def subject_at(source: Source, offset: int) -> Path:
    r"""The keys that lead to what stands at an offset of a text, as far as the editor knows it as one thing.

    That is a node, an input, a param, an import, a pass, what a pass does otherwise to a node, what a block holds, or
    a whole section such as `training`.

    Example:
        >>> from graphbuilder.text import parse
        >>> subject_at(parse("nodes:\n  a: {layer: Flatten}\n"), 12)
        ('nodes', 'a')
    """
    path: Path = ()
    node = source.root
    depths = {"nodes": 2, "inputs": 2, "params": 2, "imports": 2, "compression": 4, "blocks": 4}
    most = 1
    while len(path) < most:
        inside = dereferenced(node)
        if isinstance(inside, Entries):
            # An entry goes on until the next one begins, comments above that included.
            found = [entry for entry in inside.entries if entry[0].start <= offset]
            if not found:
                return path[:2]
            key, node = found[-1]
            path = (*path, str(key.value))
        elif hasattr(inside, "items"):
            numbers = [number for number, item in enumerate(inside.items) if item.start <= offset]
            if not numbers:
                return path[:2]
            node = inside.items[numbers[-1]]
            # The inputs of a block may be listed, and are known by their names.
            path = (*path, str(getattr(node, "value", "")) if path[2:] == ("inputs",) else numbers[-1])
        else:
            return path[:2]
        if len(path) == 1:
            most = depths.get(str(path[0]), 1)
        if len(path) == 3 and path[2] not in ("nodes", "params", "inputs", "overrides"):
            return path if path[0] == "blocks" and path[2] == "outputs" else path[:2]
    return path


@dataclass
class Workspace:
    """What is open.

    Arguments:
        session: the text with its history.
        params: values for some of the blueprint's params, as given by `--set`.
        path: the file, or None.
        unfolded: the paths of block nodes and copies that are unfolded.
        outcome: what came of lowering it last.
        disk_text: what the file says.
        clip: the nodes that were copied last, as a text.
    """

    session: Session
    params: Mapping[str, Any] = field(default_factory=dict)
    path: FilePath | None = None
    unfolded: set[str] = field(default_factory=set)
    outcome: Outcome | None = None
    clip: str = ""
    disk_text: str = ""
    _readable: Document | None = None
    _drawn: Drawn = field(default_factory=Drawn)
    _typed: float = -1e9

    def __post_init__(self) -> None:
        self._readable = self.session.state.document
        self.disk_text = self.session.text

    @property
    def changed(self) -> bool:
        """Whether the text is another one than the file's."""
        return self.session.text != self.disk_text

    @property
    def document(self) -> Document | None:
        """The document as it stands, or as it stood when it could last be read."""
        current = self.session.state.document
        if current is not None:
            self._readable = current
        return self._readable

    @property
    def readable(self) -> bool:
        """Whether the text as it stands can be read."""
        return self.session.state.document is not None

    @property
    def settled(self) -> bool:
        """Whether what came of lowering is that of the document as it stands."""
        return self.outcome is not None and self.outcome.document is self.document

    @property
    def graph(self) -> Graph | None:
        """The graph of the document as it stands, where it has one and that is known by now."""
        return self.outcome.lowered.graph if self.settled and self.outcome is not None else None

    def take(self, outcome: Outcome) -> bool:
        """Takes what came of lowering; what came of an older text is thrown away, and False is given."""
        if outcome.document is not self.session.state.document:
            return False
        self.outcome = outcome
        return True

    def scene(self) -> Scene:
        """What there is to draw."""
        document = self.document
        if document is None:
            return Scene()
        marks = {}
        if self.outcome is not None:
            marks = dict.fromkeys(self.outcome.compressed, ("compressed",))
        lowered = self.outcome.lowered if self.outcome is not None else None
        return scene_of(document, lowered, unfolded=self.unfolded, marks=marks, drawn=self._drawn)

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong or noteworthy with the text as it stands, as far as it is known."""
        state = self.session.state
        if state.document is None:
            return state.diagnostics
        if not self.settled or self.outcome is None:
            return ()
        return (*self.outcome.lowered.diagnostics, *self.outcome.unmet)

    def fold(self, path: str, deep: bool = False) -> None:
        """Unfolds a block node or one of its copies, or folds it if it is unfolded.

        Arguments:
            path: its path.
            deep: whether everything inside is meant too.
        """
        if path in self.unfolded:
            inside = [each for each in self.unfolded if each == path or each.startswith(f"{path}.")]
            self.unfolded -= set(inside) if deep else {path}
        else:
            self.unfolded.add(path)
            if deep and self.document is not None:
                self.unfolded |= foldable_below(self.document, path)

    def facts(self, node: str) -> Facts | None:
        """What is known of a node, by its path; None where nothing is.

        Arguments:
            node: a path such as `encoder.2.attention`, or an input's name.
        """
        if self.outcome is None:
            return None
        known = known_of(self.outcome.lowered)
        graph = self.outcome.lowered.graph
        if graph is None:
            return None
        if node in graph.inputs:
            return Facts(known.shapes.get(node, ""), 0, 0, 0)
        inner = [call for name, call in graph.calls.items() if name == node or name.startswith(f"{node}.")]
        if not inner:
            return None
        macs = [call.macs for call in inner]
        shape = known.shapes.get(node) or known.shapes.get(f"{node}.0") or ""
        if not shape and inner[-1].outputs:
            shape = known.shapes.get(inner[-1].outputs[0].name, "")
        counted = None if None in macs else sum(each for each in macs if each is not None)
        return Facts(shape, known.parameters.get(node), counted, len(inner))

    def type(self, text: str) -> None:
        """Takes what the author has typed.

        Arguments:
            text: the whole text, without a byte order mark.
        """
        mark = _MARK if self.session.text.startswith(_MARK) else ""
        now = time.monotonic()
        self.session.type(mark + text, join=now - self._typed < _TYPING)
        self._typed = now

    def problem(self) -> str | None:
        """Why no command can be carried out now; None where they can."""
        try:
            self.session.document()
        except GraphbuilderError as error:
            return f"the text cannot be read: {error.diagnostics[0].message}"
        return None
