"""`make bench ARGS=--mutants`: how well messages name the one fault of blueprints that have one."""

from __future__ import annotations

import argparse
import sys

from tests.support.mutant_judging import Tally, tallied
from tests.support.mutants import mutants

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Judges every mutant, and prints a table by kind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks --mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="chooses the misspellings (default 0)")
    parser.add_argument("--each", type=int, help="mutants of each kind at most; all when left out")
    parser.add_argument("--missed", action="store_true", help="print those of which a message says less than it should")
    options = parser.parse_args(sys.argv[1:] if argv is None else argv)
    whole, kinds = tallied(mutants(options.seed, options.each))
    print("Blueprints with one fault. Still valid: the change left a valid blueprint, so that nothing had to be said.")
    print(f"{'kind of fault':26}{'made':>8}{'still valid':>13}{'one message':>13}{'exact line':>12}{'node named':>12}")
    for kind, tally in [*kinds.items(), ("all", whole)]:
        print(f"{kind:26}{_cells(tally)}", flush=True)
    if options.missed:
        for item in whole.missed:
            mutant = item.mutant
            print(f"\n{mutant.name}:{mutant.line} {mutant.node or ''} ({mutant.kind}): {mutant.change}")
            for found in item.said:
                print(f"  {found}")
    return 0


def _cells(tally: Tally) -> str:
    faulty = max(tally.faulty, 1)
    named = f"{tally.node / tally.in_a_node:.1%}" if tally.in_a_node else "–"
    return f"{tally.made:>8,}{tally.valid:>13,}{tally.once / faulty:>13.1%}{tally.line / faulty:>12.1%}{named:>12}"
