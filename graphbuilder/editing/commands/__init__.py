"""Every edit that a front end offers, as a command; and random ones for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import TypeAlias

from graphbuilder.blueprint import Document
from graphbuilder.editing.command import Command
from graphbuilder.editing.commands import (
    adding,
    arguments,
    block_names,
    block_outputs,
    block_ports,
    blocks,
    connecting,
    copying,
    deleting,
    ends,
    imports,
    kinds,
    merging,
    outputs,
    params,
    passes,
    renaming,
    top,
    training,
)

__all__ = ["ALL", "Draw"]

# Gives a random command that can perhaps be carried out on a document, or None.
Draw: TypeAlias = Callable[[Document, Random], Command | None]

# By what the commands are about.
ALL: Mapping[str, Draw] = {
    "adding": adding.draw,
    "arguments": arguments.draw,
    "block names": block_names.draw,
    "block outputs": block_outputs.draw,
    "block ports": block_ports.draw,
    "blocks": blocks.draw,
    "connecting": connecting.draw,
    "copying": copying.draw,
    "deleting": deleting.draw,
    "ends": ends.draw,
    "imports": imports.draw,
    "kinds": kinds.draw,
    "merging": merging.draw,
    "outputs": outputs.draw,
    "params": params.draw,
    "passes": passes.draw,
    "renaming": renaming.draw,
    "top": top.draw,
    "training": training.draw,
}
