"""The command line: one file per command, results on stdout, diagnostics on stderr, exit codes by kind of failure."""

from __future__ import annotations

import atexit
import gc
import os

# Pydantic looks for its plugins in the metadata of every installed package, which costs a command 20 ms, and none of
# them concerns blueprints. It reads this when it is first imported.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

# Most of what a command allocates lives until its end, so looking for garbage often only costs time.
gc.set_threshold(50_000)
# And when Python ends it looks again, more than once, which would take a sixth of a command's time.
atexit.register(gc.freeze)

from graphbuilder.cli.app import main  # noqa: E402 - the settings above concern what this imports

__all__ = ["main"]
