"""The lists that `graphbuilder layers` prints."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from graphbuilder.catalog.objects import KINDS
from graphbuilder.cli.output import bold, encodes, terminal_width
from graphbuilder.cli.shelves import Item, items
from graphbuilder.cli.table import cut
from graphbuilder.errors import CommandError, Diagnostic, suggestion

__all__ = ["print_lists", "print_missing"]

_KEYS = {"layers": "layer", "ops": "op", "fusions": "fuse", "blocks": "block"}


def print_lists(kinds: Sequence[str], family: str | None, *, as_json: bool) -> None:
    """Prints the things of some kinds, by family.

    As JSON it is a mapping from each kind to a list: of {name, family, about} for layers, ops, fusions and blocks, of
    {name, options, aliases} for activations, initializers, regularizers and constraints.

    Arguments:
        kinds: layers, ops, fusions, blocks, activations, initializers, regularizers or constraints.
        family: the only family to list, or None.
        as_json: whether machines will read it.

    Raises:
        CommandError: there is no such family.
    """
    shelves = {kind: list(items(_KEYS[kind])) for kind in kinds if kind in _KEYS}
    if family is not None:
        shelves = _only(shelves, family)
    if as_json:
        print(json.dumps({kind: _data(kind, shelves) for kind in kinds}, indent=2))
        return
    for number, kind in enumerate(kinds):
        if number:
            print()
        if kind in shelves:
            _print_items(shelves[kind])
        else:
            _print_objects(kind)
    if kinds == ["layers"]:
        print(f"\n{sum(map(len, shelves.values()))} layers; `graphbuilder layers Dense` describes one.")
        print("More: --ops, --fusions, --blocks, --activations, --initializers and others, see --help.")


def print_missing(*, as_json: bool) -> None:
    """Prints the layers of the installed Kerases that the catalog lacks, and why.

    As JSON it is {missing: [{name, reason, instead}]}, the reason null where there is none.

    Arguments:
        as_json: whether machines will read it.

    Raises:
        MissingError: Keras is not installed.
    """
    # Keras takes seconds to load, and no other list needs it.
    from graphbuilder.backend.missing import missing_layers

    found = [(name, *(reason or "").partition("; ")[::2]) for name, reason in missing_layers()]
    if as_json:
        rows = [{"name": name, "reason": why or None, "instead": use or None} for name, why, use in found]
        print(json.dumps({"missing": rows}, indent=2))
        return
    for name, why, use in found:
        print(bold(name))
        for said in (why or "the catalog does not have it yet", use):
            for line in textwrap.wrap(said, terminal_width() - 2):
                print(f"  {line}")
    print(f"\n{len(found)} layers of Keras cannot be used in blueprints; `graphbuilder layers` lists those that can.")


def _only(shelves: dict[str, list[Item]], family: str) -> dict[str, list[Item]]:
    """The things of one family."""
    kept = {kind: [item for item in found if item.family == family] for kind, found in shelves.items()}
    if not any(kept.values()):
        known = list(dict.fromkeys(item.family for found in shelves.values() for item in found))
        hint = suggestion(family, known, listing=f"the families are {', '.join(known)}")
        raise CommandError(Diagnostic("GB603", f"there is no family {family}", hint=hint))
    return kept


def _data(kind: str, shelves: dict[str, list[Item]]) -> list[dict[str, Any]]:
    if kind in shelves:
        return [{"name": item.name, "family": item.family, "about": item.headline} for item in shelves[kind]]
    objects = KINDS[kind.removesuffix("s")]
    return [
        {"name": name, "options": list(options), "aliases": _aliases(kind, name)}
        for name, options in objects.options.items()
    ]


def _aliases(kind: str, name: str) -> list[str]:
    return [alias for alias, meant in KINDS[kind.removesuffix("s")].aliases.items() if meant == name]


def _print_items(found: Iterable[Item]) -> None:
    """Prints names with a line on each, under the names of their families."""
    families: dict[str, list[Item]] = {}
    for item in found:
        families.setdefault(item.family, []).append(item)
    for number, (family, members) in enumerate(families.items()):
        print(("\n" if number else "") + bold(family))
        _print_rows([(item.name, item.headline) for item in members])


def _print_objects(kind: str) -> None:
    print(bold(kind))
    rows = []
    for name, options in KINDS[kind.removesuffix("s")].options.items():
        aliases = _aliases(kind, name)
        also = f"also {', '.join(aliases)}" if aliases else ""
        takes = f"options {', '.join(options)}" if options else ""
        rows.append((name, "; ".join(part for part in (also, takes) if part)))
    _print_rows(rows)


def _print_rows(rows: Sequence[tuple[str, str]]) -> None:
    wide = max(len(name) for name, _ in rows)
    ellipsis = "…" if encodes("…") else "~"
    for name, text in rows:
        print(f"  {name:{wide}}  {cut(text, terminal_width() - wide - 4, ellipsis)}".rstrip())
