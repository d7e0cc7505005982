"""Carries out the fixes of a file, and shows what changed."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from graphbuilder.cli.writing import write_whole
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic

__all__ = ["mend_file"]


def mend_file(file: Path, params: Mapping[str, Any], shown: TextIO) -> None:
    """Writes a file with the fixes made that mend it; one without such fixes is left alone.

    Arguments:
        file: a blueprint.
        params: values for some of its params.
        shown: where the difference goes.

    Raises:
        CommandError: the file was changed by somebody else meanwhile.
        MissingError: it cannot be written.
    """
    from graphbuilder.api.mending import mend

    try:
        mended = mend(file, params)
    except BlueprintError:
        # What is wrong with reading it is told by the check that follows.
        return
    if not mended.made:
        return
    if file.read_bytes() != mended.original.encode("utf-8"):
        hint = "run the command again"
        raise CommandError(Diagnostic("GB605", f"{file} was changed meanwhile", file=str(file), hint=hint))
    write_whole(file, mended.text.encode("utf-8"), force=True)
    before, after = mended.original.splitlines(keepends=True), mended.text.splitlines(keepends=True)
    for line in difflib.unified_diff(before, after, f"{file} (before)", str(file), n=1):
        text = line.rstrip("\r\n")
        print(text.encode(shown.encoding or "utf-8", "replace").decode(shown.encoding or "utf-8"), file=shown)
    count = len(mended.made)
    print(f"{file}: {count} {'fix' if count == 1 else 'fixes'} made", file=sys.stderr)
