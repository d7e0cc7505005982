"""What every part of the main screen stands on: what is open, what is selected, and how commands are carried out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from textual.screen import Screen

from graphbuilder.blueprint import Document
from graphbuilder.editing.command import Command, Edit
from graphbuilder.errors import GraphbuilderError
from graphbuilder.text.source import Path
from graphbuilder.tui.canvas import Box, Canvas
from graphbuilder.tui.panes.inspector import Inspector, told
from graphbuilder.tui.panes.rows import Part, Rows, row
from graphbuilder.tui.panes.text import TextPane
from graphbuilder.tui.workspace import Workspace

__all__ = ["BaseScreen"]

Result = TypeVar("Result")

# How long something may take before it is said that it is being done, in seconds.
_MOMENT = 0.3
# How many lines of the log are kept.
_MOST_LOGGED = 20_000


def _bug(error: Exception) -> str:
    return f"graphbuilder met a bug of its own: {type(error).__name__}: {error}; nothing was changed"


class BaseScreen(Screen[None]):
    """A screen on which a blueprint is edited.

    Arguments:
        workspace: what is open.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        # The keys that lead to what is selected, and the box that shows it.
        self.subject: Path = ()
        self.box: str | None = None
        # How many things are being done in threads, of which something is to be shown.
        self.at_work = 0
        self._logged = 0

    @property
    def canvas(self) -> Canvas:
        """The graph."""
        return self.query_one(Canvas)

    @property
    def inspector(self) -> Inspector:
        """The form of what is selected."""
        return self.query_one(Inspector)

    @property
    def text_pane(self) -> TextPane:
        """The text."""
        return self.query_one(TextPane)

    def rows(self, name: str) -> Rows:
        """A list: outline, problems, diff or log."""
        return self.query_one(f"#{name}", Rows)

    def say(self, text: str, look: str = "text") -> None:
        """Says something in the line at the bottom and in the log.

        Arguments:
            text: in sentences without a full stop.
            look: how it is written: text, dim, good, warning or error.
        """
        raise NotImplementedError

    def hint(self, text: str) -> None:
        """Shows something in the line at the bottom for as long as it holds, in the place of what was said last.

        Arguments:
            text: a few words; empty where there is nothing to show any more.
        """
        raise NotImplementedError

    def log_lines(self, lines: Sequence[str], look: str = "text") -> None:
        """Adds lines to the log; of very many, the first ones go."""
        start = self._logged
        self._logged += len(lines)
        self.rows("log").append(
            [row(f"log{start + number}", Part(line, look)) for number, line in enumerate(lines)], _MOST_LOGGED
        )

    def changed(self, focus: str | None = None) -> None:
        """Shows the text as it is now.

        Arguments:
            focus: the node that is selected then; None for the one of before.
        """
        raise NotImplementedError

    def confess(self, error: Exception) -> None:
        """Tells of a bug of ours, which must not end the editor with what is unsaved in it."""
        if os.environ.get("GRAPHBUILDER_TRACEBACK"):
            raise error
        self.say(_bug(error), "error")

    def refuse(self, error: GraphbuilderError) -> None:
        """Says why something was not done."""
        self.say(told(error), "error")

    def take_typed(self) -> None:
        """Takes what was typed in the text and is not known yet, and shows it."""
        text = self.text_pane.taken()
        if text is not None:
            self.workspace.type(text)
            self.changed()

    @property
    def document(self) -> Document | None:
        """What is edited, as far as commands can be carried out on it; else it is said why they cannot."""
        self.take_typed()
        problem = self.workspace.problem()
        if problem is not None:
            self.say(problem, "error")
            return None
        return self.workspace.session.document()

    def carry_out(self, command: Command, select: str | None = None) -> Edit | None:
        """Carries out a command and shows what came of it; or says why it was refused.

        Arguments:
            command: the command.
            select: the node that is selected then, where that is another than the command's own.
        """
        self.take_typed()
        try:
            edit = self.workspace.session.run(command)
        except GraphbuilderError as error:
            self.refuse(error)
            return None
        except Exception as error:
            self.confess(error)
            return None
        self._carried_out(edit, select)
        return edit

    def carry_out_beside(self, command: Command, then: Callable[[], None] | None = None) -> None:
        """Carries out a command that plans the whole model, as `carry_out` does, but plans it in a thread.

        Arguments:
            command: the command.
            then: called once it is carried out; not where it was refused.
        """
        # In no exclusive group: the next question must not throw away what was answered to this one.
        self.run_worker(self._carry_out_beside(command, then), group="commands")

    async def _carry_out_beside(self, command: Command, then: Callable[[], None] | None) -> None:
        session = self.workspace.session
        while True:
            self.take_typed()
            planned = await self.in_thread(lambda: session.planned(command), "looking what that comes to …")
            if planned is None:
                return
            if planned.before is session.state and not self.text_pane.waiting:
                break
        self._carried_out(session.do(planned))
        if then is not None:
            then()

    def _carried_out(self, edit: Edit, select: str | None = None) -> None:
        self.changed(select or edit.focus)
        self.say("; ".join([edit.title, *edit.told]), "warning" if edit.told else "good")

    async def in_thread(self, work: Callable[[], Result], told: str = "one moment …") -> Result | None:
        """What comes of some work in a thread; where it is refused, that is said and None is given.

        Arguments:
            work: what is to be done.
            told: what is shown meanwhile, where it takes longer than a moment.
        """
        with self.working(told):
            try:
                return await asyncio.to_thread(work)
            except GraphbuilderError as error:
                self.refuse(error)
            except Exception as error:
                self.confess(error)
        return None

    @contextmanager
    def working(self, told: str) -> Iterator[None]:
        """Shows what is being done in a thread meanwhile, if that takes longer than a moment.

        Arguments:
            told: what is shown.
        """
        self.at_work += 1
        soon = self.set_timer(_MOMENT, lambda: self.hint(told))
        try:
            yield
        finally:
            soon.stop()
            self.at_work -= 1
            self.hint("")

    def preview(self, command: Command) -> str | None:
        """What is wrong with a command; None where it can be carried out."""
        try:
            command.edit(self.workspace.session.document())
        except GraphbuilderError as error:
            return error.diagnostics[0].message
        except Exception as error:
            return _bug(error)
        return None

    def current_box(self) -> Box | None:
        """The selected box."""
        return self.canvas.scene.box.get(self.box or "")

    def node_at(self, path: Path | None = None) -> tuple[str, str | None] | None:
        """The name of the selected node and the block that it stands in; None where no node of this file is selected.

        Arguments:
            path: the keys that lead to it; those of the selection where they are left out.
        """
        match self.subject if path is None else path:
            case ("nodes", str(name), *_):
                return name, None
            case ("blocks", str(block), "nodes", str(name), *_):
                return name, block
        return None

    def need_node(self) -> tuple[str, str | None] | None:
        """The selected node; where there is none, that is said."""
        found = self.node_at()
        if found is None:
            box = self.current_box()
            if box is not None and box.where is None and box.family not in ("input", "output"):
                self.say(f"{box.title} is written in another file: inline the block to edit it here", "warning")
            else:
                self.say("select a node first", "warning")
        return found

    def chosen_nodes(self) -> list[tuple[str, str | None]]:
        """The chosen nodes, or else the selected one."""
        scene = self.canvas.scene
        paths = [scene.box[box].where for box in self.canvas.chosen if box in scene.box]
        found = [self.node_at(path) for path in paths if path is not None]
        nodes = list(dict.fromkeys(each for each in found if each is not None))
        if not nodes:
            single = self.need_node()
            nodes = [single] if single is not None else []
        return nodes

    async def ask(self, screen: Screen[Any]) -> Any:
        """What is answered to a question above this screen; only within a worker."""
        return await self.app.push_screen_wait(screen)
