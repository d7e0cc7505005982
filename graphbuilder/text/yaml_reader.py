"""YAML 1.2 to a tree with positions, within limits: a composer over PyYAML's events."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import Any

import yaml

from graphbuilder.text.limits import TextLimits
from graphbuilder.text.problems import Problems, ReadingStopped
from graphbuilder.text.quoting import expression_end, quoted
from graphbuilder.text.refusals import (
    SURROGATE,
    refuse_depth,
    refuse_duplicate,
    refuse_empty_key,
    refuse_number,
    refuse_surrogate,
    refuse_values,
    shortened,
)
from graphbuilder.text.scalars import CORE_TAGS, NumberTooLarge, convert_tagged, kind_of, resolve
from graphbuilder.text.tree import Alias, Mapping, Node, Scalar, ScalarStyle, ScalarValue, Sequence
from graphbuilder.text.yaml_events import Event, EventParser, ParserType, events, shielded
from graphbuilder.text.yaml_mistake import Mistake
from graphbuilder.text.yaml_mistakes import explain

__all__ = ["read_yaml"]

_STYLES = {
    "": ScalarStyle.PLAIN,
    None: ScalarStyle.PLAIN,
    "'": ScalarStyle.SINGLE_QUOTED,
    '"': ScalarStyle.DOUBLE_QUOTED,
    "|": ScalarStyle.LITERAL,
    ">": ScalarStyle.FOLDED,
}
_KEY_WITHOUT_COLON = re.compile(r"([A-Za-z_][\w-]*) +[\[{].*")
_KEY_WITHOUT_SPACE = re.compile(r"([^\W\d][\w.-]*):(.+)", re.DOTALL)
_COLON = re.compile(r"\s*:")
# A directive costs libyaml time in proportion to those before it.
_MOST_DIRECTIVES = 100


def read_yaml(text: str, file: str, limits: TextLimits, *, parser_type: ParserType = EventParser) -> Node:
    """The tree of a YAML text.

    Arguments:
        text: the text, without a byte order mark, of printable characters only.
        file: the file's name, for messages.
        limits: the budgets.
        parser_type: the parser whose events are used; all of them give the same tree.

    Raises:
        BlueprintError: GB103 to GB113, everything that could be found.
    """
    problems = Problems(file, text, limits)
    composer = _Composer(text, problems, limits)
    with suppress(ReadingStopped):
        composer.compose(parser_type)
    problems.raise_if_any()
    return composer.root


class _Open:
    """A collection whose end has not come yet."""

    __slots__ = ("anchor", "before", "emptied", "height", "is_key", "key", "names", "node")

    def __init__(self, node: Sequence | Mapping, anchor: str | None, before: int, is_key: bool) -> None:
        self.node = node
        self.anchor = anchor
        self.before = before  # How many values there were before it.
        self.height = 0  # How deep the collections in it go.
        self.is_key = is_key
        self.emptied = False  # Whether its last key has its value below it, among its own keys.
        self.key: Scalar | None = None  # The key whose value comes next.
        self.names: dict[str, Scalar] = {}


class _Anchored:
    """A complete node with an anchor, and what an alias to it adds to the budgets."""

    __slots__ = ("height", "node", "values")

    def __init__(self, node: Scalar | Sequence | Mapping, values: int, height: int) -> None:
        self.node = node
        self.values = values
        self.height = height


class _Composer:
    def __init__(self, text: str, problems: Problems, limits: TextLimits) -> None:
        self.text = text
        self.problems = problems
        self.limits = limits
        self.values = 0
        self.has_aliases = False
        self.documents = 0
        self.last: Node | None = None
        self.anchors: dict[str, _Anchored | _Open] = {}
        # The documents' roots are the items of a sequence that is not in the text.
        self.roots = Sequence(0, 0, False)
        self.open: list[_Open] = [_Open(self.roots, None, 0, False)]
        # Each distinct plain scalar is resolved once, and equal strings become one object.
        self.resolved: dict[str, ScalarValue] = {}
        self.restored: dict[int, int] = {}

    @property
    def root(self) -> Node:
        return self.roots.items[0]

    def compose(self, parser_type: ParserType) -> None:
        self._refuse_many_directives()
        parsed, self.restored = shielded(self.text)
        actions: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: self._begin_mapping,
            yaml.SequenceStartEvent: self._begin_sequence,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.DocumentStartEvent: self._document,
        }
        try:
            for event in events(parsed, parser_type):
                action = actions.get(type(event))
                if action is not None:
                    action(event)
        except yaml.YAMLError as error:
            # While a collection is open, its end is still that of its bracket.
            brackets = [opened.node.end - 1 for opened in self.open if opened.node.flow]
            brackets = [offset for offset in brackets if self.text[offset] in "[{"]
            explain(Mistake.from_error(error, self.text, self.last, brackets), self.problems)
            return
        self._refuse_emptiness()

    # Whole texts.

    def _refuse_many_directives(self) -> None:
        if self.text.count("\n%") + self.text.count("\r%") > _MOST_DIRECTIVES:
            self.problems.stop("GB104", 0, 1, f"more than {_MOST_DIRECTIVES} lines begin with `%`")

    def _document(self, event: Event) -> None:
        self.documents += 1
        if self.documents > 1:
            start, end = event.start_mark.index, event.end_mark.index
            hint = "a blueprint is one document: put the second one in a file of its own, or remove the `---`"
            self.problems.stop("GB110", start, end, "a second YAML document begins here", hint=hint)

    def _refuse_emptiness(self) -> None:
        if self.roots.items:
            root = self.roots.items[0]
            if not (isinstance(root, Scalar) and root.value is None and root.start == root.end):
                return
        message = "the file holds no values" if self.text.strip() else "the file is empty"
        self.problems.add("GB111", 0, 0, message, hint="a blueprint begins with `blueprint: 1`")

    # Scalars.

    def _scalar(self, event: Event) -> None:
        parent = self.open[-1]
        start, end = event.start_mark.index, event.end_mark.index
        if start == end and parent.key is not None:
            # The parsers put a value that is not written in different places: it belongs behind its colon.
            colon = _COLON.match(self.text, parent.key.end)
            start = end = colon.end() if colon is not None else parent.key.end
        text = event.value
        style = _STYLES[event.style]
        if self.restored:
            text = text.translate(self.restored)
        if style in (ScalarStyle.LITERAL, ScalarStyle.FOLDED):
            end = start + len(self.text[start:end].rstrip())
            self._look_for_comparison(text, start, end)
        elif style is ScalarStyle.DOUBLE_QUOTED and SURROGATE.search(text):
            refuse_surrogate(self.problems, start, end)
        value = self._value(text, style, event.tag, start, end)
        node = Scalar(start, end, style, value)
        self.last = node
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored(node, 1, 0)
        if type(parent.node) is Mapping and parent.key is None:
            self._key(parent, node, text, event.tag)
            return
        if parent.node.flow and style is ScalarStyle.PLAIN:
            self._look_for_cuts(parent, node, text)
        self._place(parent, node, 1)

    def _value(self, text: str, style: ScalarStyle, tag: str | None, start: int, end: int) -> ScalarValue:
        """What a scalar is read as; for one that is refused, its text."""
        try:
            if tag is not None and tag != "!":
                return self._tagged(text, tag, start, end)
            if style is not ScalarStyle.PLAIN or tag == "!":
                return str(text)
            known = self.resolved
            if text not in known:
                known[text] = resolve(text, self.limits.digits)
            return known[text]
        except NumberTooLarge as error:
            refuse_number(self.problems, start, end, error)
            return text

    def _tagged(self, text: str, tag: str, start: int, end: int) -> ScalarValue:
        if CORE_TAGS.get(tag) != "scalar":
            self._refuse_tag(tag, "scalar", start, end)
            return text
        try:
            return convert_tagged(tag, text, self.limits.digits)
        except NumberTooLarge:
            raise
        except ValueError:
            shown = shortened(text)
            message = f"the value `{shown}` does not agree with its tag {_tag_name(tag)}"
            self.problems.add("GB106", start, end, message, found=shown, hint="remove the tag, or mend the value")
            return text

    def _refuse_tag(self, tag: str, kind: str, start: int, end: int) -> None:
        name = _tag_name(tag)
        if tag in CORE_TAGS:
            message = f"the tag {name} does not agree with the {kind} that it stands before"
        else:
            message = f"the tag {name} asks for a type that plain data does not have"
        hint = "remove the tag; nothing in a blueprint needs one"
        self.problems.add("GB106", start, end, message, found=name, hint=hint)

    # Mistakes that are YAML, but never what was meant.

    def _look_for_cuts(self, parent: _Open, node: Scalar, text: str) -> None:
        """Notices what flow style has torn apart: `{units: $(min(a, b))}` and `{units:64}`."""
        at = text.find("$(")
        if at >= 0 and text.count("(", at) > text.count(")", at):
            self._refuse_cut_expression(node)
        elif node.start == node.end and parent.key is not None and parent.key.style is ScalarStyle.PLAIN:
            self._refuse_key_without_space(parent.key)

    def _look_for_comparison(self, text: str, start: int, end: int) -> None:
        """Notices `when: >5`, which YAML reads as an empty text, indented by five."""
        written = self.text[start:end]
        if not text and re.fullmatch(r"[|>][0-9]", written):
            fix = quoted(written)
            message = f"`{written[0]}` begins a block of text, and no text follows"
            self.problems.add("GB104", start, end, message, hint=f"quote it: {fix}", fix=fix)

    def _refuse_cut_expression(self, node: Scalar) -> None:
        begin = self.text.find("$(", node.start, node.end)
        end = expression_end(self.text, begin) if begin >= 0 else None
        if end is None or end <= node.end:
            return  # A parenthesis is missing: for whoever reads expressions to say.
        whole = self.text[node.start : end]
        cut = self.text[node.end]
        fix = quoted(whole)
        message = f"the expression {whole} is cut at `{cut}`, which ends a value inside {{…}} and […]"
        self.problems.add("GB104", node.start, end, message, hint=f"quote it: {fix}", fix=fix)
        self.problems.silence(node.start, end)

    def _refuse_key_without_space(self, key: Scalar) -> None:
        written = _KEY_WITHOUT_SPACE.fullmatch(self.text[key.start : key.end])
        if written is not None:
            name, value = written.groups()
            message = f"a space is missing after the colon of `{name}`"
            fix = f"{name}: {value.lstrip()}"
            self.problems.add("GB104", key.start, key.end, message, hint=f"write `{fix}`", fix=fix)

    # Keys.

    def _key(self, parent: _Open, key: Scalar, text: str, tag: str | None) -> None:
        value = key.value
        if not isinstance(value, str):
            self._refuse_key(key, text, tag)
            key.value = text
        elif key.style is ScalarStyle.PLAIN and (glued := _KEY_WITHOUT_COLON.fullmatch(value)) is not None:
            name = glued[1]
            end = key.start + len(name)
            message, fix = f"a colon is missing behind {name}", f"{name}:"
            self.problems.add("GB104", key.start, end, message, hint=f"write `{fix}`", fix=fix)
            # What the rest of the line is read as comes of it.
            rest = self.text.find("\n", key.end)
            self.problems.silence(key.start, len(self.text) if rest < 0 else rest)
        elif value == "<<" and key.style is ScalarStyle.PLAIN:
            message = "`<<` merges nothing: YAML 1.2 has no merge keys"
            hint = "write the keys out, or share them through `params:` or `blocks:`"
            self.problems.add("GB104", key.start, key.end, message, hint=hint)
        else:
            first = parent.names.setdefault(value, key)
            if first is not key and not self._below_empty_key(parent):
                refuse_duplicate(self.problems, key, first, (opened.node for opened in self.open[1:-1]))
        parent.key = key

    def _below_empty_key(self, parent: _Open) -> bool:
        """Notes that keys which stand twice were meant to be inside the key above them, which has no value.

        However many they are, it is one fault.
        """
        assert isinstance(parent.node, Mapping)
        if parent.emptied or parent.node.flow or not parent.node.entries:
            return parent.emptied
        key, value = parent.node.entries[-1]
        parent.emptied = isinstance(value, Scalar) and value.start == value.end
        if parent.emptied:
            message = f"{key.value} holds nothing, and the keys below it stand twice"
            hint = "indent what belongs to it deeper than its own line"
            self.problems.add("GB104", key.start, key.end, message, hint=hint)
        return parent.emptied

    def _refuse_key(self, key: Scalar, text: str, tag: str | None) -> None:
        if not text:
            refuse_empty_key(self.problems, key.start)
            return
        fix = quoted(text) if tag is None else None
        kind = kind_of(key.value)
        message = f"the key {text} is {kind}" if kind != text.lower() else f"the key is {text}"
        self.problems.add(
            "GB109", key.start, key.end, message, found=text, expected="a string", hint="quote it", fix=fix
        )

    # Aliases.

    def _alias(self, event: Event) -> None:
        self.has_aliases = True
        start, end = event.start_mark.index, event.end_mark.index
        name = str(event.anchor)
        anchored = self.anchors.get(name)
        if anchored is None:
            earlier = ", ".join(f"&{anchor}" for anchor in islice(self.anchors, 8))
            hint = f"anchors before it: {earlier}" if earlier else "quote it if it is not meant as an alias"
            message = f"the alias *{name} names no anchor that stands before it"
            self.problems.add("GB112", start, end, message, hint=hint)
        elif isinstance(anchored, _Open):
            message = f"the alias *{name} stands inside the very value that it names, which would never end"
            self.problems.stop("GB107", start, end, message, hint="write the value out")
        parent = self.open[-1]
        if type(parent.node) is Mapping and parent.key is None:
            message = "an alias stands as a key"
            self.problems.add("GB109", start, end, message, expected="a string", hint="write the key out")
            parent.key = Scalar(start, end, ScalarStyle.PLAIN, f"*{name}")
            return
        if not isinstance(anchored, _Anchored):
            self._place(parent, Scalar(start, end, ScalarStyle.PLAIN, None), 1)
            return
        if len(self.open) - 1 + anchored.height > self.limits.depth:
            refuse_depth(self.problems, start, end, self.limits)
        parent.height = max(parent.height, anchored.height)
        self._place(parent, Alias(start, end, name, anchored.node), anchored.values)

    # Collections.

    def _begin_mapping(self, event: Event) -> None:
        self._begin(Mapping(event.start_mark.index, event.end_mark.index, bool(event.flow_style)), "mapping", event)

    def _begin_sequence(self, event: Event) -> None:
        self._begin(Sequence(event.start_mark.index, event.end_mark.index, bool(event.flow_style)), "sequence", event)

    def _begin(self, node: Mapping | Sequence, kind: str, event: Event) -> None:
        if len(self.open) > self.limits.depth:
            refuse_depth(self.problems, node.start, node.start + 1, self.limits)
        if event.tag is not None and event.tag != "!" and CORE_TAGS.get(event.tag) != kind:
            self._refuse_tag(event.tag, kind, node.start, node.end)
        parent = self.open[-1]
        is_key = type(parent.node) is Mapping and parent.key is None
        opened = _Open(node, event.anchor, self.values, is_key)
        if event.anchor is not None:
            self.anchors[event.anchor] = opened
        if is_key:
            what = "list" if kind == "sequence" else "mapping"
            hint = "write a string as the key; quote it if it holds braces or brackets"
            message = f"the key is a {what}"
            self.problems.add("GB109", node.start, node.end, message, found=f"a {what}", expected="a string", hint=hint)
        else:
            self._place(parent, node, 1)
        self.open.append(opened)

    def _end(self, event: Event) -> None:
        closed = self.open.pop()
        node = closed.node
        node.end = self._end_of(node, event.end_mark.index)
        self.last = node
        parent = self.open[-1]
        height = closed.height + 1
        parent.height = max(parent.height, height)
        if closed.is_key:
            parent.key = Scalar(node.start, node.end, ScalarStyle.PLAIN, "")
        # An anchor inside may have taken the name over; the later one is the one that holds.
        if closed.anchor is not None and self.anchors[closed.anchor] is closed:
            self.anchors[closed.anchor] = _Anchored(node, self.values - closed.before, height)

    def _end_of(self, node: Sequence | Mapping, marked: int) -> int:
        """Where a collection ends: not where the parser notices it, which is at the next token."""
        if node.flow and self.text[marked - 1] in "]}":
            return marked
        if isinstance(node, Mapping):
            return node.entries[-1][1].end if node.entries else node.end
        return node.items[-1].end if node.items else node.end

    def _place(self, parent: _Open, node: Node, values: int) -> None:
        """Puts a value where it belongs and counts what it stands for."""
        self.values += values
        if self.values > self.limits.values:
            refuse_values(self.problems, node, self.limits, has_aliases=self.has_aliases)
        if type(parent.node) is Mapping:
            assert parent.key is not None
            parent.node.entries.append((parent.key, node))
            parent.key = None
        else:
            parent.node.items.append(node)  # type: ignore[union-attr]


def _tag_name(tag: str) -> str:
    prefix = "tag:yaml.org,2002:"
    return f"!!{tag.removeprefix(prefix)}" if tag.startswith(prefix) else tag
