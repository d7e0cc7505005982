"""The part of the main screen that merges, compresses, copies, and goes back and forth in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from textual import on, work

from graphbuilder.editing.commands.choosing import ExcludeNodes, IncludeNodes
from graphbuilder.editing.commands.copying import Paste, copied
from graphbuilder.editing.commands.merging import Merge
from graphbuilder.editing.commands.passes import AttachPass, MovePass
from graphbuilder.editing.fitting import judge
from graphbuilder.editing.levels import Level
from graphbuilder.editing.passing import passes_that_fit
from graphbuilder.errors import GraphbuilderError
from graphbuilder.tui.choices import fusion_choices, node_choices, pass_choices, there_choices
from graphbuilder.tui.panes.text import TextPane
from graphbuilder.tui.screens.editing import EditingScreen
from graphbuilder.tui.screens.picker import Choice, Picker

__all__ = ["FittingScreen"]

Result = TypeVar("Result")


class FittingScreen(EditingScreen):
    """A screen on which branches are merged and passes of compression attached."""

    async def in_thread(self, work: Callable[[], Result]) -> Result | None:
        """What comes of some work in a thread; where it is refused, that is said and None is given."""
        try:
            return await asyncio.to_thread(work)
        except GraphbuilderError as error:
            self.refuse(error)
        except Exception as error:
            self.confess(error)
        return None

    @work(exclusive=True, group="ask")
    async def action_merge(self) -> None:
        """Asks which branches are to be merged, and by which of the fusions that fit."""
        document = self.document
        if document is None:
            return
        branches = self._branches()
        if branches is None:
            return
        while len(branches) < 2:
            title = "Merge which branch?" if not branches else f"Merge {branches[0]} with which branch?"
            picked = await self.ask(Picker(title, node_choices(Level(document), skip=branches)))
            if picked is None:
                return
            branches.append(str(picked))
        params = self.workspace.params
        self.say(f"looking which fusions fit {', '.join(branches)} …", "dim")
        judged = await self.in_thread(lambda: judge(document, branches, params))
        if judged is None:
            return
        self.say("")
        picked = await self.ask(Picker(f"Merge {', '.join(branches)} by", fusion_choices(judged)))
        if picked is not None:
            self.carry_out(Merge(tuple(branches), str(picked), params=params or None))

    def _branches(self) -> list[str] | None:
        """What is chosen or selected, as references of the file; None where something of it cannot be merged."""
        scene = self.canvas.scene
        found = []
        for box in self.canvas.chosen or ((self.box,) if self.box is not None else ()):
            shown = scene.box.get(box)
            if shown is None or shown.family == "output":
                continue
            if shown.where is not None and shown.where[0] == "blocks":
                self.say("branches inside a block cannot be merged here: inline the block, or edit its text", "warning")
                return None
            found.append(shown.id)
        return found

    @work(exclusive=True, group="ask")
    async def action_passes(self) -> None:
        """Asks for what is to be compressed and by which pass, and attaches it."""
        document = self.document
        if document is None:
            return
        nodes = self._to_compress()
        if nodes:
            told = ", ".join(nodes[:3]) + (" …" if len(nodes) > 3 else "")
            picked = await self.ask(
                Picker("Compress what?", [Choice("nodes", told, "only these"), Choice("model", "the whole model", "")])
            )
            if picked is None:
                return
            nodes = nodes if picked == "nodes" else []
        self.say("looking which passes fit …", "dim")
        fitting = await self.in_thread(lambda: passes_that_fit(document, nodes or None))
        if fitting is None:
            return
        self.say("")
        whom = ", ".join(nodes[:3]) if nodes else "the whole model"
        there = there_choices(document) if nodes else []
        picked = await self.ask(Picker(f"Compress {whom} by", [*pass_choices(fitting), *there]))
        if picked is None:
            return
        verb, colon, index = str(picked).partition(":")
        if colon:
            command = IncludeNodes if verb == "include" else ExcludeNodes
            self.carry_out(command(int(index), nodes))
            return
        options: Mapping[str, Any] = next(each.options for each in fitting if each.name == picked)
        if self.carry_out(AttachPass(str(picked), dict(options), nodes or None)) is not None:
            self._select_new_pass(document.source.data.get("compression") or [])

    def action_move(self, step: int) -> None:
        """Moves the selected pass among the others."""
        if self.document is None:
            return
        match self.subject:
            case ("compression", int(index), *_):
                if self.carry_out(MovePass(index, index + step)) is not None:
                    self.select(("compression", index + step))
            case _:
                self.say("select a pass of compression first", "warning")

    def _to_compress(self) -> list[str]:
        """The chosen nodes, or else the selected one, by the paths that passes know them by."""
        scene = self.canvas.scene
        boxes = self.canvas.chosen or ((self.box,) if self.box is not None else ())
        return [box for box in boxes if box in scene.box and scene.box[box].family not in ("input", "output")]

    def _select_new_pass(self, before: list[Any]) -> None:
        """Selects the pass that was attached, so that its options can be set."""
        document = self.workspace.document
        after = (document.source.data.get("compression") or []) if document is not None else []
        index = next(
            (number for number, each in enumerate(after) if number >= len(before) or each != before[number]), None
        )
        if index is not None:
            self.select(("compression", index))
            self.open_inspector()

    @work(exclusive=True, group="ask")
    async def action_copy(self) -> None:
        """Asks in which form the chosen nodes or the model are to be copied."""
        document = self.document
        if document is None:
            return
        nodes = self.chosen_nodes() if self._to_compress() else []
        told = ", ".join(name for name, _ in nodes[:3]) + (" …" if len(nodes) > 3 else "")
        choices = [Choice("nodes", "YAML of the nodes", told)] if nodes else []
        choices += [
            Choice("yaml", "YAML of the model", "the whole text"),
            Choice("python", "Python of the model", "Keras code that builds it"),
            Choice("mermaid", "Mermaid of the model", "a flowchart for documents"),
        ]
        picked = await self.ask(Picker("Copy as", choices))
        if picked is None:
            return
        try:
            text = self._copied(str(picked), nodes)
        except GraphbuilderError as error:
            self.refuse(error)
            return
        self.app.copy_to_clipboard(text)
        self.say(f"copied {len(text.splitlines())} lines as {picked if picked != 'nodes' else 'YAML'}", "good")

    def _copied(self, form: str, nodes: list[tuple[str, str | None]]) -> str:
        """A text to be copied.

        Raises:
            GraphbuilderError: the model has errors, so that it has no such form.
        """
        document = self.workspace.session.document()
        if form == "nodes":
            text = copied(document, [name for name, _ in nodes], nodes[0][1])
            self.workspace.clip = text
            return text
        if form == "yaml":
            return self.workspace.session.text
        from graphbuilder.export import mermaid, python_source
        from graphbuilder.lowering import lower

        graph = lower(document, self.workspace.params)
        return python_source(graph) if form == "python" else mermaid(graph)

    def action_paste(self) -> None:
        """Pastes what was copied last behind what is selected."""
        if self.document is None:
            return
        clip = self.workspace.clip or self.app.clipboard
        if not clip:
            self.say("nothing was copied yet: copy nodes with y, or paste their text into the YAML pane", "warning")
            return
        value, block = self._value_and_level()
        origin = self.workspace.path.parent if self.workspace.path is not None else None
        self.carry_out(Paste(clip, value, origin, block))

    # Back and forth in time.

    def action_undo(self) -> None:
        """Takes the last step back."""
        self._step(again=False)

    def action_redo(self) -> None:
        """Does the step again that was taken back last."""
        self._step(again=True)

    @on(TextPane.UndoAsked)
    def _undo_asked(self, event: TextPane.UndoAsked) -> None:
        self._step(again=event.again)

    def _step(self, *, again: bool) -> None:
        self.take_typed()
        session = self.workspace.session
        try:
            step = session.redo() if again else session.undo()
        except GraphbuilderError as error:
            self.say(error.diagnostics[0].message, "warning")
            return
        self.changed(step.focus if again else None)
        self.say(f"{'done again' if again else 'undone'}: {step.title}", "good")

    @work(exclusive=True, group="ask")
    async def action_history(self) -> None:
        """Asks to which step to go."""
        session = self.workspace.session
        steps = [*session.done, *reversed(session.undone)]
        choices = [Choice("0", "as it was opened", "")]
        for number, step in enumerate(steps, 1):
            done = number <= len(session.done)
            choices.append(Choice(str(number), step.title, "" if done else "undone", look="text" if done else "dim"))
        picked = await self.ask(Picker("Go to which step?", choices[::-1], cursor=str(len(session.done))))
        if picked is None:
            return
        wanted = int(picked)
        while len(session.done) > wanted:
            session.undo()
        while len(session.done) < wanted and session.undone:
            session.redo()
        self.changed()
        self.say(f"at step {wanted} of {len(steps)}", "good")
