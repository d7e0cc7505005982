"""The part of the main screen that edits: each action asks for what it needs and carries out a command."""

from __future__ import annotations

from textual import on, work

from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.adding import AddNode
from graphbuilder.editing.commands.block_names import RenameBlock
from graphbuilder.editing.commands.block_outputs import SetBlockOutputs
from graphbuilder.editing.commands.block_ports import RemoveBlockInput, RenameBlockInput
from graphbuilder.editing.commands.blocks import ExtractBlock, InlineBlock, RemoveBlock
from graphbuilder.editing.commands.deleting import DeleteNodes
from graphbuilder.editing.commands.ends import AddInput, RemoveInput, RenameInput
from graphbuilder.editing.commands.imports import RemoveImport, RenameImport
from graphbuilder.editing.commands.kinds import ChangeKind
from graphbuilder.editing.commands.outputs import AddOutput, RemoveOutput, RenameOutput
from graphbuilder.editing.commands.param_removal import RemoveParam
from graphbuilder.editing.commands.params import AddParam, RenameParam
from graphbuilder.editing.commands.passes import EditPass, OverrideOption, RemovePass, UnsetOverride, UnsetPass
from graphbuilder.editing.commands.renaming import RenameNode
from graphbuilder.editing.commands.top import RemoveSection
from graphbuilder.editing.levels import Level
from graphbuilder.text.source import Path
from graphbuilder.tui.choices import find_choices, kind_choices, place_choices, reuse_choices
from graphbuilder.tui.panes.inspector import Inspector
from graphbuilder.tui.panes.outline import outline_path
from graphbuilder.tui.screens.ask import AskText
from graphbuilder.tui.screens.parts import PartsScreen
from graphbuilder.tui.screens.picker import Choice, Picker

__all__ = ["EditingScreen"]

# What plans all passes of compression, or computes the graph, before it is carried out.
_PLANNING = (EditPass, RemoveBlockInput, RemovePass, SetBlockOutputs, UnsetPass)


class EditingScreen(PartsScreen):
    """A screen on which nodes are edited."""

    @on(Inspector.Asked)
    def _asked(self, event: Inspector.Asked) -> None:
        self._carry_out(event.command)

    def _carry_out(self, command: Command) -> None:
        """Carries out a command; one that plans the whole model is planned in a thread."""
        if isinstance(command, (OverrideOption, UnsetOverride)):
            # It is about a node, and the author stays with the pass.
            where: Path = ("compression", command.index, "overrides", command.node)
            self.carry_out_beside(command, lambda: self._stay_at(where))
        elif isinstance(command, _PLANNING):
            self.carry_out_beside(command)
        else:
            self.carry_out(command)

    def _stay_at(self, path: Path) -> None:
        """Selects what stands at a path of a pass, or the pass where nothing does any more."""
        document = self.workspace.document
        there = document is not None and document.source.node(path) is not None
        self.select(path if there else path[:2])

    def action_set(self) -> None:
        """Goes to the arguments of what is selected."""
        self.open_inspector()

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
        if key in ("input", "param", "output", "import"):
            await self._add_other(key)
            return
        value, block = self.value_and_level()
        if key == "reuse":
            kind = str(await self.ask(Picker("Call which node again?", reuse_choices(Level(document, block)))) or "")
            if not kind:
                return
        places = place_choices(Level(document, block), value)
        commands = [AddNode(key, kind, place, block=block) for _, place in places]
        wrong = await self.in_thread(lambda: [self.preview(command) for command in commands])
        if wrong is None:
            return
        choices = [
            choice if reason is None else Choice(choice.key, choice.title, reason, possible=False)
            for (choice, _), reason in zip(places, wrong, strict=True)
        ]
        first = next((choice.key for choice in choices if choice.possible), None)
        where = await self.ask(Picker(f"Add {kind} where?", choices, cursor=first))
        if where is not None:
            self.carry_out(commands[int(where)])

    async def _add_other(self, what: str) -> None:
        """Adds an input, a param, an output or an import."""
        value, block = self.value_and_level()
        if what == "import":
            await self.ask_import()
            return
        if what == "output":
            if value is None or block is not None:
                self.say("select the node that is to be an output first", "warning")
            else:
                self.carry_out(AddOutput(value))
            return
        inside = str(self.subject[1]) if self.subject[:1] == ("blocks",) and len(self.subject) > 1 else None
        if what == "input" and inside is not None:
            await self.ask_block_input(inside)
            return
        above: Path = ("blocks", inside) if inside is not None and what == "param" else ()

        def command(name: str) -> Command:
            return AddInput(name) if what == "input" else AddParam(name, block=inside)

        def wrong(name: str) -> str | None:
            return self.preview(command(name))

        whose = f"the {what} of block {inside}" if above else f"the {what}"
        name = await self.ask(AskText(f"What is {whose} called?", "", wrong))
        if name and self.carry_out(command(name)) is not None:
            self.select((*above, f"{what}s", name))
            self.open_inspector()

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
        self._carry_out(command)

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
            case ("blocks", str(block), "inputs", str(name), *_):
                return RemoveBlockInput(block, name)
            case ("blocks", str(name)):
                return RemoveBlock(name)
            case ("imports", str(name), *_):
                return RemoveImport(name)
            case ("training",) | ("budget",) | ("compression",):
                return RemoveSection(self.subject[0])  # type: ignore[arg-type]  # one of these
            case ("compression", int(index), "overrides", str(node), *_):
                return UnsetOverride(index, node)
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
                case ("blocks", str(block), "inputs", str(name), *_):
                    return RenameBlockInput(block, name, new)
                case ("blocks", str(name)):
                    return RenameBlock(name, new)
                case ("imports", str(name), *_):
                    return RenameImport(name, new)
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
        if made is not None and self.carry_out(made) is not None and self.subject and self.subject[-1] == current:
            self.select((*self.subject[:-1], str(new)))

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
