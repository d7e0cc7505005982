"""The statements of one function of exported code, as they are written one after the other."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from graphbuilder.export.code_comments import comment
from graphbuilder.export.expressions import WIDTH, modules, written

__all__ = ["INDENT", "Statements"]

INDENT = "    "


class Statements:
    """Writes statements, and comments above them.

    Arguments:
        makes: whether the function makes layers, and gives a function that calls them.
        used_modules: where the modules of Keras are noted that the statements use.
    """

    def __init__(self, makes: bool, used_modules: set[str]) -> None:
        self.makes = makes
        self._used_modules = used_modules
        self._lines: list[str] = []
        self._making: list[str] = []
        self._remarks: list[str] = []
        self._depth = self._base = 2 if makes else 1

    @property
    def lines(self) -> list[str]:
        """What is written."""
        return self._lines

    def say(self, head: str, value: Any) -> None:
        """Writes a statement."""
        self._used_modules.update(modules(value))
        self._say_remarks()
        indent = INDENT * self._depth
        text = head + written(value, len(indent) + len(head.rpartition("\n")[2]), indent)
        # Many numbers stand side by side, which formatters would put on a line each.
        wide = re.search(r"^\s*[\[(]*-?(?:\d|True|False)[^\s,]*, ", text, re.MULTILINE) and "\n" in text
        block = [f"{indent}{text}"]
        self._lines += [f"{indent}# fmt: off", *block, f"{indent}# fmt: on"] if wide else block

    @contextlib.contextmanager
    def made_once(self) -> Iterator[None]:
        """What is written meanwhile stands where layers are made: in front of all calls, if those come again."""
        if not self.makes:
            yield
            return
        lines, depth = self._lines, self._depth
        self._lines, self._depth = self._making, 1
        yield
        self._lines, self._depth = lines, depth

    @contextlib.contextmanager
    def inside(self, head: str) -> Iterator[None]:
        """Writes the head of a compound statement; what is written meanwhile stands inside of it."""
        self._say_remarks()
        self._lines.append(f"{INDENT * self._depth}{head}")
        self._depth += 1
        yield
        self._depth -= 1

    def remark(self, said: str | None) -> None:
        """Writes a comment above the next statement."""
        if said:
            self._remarks.append(said)

    def _say_remarks(self) -> None:
        for said in self._remarks:
            self._lines += comment(said, INDENT * self._depth)
        self._remarks = []

    def assign(self, names: Sequence[str], value: Any) -> None:
        """Writes an assignment to one variable or several."""
        head = ", ".join(names)
        if len(head) > WIDTH - 24:
            inner = INDENT * (self._depth + 1)
            head = f"(\n{''.join(f'{inner}{name},{chr(10)}' for name in names)}{INDENT * self._depth})"
        self.say(f"{head} = ", value)
