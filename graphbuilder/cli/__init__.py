"""The command line: one file per command, results on stdout, diagnostics on stderr, exit codes by kind of failure."""

from __future__ import annotations

from graphbuilder.cli.app import main

__all__ = ["main"]
