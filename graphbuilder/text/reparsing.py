"""Reading a text again of which little has changed: only the entries around the change are read, the rest is moved.

What comes of it is what reading the whole text would give, positions included. Where that is not certain beforehand,
nothing is given, and the whole text is to be read: in a text with anchors, tags or several documents, where a change
does not lie between lines that stay, where the changed entries cannot be read by themselves, or say a key twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphbuilder.errors import BlueprintError
from graphbuilder.text import tree
from graphbuilder.text.collector import collector_paused
from graphbuilder.text.files import refuse_control_characters
from graphbuilder.text.json_reader import read_json
from graphbuilder.text.limits import TextLimits
from graphbuilder.text.problems import Problems
from graphbuilder.text.source import Source
from graphbuilder.text.splices import Splice, spliced
from graphbuilder.text.tree import Mapping, Node, Scalar, to_data
from graphbuilder.text.yaml_reader import read_yaml

__all__ = ["reparsed"]

# A smaller collection is not worth the search for what of it has changed.
_WORTHWHILE = 2_000


def reparsed(source: Source, splices: Sequence[Splice], *, limits: TextLimits | None = None) -> Source | None:
    r"""A text with splices made, read again where it has changed; None where the whole of it must be read.

    Arguments:
        source: the text as it was.
        splices: what is done to it, at least one.
        limits: the budgets.

    Raises:
        ValueError: two splices overlap.

    Example:
        >>> from graphbuilder.text import parse
        >>> before = parse("a: 1\nb: {c: 2}\n" + "".join(f"key{number}: null\n" for number in range(200)))
        >>> after = reparsed(before, [Splice(13, 13, ", d: 3")])
        >>> after.data["b"], after.position(("key0",), key=True)
        ({'c': 2, 'd': 3}, Position(line=3, column=1, end_line=3, end_column=5))
    """
    text = spliced(source.text, splices)
    limits = limits or TextLimits()
    # Every value has a character at least, so that these cannot be too many values.
    if len(text) * 4 > limits.bytes or len(text) > limits.values or text.startswith("\ufeff"):
        return None
    if source.entangled:
        return None
    change = _Change(source, text, min(each.start for each in splices), max(each.end for each in splices), limits)
    with collector_paused():
        found = change.by_members() if source.syntax == "json" else change.by_lines()
        if found is None:
            return None
        after = Source(source.name, text, change.grafted(found), source.syntax, source.byte_order_mark)
        if "data" in vars(source):
            # Reading again shares what did not change, so that comparing the two is quick.
            vars(after)["data"] = change.grafted_data(found)
    return None if after.entangled else after


@dataclass(frozen=True, slots=True)
class _Found:
    """The members of a mapping that were read again.

    Arguments:
        trail: the mappings from the root to it, each but the last with the number of the entry that leads on.
        mapping: the mapping itself.
        first: the number of the first entry that was read again.
        behind: the number behind the last one.
        entries: what they are now, where they stand now.
    """

    trail: tuple[tuple[Mapping, int], ...]
    mapping: Mapping
    first: int
    behind: int
    entries: list[tuple[Scalar, Node]]


class _Change:
    """One change of a text.

    Arguments:
        source: the text before.
        text: the text after.
        start: the offset before which nothing has changed.
        end: the offset in the text before behind which nothing has changed.
        limits: the budgets.
    """

    def __init__(self, source: Source, text: str, start: int, end: int, limits: TextLimits) -> None:
        self.source = source
        self.text = text
        self.start = start
        self.end = end
        self.limits = limits
        self.by = len(text) - len(source.text)

    # In block style: entries that begin lines of their own.

    def by_lines(self) -> _Found | None:
        """The entries of the innermost mapping in block style that holds the change, those around the change read."""
        node, end = self.source.root, len(self.source.text)
        trail: list[tuple[Mapping, int]] = []
        while isinstance(node, Mapping) and not node.flow and node.entries:
            number = self._last_before(node)
            if number is None:
                return None
            start, behind = self._lines(node, number, end)
            inner = node.entries[number][1]
            within = start is not None and start < self.start and self.end < behind and behind - start >= _WORTHWHILE
            if not within or not isinstance(inner, Mapping) or inner.flow or self._last_before(inner) is None:
                return self._read_lines(tuple(trail), node, number, end)
            trail.append((node, number))
            node, end = inner, behind
        return None

    def _last_before(self, mapping: Mapping) -> int | None:
        """The last entry that begins at or before the change; None where the change is above all of them."""
        low, high = 0, len(mapping.entries)
        while low < high:
            middle = (low + high) // 2
            key = mapping.entries[middle][0]
            if key.start - self._column(key) <= self.start:
                low = middle + 1
            else:
                high = middle
        return low - 1 if low else None

    def _column(self, key: Scalar) -> int:
        return self.source.lines.place(key.start)[1] - 1

    def _lines(self, mapping: Mapping, number: int, end: int) -> tuple[int | None, int]:
        """The offsets between which the lines of an entry stand; None for one that begins no line."""
        key = mapping.entries[number][0]
        column = self._column(key)
        blank = self.source.text[key.start - column : key.start].strip(" ") == ""
        if number + 1 == len(mapping.entries):
            return (key.start - column if blank else None), end
        following = mapping.entries[number + 1][0]
        return (key.start - column if blank else None), following.start - self._column(following)

    def _read_lines(
        self, trail: tuple[tuple[Mapping, int], ...], mapping: Mapping, first: int, end: int
    ) -> _Found | None:
        """The lines of some entries read again, from one on to the first that stays."""
        last = first
        while last + 1 < len(mapping.entries) and self._lines(mapping, last, end)[1] < self.end:
            last += 1
        column = self._column(mapping.entries[first][0])
        start, behind = self._lines(mapping, first, end)[0], self._lines(mapping, last, end)[1]
        if start is not None and not self._begins(start, behind, column):
            # What stands first now belongs to what is above it, or nothing is left.
            if not first:
                return None
            first -= 1
            start = self._lines(mapping, first, end)[0]
        if start is None or not self._begins(start, behind, column):
            return None
        chunk = self.text[start : behind + self.by]
        if behind < len(self.source.text) and not chunk.endswith(("\n", "\r")):
            return None
        read = self._read(chunk, len(trail))
        if read is None or read.flow or read.start != column or read.entries[0][0].start != column:
            return None
        return self._fitting(trail, mapping, first, last + 1, read, start)

    def _begins(self, start: int, behind: int, column: int) -> bool:
        """Whether the lines begin with an entry of the mapping."""
        chunk = self.text[start : min(start + column + 1, behind + self.by)]
        return chunk[:column].strip(" ") == "" and chunk[column:].strip("# \t\r\n") != ""

    # In braces.

    def by_members(self) -> _Found | None:
        """The members of the innermost object that holds the change, those around the change read."""
        node: Node = self.source.root
        trail: list[tuple[Mapping, int]] = []
        while isinstance(node, Mapping) and node.entries and node.start < self.start and self.end < node.end:
            entries = node.entries
            first = next((number for number, (_, value) in enumerate(entries) if value.end >= self.start), len(entries))
            inner = entries[first][1] if first < len(entries) else None
            within = isinstance(inner, Mapping) and inner.start < self.start and self.end < inner.end and inner.entries
            if not within or inner is None or inner.end - inner.start < _WORTHWHILE:
                return self._read_members(tuple(trail), node, first)
            trail.append((node, first))
            node = inner
        return None

    def _read_members(self, trail: tuple[tuple[Mapping, int], ...], mapping: Mapping, first: int) -> _Found | None:
        """Some members read again, with the ones on both sides, which tell that the commas are right."""
        entries = mapping.entries
        last = first
        while last < len(entries) and entries[last][0].start <= self.end:
            last += 1
        first, last = max(first - 1, 0), min(last, len(entries) - 1)
        start = entries[first][0].start if first else mapping.start + 1
        behind = entries[last][1].end if last + 1 < len(entries) else mapping.end - 1
        if not start <= self.start or not self.end <= behind:
            return None
        read = self._read(f"{{{self.text[start : behind + self.by]}}}", len(trail))
        if read is None or read.end != behind + self.by - start + 2:
            return None
        return self._fitting(trail, mapping, first, last + 1, read, start - 1)

    # Both.

    def _read(self, chunk: str, depth: int) -> Mapping | None:
        """A part of the text read by itself; None where it says no mapping, or something is wrong."""
        name, limits = self.source.name, replace(self.limits, depth=self.limits.depth - depth)
        try:
            refuse_control_characters(Problems(name, chunk, limits), self.source.syntax)
            read = read_json(chunk, name, limits) if self.source.syntax == "json" else read_yaml(chunk, name, limits)
        except BlueprintError:
            return None
        return read if isinstance(read, Mapping) and read.entries else None

    def _fitting(
        self, trail: tuple[tuple[Mapping, int], ...], mapping: Mapping, first: int, behind: int, read: Mapping, by: int
    ) -> _Found | None:
        """Entries that were read, where they stand in the text; None where a key is among those that stay."""
        names = {key.value for key, _ in read.entries}
        stays = (*mapping.entries[:first], *mapping.entries[behind:])
        if any(key.value in names for key, _ in stays):
            return None
        return _Found(trail, mapping, first, behind, _moved_entries(read.entries, by))

    def grafted(self, found: _Found) -> Mapping:
        """The whole tree, with the entries that were read again."""
        old = found.mapping.entries
        entries = [*old[: found.first], *found.entries, *_moved_entries(old[found.behind :], self.by)]
        inner = self._mapping(found.mapping, entries)
        for mapping, number in reversed(found.trail):
            old = mapping.entries
            entries = [*old[:number], (old[number][0], inner), *_moved_entries(old[number + 1 :], self.by)]
            inner = self._mapping(mapping, entries)
        return inner

    def _mapping(self, before: Mapping, entries: list[tuple[Scalar, Node]]) -> Mapping:
        end = before.end + self.by if before.flow else entries[-1][1].end
        made = Mapping(before.start, end, before.flow)
        made.entries = entries
        return made

    def grafted_data(self, found: _Found) -> Any:
        """The data of the whole tree, what did not change the same objects as before."""
        chain: list[Any] = [self.source.data]
        for mapping, number in found.trail:
            chain.append(chain[-1][mapping.entries[number][0].value])
        read = Mapping(0, 0, True)
        read.entries = found.entries
        items = list(chain[-1].items())
        inner: Any = dict([*items[: found.first], *to_data(read).items(), *items[found.behind :]])
        for (mapping, number), outer in zip(reversed(found.trail), reversed(chain[:-1]), strict=True):
            inner = {**outer, mapping.entries[number][0].value: inner}
        return inner


class _Moved(Mapping):
    """A mapping that stands some characters further on. What is in it is moved when it is asked for, which is seldom.

    Arguments:
        before: the mapping where it stood.
        by: how many characters further on it is.
    """

    __slots__ = ("_before", "_by", "_entries")

    def __init__(self, before: Mapping, by: int) -> None:
        self.start = before.start + by
        self.end = before.end + by
        self.flow = before.flow
        self._entries: list[tuple[Scalar, Node]] | None = None
        # What was moved and never asked for is moved at once, however often it was.
        again = isinstance(before, _Moved) and before._entries is None
        self._before: Mapping = before._before if isinstance(before, _Moved) and again else before
        self._by: int = before._by + by if isinstance(before, _Moved) and again else by

    @property
    def entries(self) -> list[tuple[Scalar, Node]]:  # type: ignore[override]
        """The keys and values."""
        if self._entries is None:
            self._entries = _moved_entries(self._before.entries, self._by)
        return self._entries


def _moved_entries(entries: Sequence[tuple[Scalar, Node]], by: int) -> list[tuple[Scalar, Node]]:
    """Entries that stand some characters further on."""
    if not by:
        return list(entries)
    return [(Scalar(key.start + by, key.end + by, key.style, key.value), _moved(value, by)) for key, value in entries]


def _moved(node: Node, by: int) -> Node:
    """A node that stands some characters further on. Its depth is bounded by the limits of the readers."""
    if isinstance(node, Scalar):
        return Scalar(node.start + by, node.end + by, node.style, node.value)
    if isinstance(node, Mapping):
        return _Moved(node, by)
    if isinstance(node, tree.Sequence):
        sequence = tree.Sequence(node.start + by, node.end + by, node.flow)
        sequence.items = [_moved(item, by) for item in node.items]
        return sequence
    raise AssertionError("a text with aliases is read as a whole")
