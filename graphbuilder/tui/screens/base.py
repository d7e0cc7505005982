"""What every part of the main screen stands on: what is open, what is selected, and how commands are carried out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

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

    def log_lines(self, lines: Sequence[str], look: str = "text") -> None:
        """Adds lines to the log."""
        rows = self.rows("log")
        start = len(rows.rows)
        rows.append([row(f"log{start + number}", Part(line, look)) for number, line in enumerate(lines)])

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
        """Takes what was typed in the text and is not known yet."""
        text = self.text_pane.taken()
        if text is not None:
            self.workspace.type(text)

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
        self.changed(select or edit.focus)
        self.say("; ".join([edit.title, *edit.told]), "warning" if edit.told else "good")
        return edit

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
