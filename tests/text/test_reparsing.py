"""A text read again in part is what reading all of it gives, or it is not read in part."""

from __future__ import annotations

from random import Random

import pytest

from graphbuilder.blueprint.shipped import blueprint_names, blueprint_path
from graphbuilder.errors import BlueprintError
from graphbuilder.text import Source, parse, reparsing, to_json
from graphbuilder.text.reparsing import reparsed
from graphbuilder.text.splices import Splice, same_data, spliced
from graphbuilder.text.tree import Alias, Mapping, Node, Scalar, Sequence, walk

# What makes a difference to a reader: indentation, comments, quotes, brackets, markers.
_PIECES = (
    "\n", "\r\n", " ", "  ", "    ", "\t", "#", " # note\n", "# note\n", ":", ": ", ",", "-", "- ", "? ", "{", "}", "[",
    "]",
    '"', "'", "|", "|\n", ">+\n", "&a ", "*a", "!x ", "---\n", "\n...\n", "%", "a", "key: 1\n", "  key: 1\n",
    "\n  key: {x: 1}\n",     '"key": 2, ', ', "key": {"x": [1]}', "null", "\ufeff", "\x85", "é", "\U0001d538",
)  # fmt: skip


def _texts() -> list[tuple[str, str]]:
    found = []
    for name in blueprint_names():
        path = blueprint_path(name)
        assert path is not None
        text = path.read_text(encoding="utf-8")
        found += [(f"{name}.yaml", text), (f"{name}.json", to_json(parse(text).data))]
    nested = (
        "a:\n  b:\n    c: |\n      text\n\n    d: >-\n      text\n    e:\n    f: [1,\n      2]\n  g: plain\n    text\n"
    )
    return [
        *found,
        ("nested.yaml", nested + "h:\n- i: 1\n  j: 2\n-  k:\nl: 'a\n\n  b'\n"),
        ("crlf.yaml", found[0][1].replace("\n", "\r\n")),
    ]


TEXTS = _texts()


def _facts(root: Node) -> list[tuple[object, ...]]:
    attributes = ("start", "end", "value", "style", "flow")
    return [(kind_of(node), *(getattr(node, name, None) for name in attributes)) for node in walk(root)]


def kind_of(node: Node) -> type:
    """The class of a node that every reader gives."""
    return next(kind for kind in (Scalar, Mapping, Sequence, Alias) if isinstance(node, kind))


def _splice(random: Random, text: str) -> Splice:
    start = random.randrange(len(text) + 1)
    if random.random() < 0.5:
        # Where edits are made: at the ends of lines, and behind commas and braces.
        start = max(text.find(random.choice("\n\n\n,{}"), start), 0) + random.randint(0, 1)
    end = start
    if random.random() < 0.5:
        end = min(start + random.choice((1, 1, 2, 5, 20, 100)), len(text))
        if random.random() < 0.5:
            end = max(text.find("\n", start) + 1, start)
    new = "".join(random.choice(_PIECES) for _ in range(random.choice((0, 1, 1, 2, 4))))
    if random.random() < 0.2:
        line = random.randrange(len(text) + 1)
        new = text[text.rfind("\n", 0, line) + 1 : text.find("\n", line) + 1].replace(":", "x:", 1)
    return Splice(start, end, new)


def _agrees(source: Source, splice: Splice) -> bool:
    """Whether a text is read again in part; then it must be as if all of it had been read."""
    try:
        found = reparsed(source, [splice])
    except ValueError:
        return False
    if found is None:
        return False
    text = spliced(source.text, [splice])
    whole = parse(text, name=source.name)
    assert found.text == whole.text == text
    assert _facts(found.root) == _facts(whole.root)
    assert same_data(found.data, whole.data)
    return True


def _run(seed: int, rounds: int) -> int:
    random = Random(seed)
    name, text = TEXTS[seed % len(TEXTS)]
    source = parse(text, name=name)
    assert source.data
    taken = 0
    for _ in range(rounds):
        splice = _splice(random, source.text)
        taken += _agrees(source, splice)
        if random.random() < 0.3:
            # What was read in part is read on in part.
            try:
                source = reparsed(source, [splice]) or parse(spliced(source.text, [splice]), name=name)
            except BlueprintError:
                continue
            assert source.data is not None
            if not isinstance(source.data, dict):
                source = parse(text, name=name)
    return taken


@pytest.mark.parametrize("worthwhile", [0, 300])
@pytest.mark.parametrize("seed", range(2 * len(TEXTS)))
def test_reading_in_part_is_reading_all(seed: int, worthwhile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reparsing, "_WORTHWHILE", worthwhile)
    _run(seed, 60)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(1000, 3000))
def test_reading_in_part_is_reading_all_at_length(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reparsing, "_WORTHWHILE", seed % 3 * 150)
    _run(seed, 400)


@pytest.mark.parametrize("name", ["long.yaml", "long.json"])
def test_usual_edits_are_read_in_part(name: str) -> None:
    text = "blueprint: 1\nnodes:\n" + "".join(f"  dense_{each}: {{layer: Dense, units: 8}}\n" for each in range(200))
    source = parse(to_json(parse(text).data) if name.endswith("json") else text, name=name)
    at = source.position(("nodes", "dense_100", "units"))
    value = source.lines.offset(at.line, at.column)
    line = source.lines.offset(at.line, 1)
    added = '"more": {"layer": "Flatten"},\n' if name.endswith("json") else "  more: {layer: Flatten}\n"
    ends = source.node(("nodes", "dense_100"))
    assert ends is not None
    line = line if name.endswith("yaml") else source.text.index('"dense_100"')
    assert _agrees(source, Splice(value, value + 1, "16"))
    assert _agrees(source, Splice(line, line, added))
    behind = source.text.index("dense_101") - (2 if name.endswith("yaml") else 1)
    assert _agrees(source, Splice(line, behind, ""))
