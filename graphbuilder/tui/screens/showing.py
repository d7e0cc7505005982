"""The part of the main screen that keeps its panes in step with the text and with each other."""

from __future__ import annotations

from textual import on
from textual.timer import Timer
from textual.widgets import Static

from graphbuilder.errors import Severity
from graphbuilder.text.source import Path
from graphbuilder.tui.canvas import Canvas, FoldToggled, OpenAsked, Scene, Selected
from graphbuilder.tui.fields import Form
from graphbuilder.tui.forms import form_of
from graphbuilder.tui.panes.inspector import Inspector
from graphbuilder.tui.panes.outline import outline_key, outline_path, rows_of
from graphbuilder.tui.panes.problems import diff_rows, problem_rows
from graphbuilder.tui.panes.rows import Rows
from graphbuilder.tui.panes.text import TextPane
from graphbuilder.tui.screens.base import BaseScreen
from graphbuilder.tui.workspace import Outcome, outcome_of, subject_at

__all__ = ["ShowingScreen"]

_MARK = "\ufeff"
# How long after an edit the graph is computed anew, and after a move of the selection the panes follow, in seconds.
_LOWER_PAUSE = 0.06
_FOLLOW_PAUSE = 0.05


class ShowingScreen(BaseScreen):
    """A screen that shows a blueprint in several panes."""

    _lower_timer: Timer | None = None
    _follow_timer: Timer | None = None
    _lowering = False
    _again = False
    # Which pane the selection was moved in, so that this one is left alone.
    _moved_in = ""
    # The box that was selected in the graph when that was last looked at.
    _seen: str | None = None
    # The problem that was gone to last.
    _problem: int | None = None

    def changed(self, focus: str | None = None) -> None:
        self._problem = None
        state = self.workspace.session.state
        self.text_pane.show(state.text.removeprefix(_MARK))
        self.show_scene()
        if focus is not None:
            self._focus_on(focus)
        self.lower_soon()
        # At once, because a second frame takes longer than making all of the first one.
        self._show_rest()
        self._followed()

    def _show_rest(self) -> None:
        self.mark_text()
        self.show_outline()
        self.show_lower()
        self.show_status()

    def _focus_on(self, node: str) -> None:
        """Selects a node by its name, which stands in the file itself or in the block of the selection."""
        block = self.subject[1] if self.subject[:1] == ("blocks",) and len(self.subject) > 1 else None
        document = self.workspace.document
        if document is None:
            return
        inner = document.blueprint.blocks.get(str(block)) if block is not None else None
        if inner is not None and node in inner.nodes:
            self.select(("blocks", str(block), "nodes", node))
        elif node in document.blueprint.inputs:
            self.select(("inputs", node))
        else:
            self.select(("nodes", node))

    def show_scene(self) -> None:
        """Draws the graph anew."""
        self.canvas.scene = self.workspace.scene()

    def show_outline(self) -> None:
        """Lists everything that the file says."""
        document = self.workspace.document
        if document is None:
            self.rows("outline").show([])
            return
        blocks = {str(self.subject[1])} if self.subject[:1] == ("blocks",) and len(self.subject) > 1 else set()
        marks: dict[str, str] = {}
        for found in self.workspace.diagnostics():
            if found.node is not None:
                name = found.node.partition(".")[0]
                marks[name] = "error" if found.severity is Severity.ERROR else marks.get(name, "warning")
        self.rows("outline").show(rows_of(document, blocks, marks), outline_key(self.subject))

    def mark_text(self) -> None:
        """Marks the lines of the text that something is wrong with."""
        looks: dict[int, str] = {}
        for found in self.workspace.diagnostics():
            if found.position is not None:
                look = "error" if found.severity is Severity.ERROR else "warning"
                for line in range(found.position.line, min(found.position.end_line, found.position.line + 3) + 1):
                    if looks.get(line - 1) != "error":
                        looks[line - 1] = look
        self.text_pane.mark(looks)

    def show_lower(self) -> None:
        """Fills what is in sight of the lower pane."""
        problems = self.rows("problems")
        problems.show(problem_rows(self.workspace.diagnostics(), max(problems.size.width, 60)))
        diff = self.rows("diff")
        if self.in_front == "diff":
            diff.show(diff_rows(self.workspace.disk_text, self.workspace.session.text))

    def show_status(self) -> None:
        """Shows the file's name, whether it was changed, and what is wrong with it."""
        raise NotImplementedError

    # What came of lowering.

    def lower_soon(self) -> None:
        """Computes the graph anew, once nothing changes any more."""
        if self._lower_timer is not None:
            self._lower_timer.stop()
        self._lower_timer = self.set_timer(_LOWER_PAUSE, self._lower)

    @property
    def busy(self) -> bool:
        """Whether something is still to be shown that follows from what was done."""
        waiting = self._lower_timer is not None or self._follow_timer is not None or self.text_pane.waiting
        return waiting or self._lowering or self._again

    def _lower(self) -> None:
        self._lower_timer = None
        document = self.workspace.session.state.document
        if document is None:
            return
        if self._lowering:
            self._again = True
            return
        self._lowering = True
        params = self.workspace.params

        def work() -> None:
            try:
                outcome: Outcome | None = outcome_of(document, params)
            except Exception as error:
                # A bug of ours must be told, and must not end the editor with what is unsaved in it.
                self.app.call_from_thread(self.confess, error)
                outcome = None
            self.app.call_from_thread(self._lowered, outcome)

        self.run_worker(work, thread=True, group="lower", exit_on_error=False)

    def _lowered(self, outcome: Outcome | None) -> None:
        self._lowering = False
        if self._again:
            self._again = False
            self._lower()
        if outcome is None or not self.workspace.take(outcome):
            return
        self.show_scene()
        self._show_rest()
        self._follow()

    # What is selected.

    def select(self, path: Path) -> None:
        """Selects what stands at a path of the text, in every pane.

        Arguments:
            path: the keys that lead to it.
        """
        box, moved_in = self._box_of(path), self._moved_in
        if box is not None:
            self.canvas.select(box)
            box = self._seen = self.canvas.selection
        self.subject, self.box, self._moved_in = path, box, moved_in
        self._follow()

    def _box_of(self, path: Path) -> str | None:
        """The box that shows what stands at a path."""
        scene = self.canvas.scene
        match path:
            case ("nodes" | "inputs", str(name), *_):
                return scene.shown(name)
            case ("blocks", _, "nodes", _, *_):
                current = scene.box.get(self.box or "")
                if current is not None and current.where == path[:4]:
                    return current.id
                return next((box.id for box in scene.boxes if box.where == path[:4]), None)
            case ("outputs", *_):
                found = [box.id for box in scene.boxes if box.family == "output"]
                return next((box for box in found if len(path) > 1 and box.endswith(str(path[-1]))), None) or next(
                    iter(found), None
                )
        return None

    @on(Selected)
    def take_selection(self) -> None:
        """Takes what is selected in the graph: at once, because the next key may come before a message does."""
        selected = self.canvas.selection
        if selected == self._seen:
            return
        self._seen = selected
        if selected == self.box:
            return
        self.box = selected
        box = self.canvas.scene.box.get(selected or "")
        if box is not None:
            self.subject = self._path_of(box.id, box.where)
            self._moved_in = "canvas"
            self._follow()

    def _path_of(self, box: str, where: Path | None) -> Path:
        """The keys that lead to what a box shows: its own, or those of the node of this file around it."""
        if where is not None:
            return where
        if box.startswith("outputs:"):
            return ("outputs",)
        return ("nodes", box.partition(".")[0])

    def _follow(self) -> None:
        """Lets the panes follow the selection, once it rests."""
        if self._follow_timer is not None:
            self._follow_timer.stop()
        self._follow_timer = self.set_timer(_FOLLOW_PAUSE, self._followed)

    def _followed(self) -> None:
        if self._follow_timer is not None:
            self._follow_timer.stop()
        self._follow_timer = None
        moved_in, self._moved_in = self._moved_in, ""
        outline = self.rows("outline")
        if self.subject[:1] == ("blocks",) and moved_in != "outline":
            self.show_outline()
        outline.move_to(outline_key(self.subject))
        self.show_inspector()
        if moved_in != "text" and self.in_front == "text" and not self.text_pane.has_focus:
            self.look_at_subject()

    def look_at_subject(self) -> None:
        """Shows in the text what is selected."""
        document = self.workspace.session.state.document
        if document is not None and self.subject:
            place = document.source.position(self.subject, key=True)
            self.text_pane.look_at(document.source.lines.offset(place.line, place.column))

    def show_inspector(self) -> None:
        """Shows the form of what is selected."""
        document = self.workspace.document
        if document is None:
            self.inspector.show(None, None)
            return
        box = self.canvas.scene.box.get(self.box or "")
        facts = self.workspace.facts(box.id) if box is not None and box.family != "output" else None
        form = form_of(document, self.subject)
        if box is not None and box.where is None and box.family not in ("output",):
            form = Form(box.title, box.kind, "", (), "it is written in another file: inline the block to edit it here")
        name = box.id if box is not None else "/".join(map(str, self.subject))
        trouble = [
            f"{found.message}; expected {found.expected}" if found.expected else found.message
            for found in self.workspace.diagnostics() if found.node == name
        ]  # fmt: skip
        self.inspector.show(form, document, facts, trouble)

    @on(Rows.Moved, "#outline")
    def _outlined(self, event: Rows.Moved) -> None:
        self._moved_in = "outline"
        self.select(outline_path(event.key))

    @on(Rows.Chosen, "#outline")
    def _outline_chosen(self, event: Rows.Chosen) -> None:
        path = outline_path(event.key)
        if path[:1] == ("blocks",) and len(path) == 2:
            self.show_outline()
        else:
            self.open_inspector()

    @on(Rows.Moved, "#problems")
    def _problem_moved(self, event: Rows.Moved) -> None:
        self.look_at_problem(int(event.key))

    @on(Rows.Chosen, "#problems")
    def _problem_chosen(self, event: Rows.Chosen) -> None:
        self.look_at_problem(int(event.key), open_text=True)

    def look_at_problem(self, number: int, *, open_text: bool = False) -> None:
        """Shows where something is wrong.

        Arguments:
            number: which of the problems, from 0.
            open_text: whether the text is brought forward.
        """
        found = self.workspace.diagnostics()
        if not 0 <= number < len(found) or found[number].position is None:
            return
        place = found[number].position
        assert place is not None
        lines = self.text_pane.lines
        offset = lines.offset(place.line - 1, place.column - 1)
        source = self.workspace.session.state.source
        if source is not None and self.workspace.readable:
            self._moved_in = "text"
            self.select(subject_at(source, offset))
        if open_text:
            self.open_pane("text")
        self.text_pane.look_at(offset)

    def action_problem(self, step: int) -> None:
        """Goes to the next problem, or to the one before."""
        found = self.workspace.diagnostics()
        if not found:
            self.say("nothing is wrong", "good")
            return
        number = (self._problem + step) % len(found) if self._problem is not None else 0
        self._problem = number
        self.rows("problems").move_to(str(number))
        self.look_at_problem(number)
        self.say(str(found[number]), "error" if found[number].severity is Severity.ERROR else "warning")

    @on(TextPane.Looked)
    def _looked(self, event: TextPane.Looked) -> None:
        source = self.workspace.session.state.source
        if source is None or not self.workspace.readable:
            return
        path = subject_at(source, event.offset)
        if path != self.subject:
            self._moved_in = "text"
            self.select(path)

    @on(TextPane.Typed)
    def _typed(self, event: TextPane.Typed) -> None:
        self.workspace.type(event.text)
        self._moved_in = "text"
        self.changed()

    @on(TextPane.Left)
    @on(Inspector.Left)
    def _left(self) -> None:
        self.canvas.focus()

    @on(OpenAsked)
    def _open_asked(self) -> None:
        self.open_inspector()

    @on(FoldToggled)
    def _fold_toggled(self, event: FoldToggled) -> None:
        self.workspace.fold(event.path, event.deep)
        self.show_scene()
        self._follow()

    def open_inspector(self) -> None:
        """Goes to the form of what is selected."""
        self._followed()
        self.open_pane("inspector")

    def open_pane(self, name: str) -> None:
        """Shows a pane and goes there."""
        raise NotImplementedError

    @property
    def in_front(self) -> str:
        """The lower pane that is in front."""
        raise NotImplementedError

    def status(self, name: str) -> Static:
        """A line of text: head or foot."""
        return self.query_one(f"#{name}", Static)

    def scene_now(self) -> Scene:
        """What is drawn."""
        return self.query_one(Canvas).scene
