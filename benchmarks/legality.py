"""`python -m benchmarks --legality`: runs every cell of what can be compressed, and records what it gave."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from graphbuilder.compression.conversions import Outcome
from graphbuilder.compression.legality import COLUMNS, CONVERSIONS
from graphbuilder.compression.legality_table import TABLE
from graphbuilder.compression.passes import Quantize
from scripts.legality_page import RUNS, agrees, legality_page

__all__ = ["main"]

_VERSIONS = ("tensorflow", "tf-keras", "tensorflow-model-optimization", "ai-edge-litert")
_PAGE = RUNS.with_suffix(".md")
# Of what Keras computes, shares of the scale by which a converted model may typically be off: twice what 8 bits cost.
_ALLOWED = 0.05


def main(argv: list[str] | None = None) -> int:
    """Runs the cells, and writes what they gave and the page; the exit code is 1 where one contradicts the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks --legality", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a run contradicts the tables")
    parser.add_argument("kinds", nargs="*", help="kinds of layers (default: all; only then is anything written)")
    options = parser.parse_args(argv)
    # One thread, so that sums come in one order, as in the tests.
    os.environ.update({"TF_NUM_INTEROP_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_ENABLE_ONEDNN_OPTS": "0"})
    kinds = options.kinds or [kind for kind, row in TABLE.items() if row["prune"] != "m"]
    found: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    wrong = 0
    for kind, column, outcome, seen in _cells(kinds):
        found[kind][column] = outcome
        if not agrees(kind, column, outcome):
            wrong += 1
            print(f"{kind}, {column}: {outcome} ({seen})", file=sys.stderr)
    print(f"{sum(map(len, found.values()))} cells were run, {wrong} contradict the tables")
    if not options.check and not options.kinds:
        versions = {name: importlib.metadata.version(name) for name in _VERSIONS}
        RUNS.write_text(json.dumps({"versions": versions, "cells": found}, indent=1) + "\n", encoding="utf-8")
        _PAGE.write_text(legality_page(), encoding="utf-8")
        print(f"{RUNS.name} and {_PAGE.name} are written")
    return 1 if wrong else 0


def _cells(kinds: list[str]) -> Iterator[tuple[str, str, str, str]]:
    """Kind, column, outcome, and what was seen, of every cell."""
    import tf_keras

    from tests.compression.cells import graph_of
    from tests.compression.runs import PASSES, attempt
    from tests.support.conversion_cells import Cell, measured_cells

    for number, kind in enumerate(kinds, 1):
        print(f"{number}/{len(kinds)} {kind}", file=sys.stderr, flush=True)
        graph = graph_of(kind)
        for column in COLUMNS:
            tf_keras.utils.set_random_seed(0)
            done = attempt(graph, PASSES[column])
            yield kind, column, str(done.verdict), done.seen
        if TABLE[kind]["prune"] == "k":
            # Without the twin, which conversion starts from, it ends there too.
            done = attempt(graph, Quantize(aware=False))
            for column in CONVERSIONS:
                yield kind, column, str(done.verdict), done.seen
    converted = [kind for kind in kinds if TABLE[kind]["prune"] != "k"]
    columns = {scheme: column for column, scheme in CONVERSIONS.items()}
    cells = [Cell(kind, scheme) for kind in converted for scheme in columns]
    for facts in measured_cells(cells):
        yield facts["label"], columns[facts["scheme"]], str(_outcome(facts)), str(facts.get("error", facts))


def _outcome(facts: dict[str, Any]) -> Outcome:
    """What a conversion gave."""
    if "signal" in facts or "error" in facts or not facts["share"] < _ALLOWED:
        return Outcome.ILLEGAL
    return Outcome.FLOAT if facts["still_float"] else Outcome.LEGAL


if __name__ == "__main__":
    raise SystemExit(main())
