"""The part of the main screen that edits what is neither node nor edge: what blocks take, imports, whole sections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path as FilePath

from textual import work

from graphbuilder.compression.tables import passes
from graphbuilder.editing.commands.adding import AddNode, Branch
from graphbuilder.editing.commands.block_ports import AddBlockInput
from graphbuilder.editing.commands.connecting import UnsetFrom
from graphbuilder.editing.commands.imports import AddImport
from graphbuilder.editing.commands.passes import OverrideOption
from graphbuilder.editing.commands.top import RemoveSection
from graphbuilder.editing.levels import Level, check_block_name, check_name
from graphbuilder.editing.paths import block_calls
from graphbuilder.errors import GraphbuilderError
from graphbuilder.text import parse
from graphbuilder.tui.choices import node_choices
from graphbuilder.tui.screens.ask import AskText
from graphbuilder.tui.screens.edges import EdgesScreen
from graphbuilder.tui.screens.picker import Choice, Picker

__all__ = ["PartsScreen"]


class PartsScreen(EdgesScreen):
    """A screen on which blocks, imports and sections are edited."""

    def here(self) -> list[tuple[str, str]]:
        """What can be done with what is selected beside what has keys: actions, each with what it does, as an order."""
        document = self.workspace.document
        if document is None:
            return []
        node = self.node_at()
        if node is not None:
            found = []
            if self.preview(UnsetFrom(*node)) is None:
                found.append(("leave_from", f"Leave what {node[0]} takes to the order of the nodes"))
            if self.preview(AddNode("reuse", node[0], Branch(node[0]), block=node[1])) is None:
                found.append(("reuse", f"Call {node[0]} again, with the same weights"))
            return found
        match self.subject:
            case ("blocks", str(block), *_):
                return [("block_input", f"Add an input to block {block}")]
            case ("compression", int(index), *_):
                return [
                    ("override", f"Let pass {index + 1} do otherwise to one node"),
                    ("without", "Remove all passes"),
                ]
            case ("training" | "budget" as section, *_) if section in document.source.data:
                return [("without", f"Remove {section}")]
            case () | ("imports", *_):
                return [("import", "Import another file")]
        return []

    def action_leave_from(self) -> None:
        """Takes the selected node's `from` away, where the order of the nodes says the same."""
        node = self.need_node() if self.document is not None else None
        if node is not None:
            self.carry_out(UnsetFrom(*node))

    def action_reuse(self) -> None:
        """Adds a node that calls the selected one again."""
        node = self.need_node() if self.document is not None else None
        if node is not None:
            self.carry_out(AddNode("reuse", node[0], Branch(node[0]), block=node[1]))

    def action_without(self) -> None:
        """Removes the selected section as a whole."""
        match self.subject:
            case ("training" | "budget" | "compression" as section, *_) if self.document is not None:
                if self.carry_out(RemoveSection(section)) is not None:
                    self.select(())

    @work(exclusive=True, group="ask")
    async def action_block_input(self) -> None:
        """Asks for the name of a new input of the selected block, and what its users connect to it."""
        match self.subject:
            case ("blocks", str(block), *_):
                await self.ask_block_input(block)

    async def ask_block_input(self, block: str) -> None:
        """Asks for the name of a new input of a block and what its users connect to it, and adds it."""
        document = self.document
        if document is None:
            return
        level, calls = Level(document, block), block_calls(document, block)
        wrong = _wrong(lambda name: check_name(level, name))
        name = await self.ask(AskText(f"What is the input of block {block} called?", "", wrong))
        if not name:
            return
        source: str | None = None
        if calls:
            choices = node_choices(calls[0].level, skip=[call.node for call in calls])
            source = await self.ask(Picker(f"What does {calls[0].node} connect to {name}?", choices))
            if source is None:
                return
        added = ("blocks", block, "inputs", str(name))
        self.carry_out_beside(AddBlockInput(block, str(name), source), lambda: self.select(added))

    @work(exclusive=True, group="ask")
    async def action_import(self) -> None:
        """Asks for another file and its name here, and imports it."""
        await self.ask_import()

    async def ask_import(self) -> None:
        """Asks for another file and its name here, and imports it."""
        document = self.document
        if document is None:
            return
        file = await self.ask(AskText("Import which file? Its path from this one"))
        if not file:
            return
        stem = "".join(each if each.isalnum() else "_" for each in FilePath(file).stem)
        wrong = _wrong(lambda name: check_block_name(document, name))
        name = await self.ask(AskText(f"What is {file} called here?", stem, wrong))
        if name and self.carry_out(AddImport(name, file)) is not None:
            self.select(("imports", name))

    @work(exclusive=True, group="ask")
    async def action_override(self) -> None:
        """Asks for a node, and for what the selected pass is to do otherwise to it."""
        document = self.document
        match self.subject:
            case ("compression", int(index), *_) if document is not None:
                node = await self.ask(
                    Picker("Do otherwise to which node, or path, or pattern?", node_choices(Level(document)), free=True)
                )
                if node is not None:
                    await self.ask_override(index, [node])

    async def ask_override(self, index: int, nodes: Sequence[str]) -> None:
        """Asks which option of a pass some nodes are to have of their own, and with which value.

        Arguments:
            index: which of the passes, from 0.
            nodes: names, paths or patterns.
        """
        document = self.document
        if document is None:
            return
        declared = document.blueprint.compression[index]
        kind = passes.get(declared.name)
        options = list(kind.per_node) if kind is not None else []
        if not options:
            self.say(f"{declared.name} is the same for all nodes that it touches", "warning")
            return
        option: str | None = options[0]
        if len(options) > 1:
            option = await self.ask(Picker("Which option?", [Choice(each, each) for each in options]))
        if option is None:
            return
        now = str(document.source.data["compression"][index].get(option, ""))
        question = f"{option} of {declared.name} for {', '.join(nodes)}"
        typed = await self.ask(AskText(question, now, _wrong(lambda text: parse(text, name=question))))
        for node in nodes if typed else ():
            self.carry_out_beside(OverrideOption(index, node, option, parse(str(typed), name=question).data))


def _wrong(check: Callable[[str], object]) -> Callable[[str], str | None]:
    """What is wrong with what is typed, in a sentence, by a check that raises it."""

    def wrong(text: str) -> str | None:
        try:
            check(text)
        except GraphbuilderError as error:
            return error.diagnostics[0].message
        return None

    return wrong
