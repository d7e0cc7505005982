"""The command line: one file per command, results on stdout, diagnostics on stderr, exit codes by kind of failure."""

from __future__ import annotations

import os

# Pydantic looks for its plugins in the metadata of every installed package, which costs a command 20 ms, and none of
# them concerns blueprints. It reads this when it is first imported.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from graphbuilder.cli.app import main

__all__ = ["main"]
