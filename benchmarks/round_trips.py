"""`python -m benchmarks --round-trips`: random blueprints go to Keras, come back, and go to Keras again."""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections import Counter

__all__ = ["main"]

# How often it is told how far it has come.
_TOLD = 200


def main(argv: list[str] | None = None) -> int:
    """Runs the round trips of some seeds; the exit code is 1 where one comes out different."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks --round-trips", description=__doc__)
    parser.add_argument(
        "--first", type=int, default=0, help="the first seed, so that many can be run in parts (default 0)"
    )
    parser.add_argument("--count", type=int, default=2000, help="how many seeds (default 2,000)")
    options = parser.parse_args(argv)
    # One thread, so that sums come in one order, as in the tests.
    os.environ.update({"TF_NUM_INTEROP_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_ENABLE_ONEDNN_OPTS": "0"})
    # Keras warns of masks that a layer loses.
    warnings.simplefilter("ignore")
    from tests.importers.random_models import FEATURES
    from tests.importers.round_trips import NESTED, round_trip

    found: Counter[str] = Counter()
    failed: list[int] = []
    nodes = 0
    started = time.perf_counter()
    for number, seed in enumerate(range(options.first, options.first + options.count), 1):
        try:
            trip = round_trip(seed)
        except Exception as error:
            # Each is told, so that one seed that fails does not hide the next.
            failed.append(seed)
            print(f"seed {seed}: {type(error).__name__}: {' '.join(str(error).split())[:300]}", flush=True)
            continue
        found.update(trip.features)
        nodes += trip.nodes
        if number % _TOLD == 0:
            print(
                f"{number:,} of {options.count:,}, {number / (time.perf_counter() - started):.1f} a second", flush=True
            )
    took, good = time.perf_counter() - started, options.count - len(failed)
    last = options.first + options.count - 1
    print(f"{good:,} of {options.count:,} random graphs came back with equal outputs, seeds {options.first} to {last}")
    print(f"{nodes / max(good, 1):.1f} nodes each, {options.count / took:.1f} graphs a second")
    for feature in (*FEATURES, NESTED):
        print(f"  {feature:<18}{found[feature]:>7,}  {found[feature] / max(good, 1):.0%}")
    if failed:
        print(f"different: {', '.join(map(str, failed))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
