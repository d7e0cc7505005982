"""The page that `graphbuilder layers NAME` prints on one layer, op, fusion or block."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from graphbuilder.catalog import REFUSED, Entry, LayerEntry, Port
from graphbuilder.catalog.arguments import as_written
from graphbuilder.cli.example_blueprint import block_example, examples_of
from graphbuilder.cli.output import bold, terminal_width
from graphbuilder.cli.shelves import TABLES, Argument, Item, block_item, block_names, entry_item
from graphbuilder.errors import CommandError, Diagnostic

__all__ = ["find", "print_pages"]

_KINDS = {"layer": "layer", "op": "op", "fuse": "fusion", "block": "block"}


def print_pages(name: str, *, as_json: bool) -> None:
    """Prints what there is under a name; a layer, an op and a fusion may have the same one.

    As JSON it is {entries: […]}, each with kind, name, family, about, arguments and call (lists of {name, type,
    required, default, about}), inputs (a list of {name, several, optional, about}), taps (a list of names), tf_keras (a
    list of sentences) and examples (a list of blueprints as text).

    Arguments:
        name: what to describe.
        as_json: whether machines will read it.

    Raises:
        CommandError: there is nothing of that name.
    """
    found = find(name)
    if as_json:
        print(json.dumps({"entries": [_data(item) for item in found]}, indent=2))
        return
    for number, item in enumerate(found):
        if number:
            print("\n")
        for line in _page(item):
            print(line)


def find(name: str) -> list[Item]:
    """The things of a name, exact in its letters but for blocks, whose namespace may be left out.

    Raises:
        CommandError: there is none; the hint says which names are near.
    """
    found = [entry_item(key, entry) for key, table in TABLES.items() if (entry := table.get(name)) is not None]
    blocks = block_names()
    found += [block_item(block) for block in blocks if name in (block, block.partition(".")[2])]
    if found:
        return found
    if name in REFUSED:
        raise CommandError(Diagnostic("GB603", f"{name} cannot be used: {REFUSED[name]}"))
    known = list(dict.fromkeys([*(each for table in TABLES.values() for each in table.names()), *blocks]))
    hint = _near(name, known) or "`graphbuilder layers` lists the layers; --ops, --fusions and --blocks the rest"
    raise CommandError(Diagnostic("GB603", f"{name} is not a layer, op, fusion or block", hint=hint))


def _near(name: str, known: Sequence[str]) -> str | None:
    """The names that begin so or look so, whatever the case of their letters."""
    folded: dict[str, list[str]] = {}
    for each in known:
        folded.setdefault(each.casefold(), []).append(each)
    begin = [each for each in folded if each.startswith(name.casefold())] if len(name) > 2 else []
    near = dict.fromkeys([*get_close_matches(name.casefold(), folded, n=3), *begin])
    names = [each for fold in near for each in folded[fold]][:5]
    if not names:
        return None
    return f"did you mean {names[0]}?" if len(names) == 1 else f"did you mean one of {', '.join(names)}?"


def _page(item: Item) -> Iterator[str]:
    width = terminal_width()
    yield f"{bold(item.name)}  {_kind(item)}"
    yield ""
    for paragraph in item.about.split("\n\n"):
        yield from textwrap.wrap(" ".join(paragraph.split()), width)
        yield ""
    yield from _arguments("arguments" if item.key != "block" else "params", item.arguments, width)
    yield from _ports(item.ports, width)
    yield from _arguments("call (what is not a tensor, under call:)", item.call, width)
    if item.taps:
        yield bold("taps (values inside, named behind the node: backbone.tap)")
        yield from textwrap.wrap(", ".join(item.taps), width, initial_indent="  ", subsequent_indent="  ")
        yield ""
    notes = list(tf_keras_notes(item.entry)) if item.entry is not None else []
    if notes:
        yield bold("tf_keras, the Keras 2 twin")
        for note in notes:
            yield from textwrap.wrap(note, width, initial_indent="  ", subsequent_indent="    ")
        yield ""
    examples = _examples(item)
    if examples:
        yield bold("example")
        yield from (f"  {line}".rstrip() for line in examples[0].rstrip("\n").split("\n"))


def _kind(item: Item) -> str:
    return f"{_KINDS[item.key]}, {item.family}" if item.key in ("layer", "op") else _KINDS[item.key]


def _examples(item: Item) -> list[str]:
    return examples_of(item.key, item.entry) if item.entry is not None else [block_example(item)]


def _arguments(title: str, arguments: Iterable[Argument], width: int) -> Iterator[str]:
    lines = []
    for argument in arguments:
        value = "required" if argument.required else f"default {_value(argument.default)}"
        lines += textwrap.wrap(
            f"{argument.name}: {argument.type}; {value}", width, initial_indent="  ", subsequent_indent="      "
        )
        lines += textwrap.wrap(argument.about, width, initial_indent="      ", subsequent_indent="      ")
    if lines:
        yield bold(title)
        yield from lines
        yield ""


def _value(value: Any) -> str:
    return value if isinstance(value, str) and value and "$" not in value else as_written(value)


def _ports(ports: Sequence[Port], width: int) -> Iterator[str]:
    if not ports:
        return
    yield bold("inputs (the tensors, under from:)")
    for port in ports:
        count = f"a list of tensors, at least {port.least}" if port.many else "a tensor"
        needed = ", may be left out" if port.optional else ""
        yield f"  {port.name}: {count}{needed}"
        yield from textwrap.wrap(port.about, width, initial_indent="      ", subsequent_indent="      ")
    yield ""


def tf_keras_notes(entry: type[Entry]) -> Iterator[str]:
    """How tf_keras differs for an entry, in sentences."""
    legacy = entry.legacy
    if legacy.absent is not None:
        yield f"has none: {legacy.absent}"
        return
    if legacy.differs is not None:
        yield f"has another one: {legacy.differs}"
        return
    if legacy.name is not None:
        yield f"calls it {legacy.name}"
    yield from (f"calls {ours} {theirs}" for ours, theirs in legacy.renamed.items())
    if legacy.lacking:
        yield f"lacks {', '.join(legacy.lacking)}, which must stay at the default for the twin"


def _data(item: Item) -> dict[str, Any]:
    return {
        "kind": _KINDS[item.key],
        "name": item.name,
        "family": item.family,
        "about": item.about,
        "arguments": [_argument_data(argument) for argument in item.arguments],
        "inputs": [
            {"name": port.name, "several": port.many, "optional": port.optional, "about": port.about}
            for port in item.ports
        ],
        "call": [_argument_data(argument) for argument in item.call],
        "taps": list(item.taps),
        "masking": str(item.entry.masking) if item.entry and issubclass(item.entry, LayerEntry) else None,
        "tf_keras": list(tf_keras_notes(item.entry)) if item.entry is not None else [],
        "examples": _examples(item),
    }


def _argument_data(argument: Argument) -> dict[str, Any]:
    return {
        "name": argument.name,
        "type": argument.type,
        "required": argument.required,
        "default": argument.default,
        "about": argument.about,
    }
