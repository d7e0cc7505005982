"""`python -m benchmarks --catalog`: holds generated configurations of every layer and op against Keras 3 itself.

Keras says what it makes of a configuration by inferring shapes from symbolic tensors; numbers are computed only where
it takes what the catalog refuses, to see whether it could. Known differences stand in `tests/catalog/exemptions*.py`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from graphbuilder.catalog import Entry, LayerEntry, layers, ops

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parent.parent
_PAGE = _ROOT / "docs" / "catalog.md"
# What a run has found so far, an entry on each line, for one that was cut short.
_PROGRESS = _ROOT / "build" / "catalog-held.jsonl"
# How many configurations there have to be, over all entries.
_WANTED = 50_000
# Some entries have fewer configurations that differ than are asked for.
_SURPLUS = 1.12
_WRITTEN = """\
Written by `make bench ARGS=--catalog`. Arguments and inputs are generated from each entry's own fields and examples:
unknown axes, sizes of 1, other strides, paddings, data formats and dtypes, lists of the wrong length, unknown names.
Each configuration is given to the catalog and to Keras. They agree where both refuse it, or where shape, dtype and
number of the outputs and names, shapes and trainability of the weights are equal."""
_TWINS = """\
The last column says whether compression and TFLite conversion, which run on tf_keras, can have the layer. That both
Kerases then compute the same is tested in `tests/catalog/test_numbers.py`."""
_COLUMNS = ("layer", "family", "configurations", "taken", "refused", "exempted", "differ", "tf_keras")


@dataclass(slots=True)
class Held:
    """What came of the configurations of one entry.

    Arguments:
        name: the entry.
        outcomes: how many configurations both took, both refused, differ as is exempted, and differ.
        told: each sort of difference, by its shortest configuration.
    """

    name: str
    outcomes: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    @property
    def kind(self) -> type[Entry]:
        """The entry itself."""
        found = layers.get(self.name) or ops.get(self.name)
        assert found is not None
        return found

    @property
    def total(self) -> int:
        """How many configurations there were, each counted once."""
        return self.outcomes.total()


def main(argv: list[str] | None = None) -> int:
    """Holds the configurations against Keras and writes the page; the exit code is 1 where they differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks --catalog", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--each", type=int, help="random configurations of each entry (default: enough for 50,000)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time (default: 1)")
    parser.add_argument("--resume", action="store_true", help="go on where a run was cut short")
    parser.add_argument("names", nargs="*", help="layers and ops (default: all; only then is anything written)")
    options = parser.parse_args(argv)
    # As in the tests: sums come in one order, and what only oneDNN can compute counts as what cannot be computed.
    os.environ.update({"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "TF_NUM_INTRAOP_THREADS": "1"})
    names = options.names or [*layers.names(), *ops.names()]
    each = options.each or int(_WANTED * _SURPLUS / len(names))
    started = time.perf_counter()
    found = _earlier(names) if options.resume else {}
    _PROGRESS.parent.mkdir(exist_ok=True)
    with (
        _PROGRESS.open("a" if options.resume else "w", encoding="utf-8") as progress,
        # Each process ends after some entries, because what TensorFlow traces stays in memory.
        get_context("spawn").Pool(options.jobs, maxtasksperchild=24) as pool,
    ):
        waiting = [name for name in names if name not in found]
        for held in pool.imap(partial(_held, each=each), waiting):
            found[held.name] = held
            progress.write(json.dumps({"name": held.name, "outcomes": dict(held.outcomes), "told": held.told}) + "\n")
            progress.flush()
            differ = held.outcomes["differ"]
            print(f"{len(found)}/{len(names)} {held.name}: {held.total} configurations, {differ} differ", flush=True)
            for told in held.told:
                print(told, file=sys.stderr)
    total, differ = (
        sum(each.total for each in found.values()),
        sum(each.outcomes["differ"] for each in found.values()),
    )
    print(f"{total:,} configurations, {differ} differ; {time.perf_counter() - started:.0f} seconds")
    if not options.check and not options.names:
        _PAGE.write_text(_page(list(found.values())), encoding="utf-8")
        print(f"{_PAGE.name} is written")
    return 1 if differ else 0


def _earlier(names: list[str]) -> dict[str, Held]:
    """What an earlier run found of these entries."""
    if not _PROGRESS.exists():
        return {}
    lines = (json.loads(line) for line in _PROGRESS.read_text(encoding="utf-8").splitlines())
    return {
        line["name"]: Held(line["name"], Counter(line["outcomes"]), line["told"])
        for line in lines
        if line["name"] in names
    }


def _held(name: str, each: int) -> Held:
    """The configurations of one entry, as its systematic changes and random ones.

    Arguments:
        name: the entry.
        each: how many random ones are asked for; further ones are drawn where too many are alike.
    """
    from hypothesis import HealthCheck, Phase, given, seed, settings

    from tests.catalog.cases import Case
    from tests.catalog.names import entry_kind
    from tests.catalog.strategies import cases, systematic_cases

    kind = entry_kind(name)
    held = Held(name)
    seen: set[str] = set()

    def look_at(case: Case) -> None:
        if str(case) not in seen:
            seen.add(str(case))
            _look_at(held, case)

    for case in systematic_cases(kind):
        look_at(case)
    for turn in range(3):
        missing = each - held.total
        if missing <= 0:
            break

        @seed(turn)
        @settings(
            max_examples=missing,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(cases(kind))
        def draw_many(case: Case) -> None:
            look_at(case)

        draw_many()
    return held


def _look_at(held: Held, case: object) -> None:
    """Holds one configuration against Keras."""
    from tests.catalog.answers import Accepted, catalog_answer
    from tests.catalog.cases import Case
    from tests.catalog.comparison import all_against_keras
    from tests.catalog.exemptions import exempted

    assert isinstance(case, Case)
    differences = list(all_against_keras(case, computed=False))
    if not differences:
        held.outcomes["taken" if isinstance(catalog_answer(case), Accepted) else "refused"] += 1
    elif all(map(exempted, differences)):
        held.outcomes["exempted"] += 1
    else:
        held.outcomes["differ"] += 1
        held.told += [str(finding) for finding in differences if not exempted(finding)]


def _page(found: list[Held]) -> str:
    """The page about what was held against Keras."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: list[Held]) -> Iterator[str]:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("keras", "tensorflow"))
    total = Counter[str]()
    for held in found:
        total.update(held.outcomes)
    count = {True: 0, False: 0}
    for held in found:
        count[issubclass(held.kind, LayerEntry)] += 1
    yield "# The catalog, held against Keras"
    yield ""
    yield _WRITTEN
    yield ""
    yield f"- {sum(total.values()):,} configurations of {count[True]} layers and {count[False]} ops, with {versions}"
    yield f"- {total['taken']:,} taken by both, {total['refused']:,} refused by both"
    yield f"- {total['exempted']:,} differ as `tests/catalog/exemptions*.py` say, each sort with its reason"
    yield f"- {total['differ']:,} differ otherwise"
    yield ""
    yield _TWINS
    yield ""
    yield f"| {' | '.join(_COLUMNS)} |"
    yield f"|{'---|' * len(_COLUMNS)}"
    for held in sorted(found, key=lambda held: (not issubclass(held.kind, LayerEntry), held.kind.name().lower())):
        outcomes = [f"{held.outcomes[key]}" for key in ("taken", "refused", "exempted", "differ")]
        twin = "no" if held.kind.legacy.refusal(held.kind.name()) else "yes"
        yield f"| {' | '.join([held.kind.name(), held.kind.family, str(held.total), *outcomes, twin])} |"
