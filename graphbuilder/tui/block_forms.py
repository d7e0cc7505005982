"""The forms of a block and of what it takes and gives."""

from __future__ import annotations

from graphbuilder.blueprint import Document
from graphbuilder.editing.commands.block_names import DescribeBlock, RenameBlock
from graphbuilder.editing.commands.block_outputs import SetBlockOutputs
from graphbuilder.editing.commands.block_ports import DescribeBlockInput, RenameBlockInput
from graphbuilder.tui.fields import UNSET, Field, Form, name_field

__all__ = ["block_form", "block_outputs_form", "port_form"]


def block_form(document: Document, block: str) -> Form | None:
    """The form of a block; None where the document has none of that name.

    Arguments:
        document: a loaded blueprint.
        block: its name.
    """
    definition = document.blueprint.blocks.get(block)
    if definition is None:
        return None
    about = Field("about", "about", "what it is, for people", "string",
                  document.source.data["blocks"][block].get("about", UNSET), "", text=True,
                  change=lambda new: DescribeBlock(block, new), clear=lambda: DescribeBlock(block, None))  # fmt: skip
    return Form(block, "block", definition.about or "", (name_field(block, lambda new: RenameBlock(block, new)), about))


def port_form(document: Document, block: str, port: str) -> Form | None:
    """The form of an input of a block; None where the block has none of that name.

    Arguments:
        document: a loaded blueprint.
        block: the block.
        port: the input.
    """
    inputs = document.blueprint.blocks[block].inputs
    if port not in inputs:
        return None
    about = Field("about", "about", "what it is, for people", "string", inputs[port].about or UNSET, "", text=True,
                  change=lambda new: DescribeBlockInput(block, port, new),
                  clear=lambda: DescribeBlockInput(block, port, None))  # fmt: skip
    name = name_field(port, lambda new: RenameBlockInput(block, port, new))
    return Form(port, f"input of {block}", "a tensor that the block is given", (name, about))


def block_outputs_form(document: Document, block: str) -> Form:
    """The form of what a block gives.

    Arguments:
        document: a loaded blueprint.
        block: the block.
    """
    definition = document.blueprint.blocks[block]
    field = Field(
        "outputs", "outputs", "what the block gives: a node, a list, or a mapping of nodes", "node, list, mapping",
        document.source.data["blocks"][block].get("outputs", UNSET), next(reversed(definition.nodes), ""),
        change=lambda new: SetBlockOutputs(block, new), clear=lambda: SetBlockOutputs(block, None),
    )  # fmt: skip
    return Form("outputs", f"of block {block}", "what the block gives; left out, the last node", (field,))
