"""The part of the main screen that edits: each action asks for what it needs and carries out a command."""

from __future__ import annotations

from textual import on, work

from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.adding import AddNode
from graphbuilder.editing.commands.blocks import ExtractBlock, InlineBlock, RemoveBlock
from graphbuilder.editing.commands.connecting import Connect, Disconnect, Rewire, SwapInputs
from graphbuilder.editing.commands.deleting import DeleteNodes
from graphbuilder.editing.commands.ends import AddInput, RemoveInput, RenameInput
from graphbuilder.editing.commands.kinds import ChangeKind
from graphbuilder.editing.commands.outputs import AddOutput, RemoveOutput, RenameOutput
from graphbuilder.editing.commands.param_removal import RemoveParam
from graphbuilder.editing.commands.params import AddParam, RenameParam
from graphbuilder.editing.commands.passes import RemovePass
from graphbuilder.editing.commands.renaming import RenameNode
from graphbuilder.editing.kinds import kind_of_node
from graphbuilder.editing.levels import Level
from graphbuilder.editing.references import OUTPUTS
from graphbuilder.tui.canvas import ConnectAsked, RewireAsked
from graphbuilder.tui.choices import find_choices, kind_choices, node_choices, place_choices
from graphbuilder.tui.panes.inspector import Inspector
from graphbuilder.tui.panes.outline import outline_path
from graphbuilder.tui.screens.ask import AskText
from graphbuilder.tui.screens.picker import Choice, Picker
from graphbuilder.tui.screens.showing import ShowingScreen

__all__ = ["EditingScreen"]


