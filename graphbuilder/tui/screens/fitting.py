"""The part of the main screen that merges, compresses, copies, and goes back and forth in time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from textual import on, work

from graphbuilder.blueprint import Document
from graphbuilder.editing.commands.choosing import ExcludeNodes, IncludeNodes
from graphbuilder.editing.commands.copying import Paste, copied
from graphbuilder.editing.commands.merging import Merge
from graphbuilder.editing.commands.passes import AttachPass, MovePass
from graphbuilder.editing.fitting import judged_in_turn
from graphbuilder.editing.levels import Level
from graphbuilder.editing.passing import FittingPass, passes_in_turn
from graphbuilder.editing.passing_blocks import pass_names
from graphbuilder.errors import GraphbuilderError
from graphbuilder.tui.choices import fusion_choice, node_choices, pass_choice, there_choices
from graphbuilder.tui.panes.text import TextPane
from graphbuilder.tui.screens.editing import EditingScreen
from graphbuilder.tui.screens.picker import Choice, Picker

__all__ = ["FittingScreen"]


class FittingScreen(EditingScreen):
    """A screen on which branches are merged and passes of compression attached."""

    @property
    def busy(self) -> bool:
        looking = isinstance(self.app.screen, Picker) and self.app.screen.looking
        return super().busy or looking or self.at_work > 0

    async def ask_while_looking(self, title: str, filling: Callable[[], Iterable[Choice]]) -> str | None:
        """What is picked of things that are found while it is asked; where that fails, it is said why.

        Arguments:
            title: what is asked for.
            filling: gives what is found, in a thread.
        """
        picker = Picker(title, (), filling=filling)
        picked: str | None = await self.ask(picker)
        if isinstance(picker.failure, GraphbuilderError):
            self.refuse(picker.failure)
        elif picker.failure is not None:
            self.confess(picker.failure)
        return picked

    @work(exclusive=True, group="ask")
    async def action_merge(self) -> None:
        """Asks which branches are to be merged, and by which of the fusions that fit."""
        document = self.document
        if document is None:
            return
        found = self._branches()
        if found is None:
            return
        branches, block = found
        while len(branches) < 2:
            title = "Merge which branch?" if not branches else f"Merge {branches[0]} with which branch?"
            picked = await self.ask(Picker(title, node_choices(Level(document, block), skip=branches)))
            if picked is None:
                return
            branches.append(str(picked))
        params = self.workspace.params
        picked = await self.ask_while_looking(
            f"Merge {', '.join(branches)} by",
            lambda: map(fusion_choice, judged_in_turn(document, branches, params, block)),
        )
        if picked is not None:
            self.carry_out_beside(Merge(tuple(branches), picked, params=params or None, block=block))

    def _branches(self) -> tuple[list[str], str | None] | None:
        """What is chosen or selected, by the names that it has where it stands, and the block that it stands in.

        None where it stands in several places.
        """
        named: list[tuple[str, str | None]] = []
        for box in self.canvas.chosen or ((self.box,) if self.box is not None else ()):
            shown = self.canvas.scene.box.get(box)
            if shown is not None and shown.family != "output":
                # What a block gives that is written elsewhere can be taken by its path.
                named.append(self._end(box) or (shown.id, None))
        value, block = self.value_and_level()
        if self.box is None and value is not None and not named:
            named.append((value, block))
        blocks = {block for _, block in named}
        if len(blocks) > 1:
            self.say("the chosen nodes do not stand in the same file or block", "warning")
            return None
        return list(dict.fromkeys(name for name, _ in named)), next(iter(blocks), None)

    @work(exclusive=True, group="ask")
    async def action_passes(self) -> None:
        """Asks for what is to be compressed and by which pass, and attaches it."""
        document = self.document
        if document is None:
            return
        nodes = await self._in_every_copy(document) or self._to_compress()
        if nodes:
            told = ", ".join(nodes[:3]) + (" …" if len(nodes) > 3 else "")
            picked = await self.ask(
                Picker("Compress what?", [Choice("nodes", told, "only these"), Choice("model", "the whole model", "")])
            )
            if picked is None:
                return
            nodes = nodes if picked == "nodes" else []
        found: dict[str, FittingPass] = {}

        def filling() -> Iterator[Choice]:
            for each in passes_in_turn(document, nodes or None):
                found[each.name] = each
                yield pass_choice(each)
            yield from there_choices(document) if nodes else ()

        whom = ", ".join(nodes[:3]) if nodes else "the whole model"
        picked = await self.ask_while_looking(f"Compress {whom} by", filling)
        if picked is None:
            return
        verb, colon, index = picked.partition(":")
        if verb == "override":
            await self.ask_override(int(index), nodes)
            return
        if colon:
            change = IncludeNodes if verb == "include" else ExcludeNodes
            self.carry_out_beside(change(int(index), nodes))
            return
        before = document.source.data.get("compression") or []
        attached = AttachPass(picked, dict(found[picked].options), nodes or None)
        self.carry_out_beside(attached, lambda: self._select_new_pass(before))

    def action_move(self, step: int) -> None:
        """Moves the selected pass among the others."""
        if self.document is None:
            return
        match self.subject:
            case ("compression", int(index), *_):
                moved = ("compression", index + step)
                self.carry_out_beside(MovePass(index, index + step), lambda: self.select(moved))
            case _:
                self.say("select a pass of compression first", "warning")

    async def _in_every_copy(self, document: Document) -> list[str]:
        """The paths of the node of a block that is selected where no copy of it is drawn."""
        node = self.node_at()
        if node is None or node[1] is None or self.box is not None or self.canvas.chosen:
            return []
        name, block = node
        return list(await self.in_thread(lambda: pass_names(document, [name], block)) or ())

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
        text = await self.in_thread(lambda: self._copied(document, str(picked), nodes), "copying …")
        if text is None:
            return
        if picked == "nodes":
            self.workspace.clip = text
        self.app.copy_to_clipboard(text)
        self.say(f"copied {len(text.splitlines())} lines as {picked if picked != 'nodes' else 'YAML'}", "good")

    def _copied(self, document: Document, form: str, nodes: list[tuple[str, str | None]]) -> str:
        """A text to be copied; it may be called in a thread.

        Raises:
            GraphbuilderError: the model has errors, so that it has no such form.
        """
        if form == "nodes":
            return copied(document, [name for name, _ in nodes], nodes[0][1])
        if form == "yaml":
            return self.workspace.session.text
        from graphbuilder.export import mermaid, python_source
        from graphbuilder.lowering import lower

        graph = lower(document, self.workspace.params)
        return python_source(graph, document) if form == "python" else mermaid(graph)

    def action_paste(self) -> None:
        """Pastes what was copied last behind what is selected."""
        if self.document is None:
            return
        clip = self.workspace.clip or self.app.clipboard
        if not clip:
            self.say("nothing was copied yet: copy nodes with y, or paste their text into the YAML pane", "warning")
            return
        value, block = self.value_and_level()
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
