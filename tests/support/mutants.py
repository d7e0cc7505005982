"""Blueprints with exactly one fault: what was changed, where the fault stands, and which node is at fault.

The faults are made in the text, so that the line of each is known, and by a seed, so that they are the same every time.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from graphbuilder.text import Source, parse
from tests.support.mutant_faults import FAULTS
from tests.support.mutant_sites import Fault
from tests.support.standard_blocks import VARIANTS, blueprint_of

__all__ = ["KINDS", "Mutant", "mutants", "originals"]

ROOT = Path(__file__).resolve().parents[2] / "blueprints"
KINDS = tuple(FAULTS)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One blueprint with one fault.

    Arguments:
        name: the file that it was made of.
        kind: the kind of fault, a key of `FAULTS`.
        text: the faulty text.
        line: the line at which the fault stands.
        node: the node or input at fault by its own name, or None where the fault is in no node.
        change: what was changed, for people.
        meeting: whether it is a size that is wrong only for what another node needs: then the message belongs to the
            node where the two meet, and has to tell of `node`.
    """

    name: str
    kind: str
    text: str
    line: int
    node: str | None
    change: str
    meeting: bool


def in_use(block: str, shapes: list[str], params: str) -> str:
    """A standard block's own file, made a model by a node that uses the block."""
    own = (ROOT / "std" / f"{block}.yaml").read_text(encoding="utf-8")
    using = blueprint_of(block, shapes, params).partition("\n")[2]
    return own + using.replace(f"block: std.{block},", f"block: {block},")


@cache
def originals() -> dict[str, tuple[Source, int]]:
    """What mutants are made of, every shipped blueprint and standard block, and how much of its text may change."""
    found = {}
    for path in sorted(ROOT.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        found[path.name] = (parse(text, name=path.name), len(text))
    for block, shapes, variants in VARIANTS:
        own = len((ROOT / "std" / f"{block}.yaml").read_text(encoding="utf-8"))
        found[f"std/{block}.yaml"] = (parse(in_use(block, shapes, variants[0]), name=f"{block}.yaml"), own)
    return found


def _made(name: str, kind: str, source: Source, fault: Fault) -> Mutant:
    text = source.text[: fault.start] + fault.text + source.text[fault.end :]
    # A place behind what is replaced has moved with the text.
    moved = len(fault.text) - (fault.end - fault.start) if fault.at >= fault.end > fault.start else 0
    line = text.count("\n", 0, fault.at + moved) + 1
    was = source.text[fault.start : fault.end]
    change = f"{was!r} → {fault.text!r}"
    return Mutant(name, kind, text, line, fault.node, change, fault.meeting)


def mutants(seed: int, each: int | None = None) -> Iterator[Mutant]:
    """Mutants of every kind.

    Arguments:
        seed: chooses the misspellings, and which mutants are taken.
        each: how many of each kind at most; None for all that there are.
    """
    for kind, make in FAULTS.items():
        choose = random.Random(f"{seed} {kind}")
        found = [
            (name, source, fault)
            for name, (source, size) in originals().items()
            for fault in make(source, choose)
            if fault.end <= size
        ]
        if each is not None and len(found) > each:
            found = _spread(found, each, choose)
        for name, source, fault in found:
            yield _made(name, kind, source, fault)


def _spread(
    found: list[tuple[str, Source, Fault]], each: int, choose: random.Random
) -> list[tuple[str, Source, Fault]]:
    """So many of them, taken from one file after the other, so that a long file has no more than its share."""
    by_file: dict[str, list[tuple[str, Source, Fault]]] = defaultdict(list)
    for item in found:
        by_file[item[0]].append(item)
    for items in by_file.values():
        choose.shuffle(items)
    taken: list[tuple[str, Source, Fault]] = []
    queues = list(by_file.values())
    choose.shuffle(queues)
    while len(taken) < each:
        queues = [queue for queue in queues if queue]
        taken += [queue.pop() for queue in queues]
    return taken[:each]
