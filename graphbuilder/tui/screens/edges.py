"""The part of the main screen that edits edges, by keyboard and by dragging them."""

from __future__ import annotations

from textual import on, work

from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.connecting import Connect, Disconnect, Rewire, SwapInputs
from graphbuilder.editing.commands.outputs import AddOutput
from graphbuilder.editing.kinds import kind_of_node
from graphbuilder.editing.levels import Level
from graphbuilder.editing.references import OUTPUTS
from graphbuilder.errors import GraphbuilderError
from graphbuilder.tui.canvas import ConnectAsked, DragMoved, RewireAsked
from graphbuilder.tui.choices import node_choices
from graphbuilder.tui.screens.picker import Choice, Picker
from graphbuilder.tui.screens.showing import ShowingScreen

__all__ = ["EdgesScreen"]


class EdgesScreen(ShowingScreen):
    """A screen on which edges are edited."""

    def value_and_level(self) -> tuple[str | None, str | None]:
        """The selected node or input, as a reference, and the block that it stands in."""
        node = self.node_at()
        if node is not None:
            return node
        if self.subject[:1] == ("inputs",):
            return str(self.subject[1]), None
        if self.subject[2:3] == ("inputs",) and len(self.subject) == 4:
            return str(self.subject[3]), str(self.subject[1])
        return None, None

    @work(exclusive=True, group="ask")
    async def action_connect(self) -> None:
        """Asks which node is to take the selected value, and at which port."""
        document = self.document
        source, block = self.value_and_level()
        if document is None:
            return
        if source is None:
            self.say("select the node whose value is to be taken first", "warning")
            return
        level = Level(document, block)
        choices = node_choices(level, skip=[source, *level.definition.inputs], outputs=block is None)
        target = await self.ask(Picker(f"Connect {source} to which node?", choices))
        if target is not None:
            await self._connect(source, str(target), block)

    async def _connect(self, source: str, target: str, block: str | None) -> None:
        if target == OUTPUTS:
            self.carry_out(AddOutput(source))
            return
        document = self.document
        node = Level(document, block).definition.nodes.get(target) if document is not None else None
        if document is None or node is None:
            return
        kind = kind_of_node(Level(document, block), node)
        ports = [port.name for port in (kind.ports if kind is not None else None) or ()]
        port: str | None = None
        if len(ports) > 1:
            choices = [Choice("", "the next one that is free", ""), *(Choice(name, name, "port") for name in ports)]
            port = await self.ask(Picker(f"At which port of {target}?", choices))
            if port is None:
                return
        self.carry_out(Connect(source, target, port or None, block))

    @on(ConnectAsked)
    def _connect_asked(self, event: ConnectAsked) -> None:
        if self.document is None:
            return
        found = self._ends(event)
        if isinstance(found, str):
            self.say(found, "warning")
            return
        (source, block), (target, _) = found
        self.run_worker(self._connect(source, target, block), exclusive=True, group="ask")

    @on(RewireAsked)
    def _rewire_asked(self, event: RewireAsked) -> None:
        if self.document is None:
            return
        commands = self._rewiring(event)
        if isinstance(commands, str):
            self.say(commands, "warning")
            return
        # What cannot be done to its end is not begun.
        wrong = self.preview(commands[-1])
        if wrong is not None:
            self.say(wrong, "error")
            return
        for command in commands:
            if self.carry_out(command) is None:
                return

    def _ends(self, event: ConnectAsked) -> tuple[tuple[str, str | None], tuple[str, str | None]] | str:
        """The source and the target of a new edge, each with the block that it stands in; or why there can be none."""
        source, target = self._end(event.source), self._end(event.target)
        if source is None or target is None or (target[0] != OUTPUTS and source[1] != target[1]):
            return "these two do not stand in the same file or block"
        if source[0] == OUTPUTS:
            return "an output gives nothing on"
        return source, target

    def _rewiring(self, event: RewireAsked) -> tuple[Command, ...] | str:
        """The commands that take an end of an edge elsewhere; or why there are none."""
        edge = event.edge
        target, new_target = self._end(edge.target), self._end(event.target)
        source, new_source = self._end(edge.source), self._end(event.source)
        if target is None or source is None or new_source is None or new_target is None:
            return "this edge is written in another file"
        written = edge.reference or source[0]
        if event.source != edge.source:
            return (Rewire(written, target[0], new_source[0], target[1]),)
        return _connecting(written, new_target[0], new_target[1]), Disconnect(written, target[0], target[1])

    def _end(self, box: str) -> tuple[str, str | None] | None:
        """What a box is called where it stands, and the block that it stands in."""
        found = self.canvas.scene.box.get(box)
        if found is None:
            return None
        if found.family == "output":
            return OUTPUTS, None
        if found.family == "input":
            return found.id, None
        return self.node_at(found.where) if found.where is not None else None

    # What is shown while an edge is dragged.

    @on(DragMoved)
    def _drag_moved(self, event: DragMoved) -> None:
        self.hint(self._told_of_drag(event))

    def _told_of_drag(self, event: DragMoved) -> str:
        """What letting go here would do, in a few words."""
        asked, dragged = event.asked, event.dragged
        if dragged is None:
            return ""
        if asked is None:
            if isinstance(dragged, str):
                return f"connect {self._title(dragged)} → … (esc: leave it)"
            whole = f"{self._title(dragged.source)} → {self._title(dragged.target)}"
            return f"take this end of {whole} to another node (esc: leave it)"
        if not self.workspace.readable:
            return str(self.workspace.problem())
        if isinstance(asked, ConnectAsked):
            found = self._ends(asked)
            if isinstance(found, str):
                return found
            (source, block), (target, _) = found
            command, leaving = _connecting(source, target, block), self.canvas.scene.leaving.get(asked.source, ())
            if any(edge.target == asked.target for edge in leaving) and self._changes_nothing(command):
                return f"{target} takes {source} already"
            return self._would(command, f"connect {source} → {target}")
        commands = self._rewiring(asked)
        if isinstance(commands, str):
            return commands
        edge = asked.edge
        source, target = self._title(asked.source), self._title(asked.target)
        before = self._title(edge.source) if asked.source != edge.source else self._title(edge.target)
        told = f"connect {source} → {target} instead of {before}"
        return self.preview(commands[-1]) or self._would(commands[0], told)

    def _would(self, command: Command, told: str) -> str:
        """What a command comes to: what is told where it can be carried out, else why it cannot."""
        try:
            edit = command.edit(self.workspace.session.document())
        except GraphbuilderError as error:
            return error.diagnostics[0].message
        return "; ".join([told, *edit.told])

    def _changes_nothing(self, command: Command) -> bool:
        """Whether a command writes what is written already."""
        try:
            self.workspace.session.planned(command)
        except GraphbuilderError:
            return True
        return False

    def _title(self, box: str) -> str:
        found = self.canvas.scene.box.get(box)
        return found.title if found is not None else box

    @work(exclusive=True, group="ask")
    async def action_disconnect(self) -> None:
        """Asks which input of the selected node is to be taken away."""
        found = self._taken()
        if found is not None:
            name, block, taken = found
            source = await self.ask(
                Picker(f"{name} is to take no longer what?", [Choice(each, each) for each in dict.fromkeys(taken)])
            )
            if source is not None:
                self.carry_out(Disconnect(str(source), name, block))

    @work(exclusive=True, group="ask")
    async def action_swap(self) -> None:
        """Swaps two inputs of the selected node; asks which, where there are more than two."""
        found = self._taken()
        if found is None:
            return
        name, block, taken = found
        first, second = "0", "1"
        if len(taken) > 2:
            choices = [Choice(str(number), each, f"input {number}") for number, each in enumerate(taken)]
            first = await self.ask(Picker(f"Swap which input of {name}?", choices))
            if first is None:
                return
            rest = [choice for choice in choices if choice.key != first]
            second = await self.ask(Picker(f"Swap {taken[int(first)]} with which?", rest))
            if second is None:
                return
        self.carry_out(SwapInputs(name, int(first), int(second), block))

    def _taken(self) -> tuple[str, str | None, list[str]] | None:
        """The selected node, or the outputs, with the references that it takes."""
        document = self.document
        if document is None:
            return None
        if self.subject[:1] == (OUTPUTS,):
            uses = [use.reference for use in Level(document).uses() if use.consumer == OUTPUTS]
            return OUTPUTS, None, uses
        node = self.need_node()
        if node is None:
            return None
        name, block = node
        return name, block, [use.reference for use in Level(document, block).uses() if use.consumer == name]


def _connecting(source: str, target: str, block: str | None) -> Command:
    """The command that lets a node, or the outputs, take a value."""
    return AddOutput(source) if target == OUTPUTS else Connect(source, target, None, block)