class EditingScreen(ShowingScreen):
    """A screen on which nodes and edges are edited."""

    @on(Inspector.Asked)
    def _asked(self, event: Inspector.Asked) -> None:
        self.carry_out(event.command)

    def action_set(self) -> None:
        """Goes to the arguments of what is selected."""
        self.open_inspector()

    def _value_and_level(self) -> tuple[str | None, str | None]:
        """The selected node or input, as a reference, and the block that it stands in."""
        node = self.node_at()
        if node is not None:
            return node
        if self.subject[:1] == ("inputs",):
            return str(self.subject[1]), None
        return None, None

    @work(exclusive=True, group="ask")
    async def action_add(self) -> None:
        """Asks for a kind of node and a place, and adds it."""
        document = self.document
        if document is None:
            return
        picked = await self.ask(Picker("Add what?", kind_choices(document, others=True)))
        if picked is None:
            return
        key, _, kind = str(picked).partition(":")
        if key in ("input", "param", "output"):
            await self._add_other(key)
            return
        value, block = self._value_and_level()
        places = place_choices(Level(document, block), value)
        commands = [AddNode(key, kind, place, block=block) for _, place in places]
        wrong = [self.preview(command) for command in commands]
        choices = [
            choice if reason is None else Choice(choice.key, choice.title, reason, possible=False)
            for (choice, _), reason in zip(places, wrong, strict=True)
        ]
        first = next((choice.key for choice in choices if choice.possible), None)
        where = await self.ask(Picker(f"Add {kind} where?", choices, cursor=first))
        if where is not None:
            self.carry_out(commands[int(where)])

    async def _add_other(self, what: str) -> None:
        """Adds an input, a param or an output."""
        value, block = self._value_and_level()
        if what == "output":
            if value is None or block is not None:
                self.say("select the node that is to be an output first", "warning")
            else:
                self.carry_out(AddOutput(value))
            return
        command = AddInput if what == "input" else AddParam

        def wrong(name: str) -> str | None:
            return self.preview(command(name))

        name = await self.ask(AskText(f"What is the {what} called?", "", wrong))
        if name and self.carry_out(command(name)) is not None:
            self.select(("inputs" if what == "input" else "params", name))
            self.open_inspector()

    @work(exclusive=True, group="ask")
    async def action_connect(self) -> None:
        """Asks which node is to take the selected value, and at which port."""
        document = self.document
        source, block = self._value_and_level()
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
        if target == "outputs":
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
        ends = [self._end(event.source), self._end(event.target)]
        if ends[0] is None or ends[1] is None or (ends[1][0] != "outputs" and ends[0][1] != ends[1][1]):
            self.say("these two do not stand in the same file or block", "warning")
            return
        (source, block), (target, _) = ends[0], ends[1]
        self.run_worker(self._connect(source, target, block), exclusive=True, group="ask")

    def _end(self, box: str) -> tuple[str, str | None] | None:
        """What a box is called where it stands, and the block that it stands in."""
        found = self.canvas.scene.box.get(box)
        if found is None:
            return None
        if found.family == "output":
            return "outputs", None
        if found.family == "input":
            return found.id, None
        return self.node_at(found.where) if found.where is not None else None

    @on(RewireAsked)
    def _rewire_asked(self, event: RewireAsked) -> None:
        edge = event.edge
        if self.document is None:
            return
        target, new_target = self._end(edge.target), self._end(event.target)
        source, new_source = self._end(edge.source), self._end(event.source)
        if target is None or source is None or new_source is None or new_target is None:
            self.say("this edge is written in another file", "warning")
            return
        written = edge.reference or source[0]
        if event.source != edge.source:
            self.carry_out(Rewire(written, target[0], new_source[0], target[1]))
        elif self.carry_out(Connect(written, new_target[0], None, new_target[1])) is not None:
            self.carry_out(Disconnect(written, target[0], target[1]))

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
        if self.subject[:1] == ("outputs",):
            uses = [use.reference for use in Level(document).uses() if use.consumer == OUTPUTS]
            return "outputs", None, uses
        node = self.need_node()
        if node is None:
            return None
        name, block = node
        return name, block, [use.reference for use in Level(document, block).uses() if use.consumer == name]

    def action_delete(self) -> None:
        """Deletes what is selected or chosen, and joins what it parted."""
        self._delete(heal=True)

    def action_cut(self) -> None:
        """Deletes what is selected or chosen, and cuts off what took it."""
        self._delete(heal=False)

    def _delete(self, *, heal: bool) -> None:
        if self.document is None:
            return
        command = self._removal()
        if command is None:
            nodes = self.chosen_nodes()
            if not nodes:
                return
            if len({block for _, block in nodes}) > 1:
                self.say("the chosen nodes do not stand in the same file or block", "warning")
                return
            command = DeleteNodes(tuple(name for name, _ in nodes), heal, nodes[0][1])
        self.carry_out(command)

    def _removal(self) -> Command | None:
        """The command that removes what is selected, where that is no node."""
        if self.canvas.chosen:
            return None
        match self.subject:
            case ("inputs", str(name), *_):
                return RemoveInput(name)
            case ("params", str(name), *_):
                return RemoveParam(name)
            case ("blocks", str(block), "params", str(name), *_):
                return RemoveParam(name, block)
            case ("blocks", str(name)):
                return RemoveBlock(name)
            case ("compression", int(index), *_):
                return RemovePass(index)
            case ("outputs", *_):
                return RemoveOutput(self._output_name())
        return None

    def _output_name(self) -> str:
        """What the selected output is called where outputs are written."""
        box = self.current_box()
        if box is None or box.family != "output":
            return ""
        edges = self.canvas.scene.arriving.get(box.id, ())
        port = box.id.partition(":")[2]
        document = self.workspace.document
        written = document.source.data.get("outputs") if document is not None else None
        return port if isinstance(written, dict) else edges[0].reference or edges[0].source if edges else port

    @work(exclusive=True, group="ask")
    async def action_rename(self) -> None:
        """Asks for another name of what is selected."""
        if self.document is None:
            return

        def command(new: str) -> Command | None:
            match self.subject:
                case ("inputs", str(name), *_):
                    return RenameInput(name, new)
                case ("params", str(name), *_):
                    return RenameParam(name, new)
                case ("blocks", str(block), "params", str(name), *_):
                    return RenameParam(name, new, block)
                case ("outputs", *_):
                    return RenameOutput(self._output_name(), new)
            node = self.node_at()
            return RenameNode(node[0], new, node[1]) if node is not None else None

        def wrong(text: str) -> str | None:
            made = command(text)
            return self.preview(made) if made is not None else None

        if command("x") is None:
            self.need_node()
            return
        node = self.node_at()
        current = node[0] if node is not None else str(self.subject[-1])
        new = await self.ask(AskText(f"Rename {current} to", current, wrong))
        made = command(new) if new and new != current else None
        if made is not None and self.carry_out(made) is not None and self.subject[:1] in (("inputs",), ("params",)):
            self.select((self.subject[0], str(new)))

    @work(exclusive=True, group="ask")
    async def action_kind(self) -> None:
        """Asks for another kind of the selected node."""
        document = self.document
        node = self.need_node() if document is not None else None
        if document is None or node is None:
            return
        name, block = node
        picked = await self.ask(Picker(f"What is {name} to be?", kind_choices(document)))
        if picked is not None:
            key, _, kind = str(picked).partition(":")
            self.carry_out(ChangeKind(name, key, kind, block=block))

    @work(exclusive=True, group="ask")
    async def action_extract(self) -> None:
        """Asks for the name of a block, and makes it of the chosen nodes."""
        if self.document is None:
            return
        nodes = self.chosen_nodes()
        if not nodes:
            return
        names, block = tuple(name for name, _ in nodes), nodes[0][1]

        def wrong(text: str) -> str | None:
            return self.preview(ExtractBlock(names, text, block=block)) if text else None

        told = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
        name = await self.ask(AskText(f"What is the block of {told} called?", "", wrong))
        if name:
            self.carry_out(ExtractBlock(names, name, block=block))

    def action_inline(self) -> None:
        """Puts a block's nodes in the place of its node."""
        node = self.need_node() if self.document is not None else None
        if node is not None:
            self.carry_out(InlineBlock(*node))

    @work(exclusive=True, group="ask")
    async def action_find(self) -> None:
        """Asks for something that has a name, and selects it."""
        document = self.workspace.document
        if document is not None:
            choices = [choice for _, _, choice in find_choices(document)]
            picked = await self.ask(Picker("Find", choices))
            if picked is not None:
                self.select(outline_path(str(picked)))
                if self.canvas.selection is not None:
                    self.canvas.reveal(self.canvas.selection, centre=True)
                self.canvas.focus()
