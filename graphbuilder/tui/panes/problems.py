"""What is wrong or noteworthy, and what has changed since the file was read, as rows."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from difflib import unified_diff

from graphbuilder.errors import Diagnostic, Severity
from graphbuilder.tui.canvas.wording import safe
from graphbuilder.tui.panes.rows import Part, Row, row

__all__ = ["diff_rows", "problem_rows"]


def problem_rows(diagnostics: Sequence[Diagnostic], width: int) -> Iterator[Row]:
    """The rows of what is wrong: one on which the cursor stops for each, and its explanations below.

    Arguments:
        diagnostics: in the order of the file.
        width: the cells that a row has.
    """
    if not diagnostics:
        yield row("", Part("nothing is wrong", "good"))
    room = max(width - 4, 20)
    for number, found in enumerate(diagnostics):
        look = "error" if found.severity is Severity.ERROR else "warning"
        place = f"{found.position.line}:{found.position.column}" if found.position is not None else ""
        expected = f"; expected {found.expected}" if found.expected else ""
        who = f"{found.node}: " if found.node else ""
        lines = textwrap.wrap(safe(f"{who}{found.message}{expected}"), room - 14) or [""]
        yield row(str(number), Part(f"{place:>7} ", "dim"), Part(f"{found.code} ", look), lines[0])
        yield from (row("", Part(" " * 14), each) for each in lines[1:])
        told = [
            f"{each.position.line}:{each.position.column}: {each.message}"
            if each.position is not None
            else each.message
            for each in found.related
        ]
        told += [f"hint: {found.hint}"] if found.hint else []
        for line in told:
            yield from (row("", Part(" " * 14 + each, "dim")) for each in textwrap.wrap(safe(line), room - 14))


def diff_rows(before: str, after: str) -> Iterator[Row]:
    """The rows of what the text says otherwise than the file.

    Arguments:
        before: the file's text.
        after: the text as it stands.
    """
    if before == after:
        yield row("", Part("nothing has changed since the file was saved", "dim"))
        return
    looks = {"+": "good", "-": "error", "@": "accent"}
    lines = unified_diff(before.splitlines(), after.splitlines(), "on disk", "here", lineterm="", n=3)
    for number, line in enumerate(lines):
        yield row(str(number), Part(line, "dim" if number < 2 else looks.get(line[:1], "text")))
    if before.splitlines() == after.splitlines():
        yield row("", Part("only line breaks differ", "dim"))
