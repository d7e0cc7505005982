"""Random scripts of commands on every shipped blueprint in every style: nothing else changes, all can be undone."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from graphbuilder.blueprint.shipped import blueprint_names, blueprint_path
from graphbuilder.editing.changes import (
    Change,
    Delete,
    Insert,
    InsertItem,
    Move,
    Remove,
    Rename,
    Replace,
    changed_data,
)
from graphbuilder.editing.command import Command
from graphbuilder.editing.commands import ALL
from graphbuilder.editing.session import Session
from graphbuilder.errors import BlueprintError, CommandError
from graphbuilder.text import Source, parse
from graphbuilder.text.splices import same_data, spliced
from graphbuilder.text.tree import Node, walk
from tests.editing.restyling import RESTYLED, comments

COMMANDS = 50


class Script:
    """A session, and a random command on it after the other."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.blueprint = blueprint_names()[seed % len(blueprint_names())]
        self.style = list(RESTYLED)[seed // len(blueprint_names()) % len(RESTYLED)]
        path = blueprint_path(self.blueprint)
        assert path is not None
        text = RESTYLED[self.style](path.read_text(encoding="utf-8"), self.random)
        name = f"{self.blueprint}.{'json' if self.style.startswith('json') else 'yaml'}"
        self.session = Session(text, name, path.with_name(name))
        self.texts = [text]
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def run(self, commands: int) -> None:
        for _ in range(commands * 6):
            if len(self.texts) > commands:
                break
            kind = self.random.choice(list(ALL))
            command = ALL[kind](self.session.document(), self.random)
            if command is not None:
                self.step(kind, command)

    def step(self, kind: str, command: Command) -> None:
        before, source = self.session.text, self.session.state.source
        assert source is not None
        try:
            edit = self.session.run(command)
        except (CommandError, BlueprintError):
            assert self.session.text == before
            self.refused[kind] += 1
            return
        self.done[kind] += 1
        after = self.session.text
        # The parsed document is what was meant, also when it is read by itself.
        again = parse(after, name=self.session.name)
        assert same_data(again.data, changed_data(source.data, edit.changes))
        now = self.session.state.source
        assert now is not None
        assert places(now.root) == places(again.root)
        # Nothing but what is named by the changes has gone, and no comment that belongs to something else.
        step = self.session.done[-1]
        assert spliced(before, step.forward) == after
        mark = len(before) - len(source.text)
        assert not foreign(source, [(each.start - mark, each.end - mark) for each in step.forward], edit.changes)
        own = {each for number in own_lines(source, edit.changes) for each in comments(source.line(number))}
        assert set(Counter(comments(before)) - Counter(comments(after))) <= own
        self.texts.append(after)

    def back_and_forth(self) -> None:
        for text in reversed(self.texts[:-1]):
            self.session.undo()
            assert self.session.text == text
        for text in self.texts[1:]:
            self.session.redo()
            assert self.session.text == text


def places(root: Node) -> list[tuple[int, int, object]]:
    """Where everything stands in a text."""
    return [(node.start, node.end, getattr(node, "value", None)) for node in walk(root)]


def own_lines(source: Source, changes: tuple[Change, ...]) -> set[int]:
    """The lines whose comments may go with what is taken away: its own, those right above, and deeper ones below it."""
    lines = source.lines
    found: set[int] = set()
    for change in changes:
        if not isinstance(change, (Delete, Remove, Replace, Move)):
            continue
        place = source.position(change.path)
        first = source.position(change.path, key=True).line if isinstance(change.path[-1], str) else place.line
        last = place.end_line
        if isinstance(change, Replace):
            # What stands within a collection that is written anew.
            found.update(range(first, last))
            continue
        first = _line_of_dash(source, first) if isinstance(change.path[-1], int) else first
        margin = _margin(lines.line(first))
        found.update(range(first, last + 1))
        while first > 1 and lines.line(first - 1).lstrip().startswith("#"):
            first -= 1
            found.add(first)
        while last < len(lines) and lines.line(last + 1).strip()[:1] in ("", "#"):
            last += 1
            if _margin(lines.line(last)) > margin:
                found.add(last)
    return found


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _line_of_dash(source: Source, first: int) -> int:
    """The line of the dash that stands above an item, if that is so; else the item's own line."""
    above = first
    while above > 1 and not source.line(above).lstrip().startswith("-"):
        above -= 1
        if source.line(above).strip(" -") and not source.line(above).lstrip(" -").startswith("#"):
            return first
    return above


def foreign(source: Source, gone: list[tuple[int, int]], changes: tuple[Change, ...]) -> list[tuple[int, str]]:
    """The characters that went although they belong to nothing that was changed, with their offsets.

    Blanks, line breaks and the commas between entries belong to nobody.
    """
    text = source.text
    allowed = bytearray(len(text) + 1)
    for change in changes:
        if isinstance(change, (Insert, InsertItem)):
            continue
        node = source.node(change.path)
        assert node is not None
        start, end = node.start, node.end
        if isinstance(change.path[-1], str):
            place = source.position(change.path, key=True)
            start = source.lines.offset(place.line, place.column)
            end = (
                source.lines.offset(place.end_line, place.end_column) if isinstance(change, Rename) else max(end, start)
            )
        elif isinstance(change, (Remove, Move)) and source.syntax == "yaml":
            # Its dash, if it has one, and a comment between that and the item.
            lead = re.search(r"-(?:\s|#[^\n]*)*\Z", text[:start])
            start = lead.start() if lead is not None else start
        for offset in range(start, end):
            allowed[offset] = 1
    for number in own_lines(source, changes):
        comment = re.search(r"(?<!\S)#.*", source.line(number))
        if comment is not None:
            start = source.lines.offset(number, 1) + comment.start()
            for offset in range(start, start + len(comment[0])):
                allowed[offset] = 1
    return [
        (offset, text[offset])
        for start, end in gone
        for offset in range(start, end)
        if not allowed[offset] and not text[offset].isspace() and text[offset] != ","
    ]


def run_script(seed: int, commands: int = COMMANDS) -> Script:
    script = Script(seed)
    script.run(commands)
    script.back_and_forth()
    return script


@pytest.mark.parametrize("seed", range(40))
def test_scripts_change_nothing_but_what_is_meant(seed: int) -> None:
    script = run_script(seed * 7, 25)
    assert sum(script.done.values()) > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000))
def test_long_scripts_change_nothing_but_what_is_meant(seed: int) -> None:
    script = run_script(seed)
    assert sum(script.done.values()) == COMMANDS
