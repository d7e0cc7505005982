"""`python -m scripts.fuzz`: feeds changed blueprints to the check until one is met that it does not stand.

With atheris installed (`pip install graphbuilder[fuzz]`) inputs are chosen by what they reach; without it they are
changed blindly, by a seed. An input that fails is kept in build/fuzz, and becomes an ordinary test.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import random
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / "build" / "fuzz"

# Named here, because atheris must see graphbuilder imported, and listing the targets would import it.
_TARGETS = ("check", "text", "expression")

__all__ = ["blind", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzzes every target in turn.

    Returns:
        0 when no input failed, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="inputs in all (default 1,000,000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", choices=_TARGETS, action="append", help="the only targets to feed")
    parser.add_argument("--blind", action="store_true", help="change inputs blindly even where atheris is installed")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    targets = options.target or _TARGETS
    guided = not options.blind and importlib.util.find_spec("atheris") is not None
    if options.one is not None:
        _guided(options.one, options.inputs, options.seed)
        return 0
    failed = False
    for target in targets:
        share = options.inputs // len(targets)
        started = time.monotonic()
        if guided:
            words = ["--one", target, "--inputs", str(share), "--seed", str(options.seed)]
            failed |= (
                subprocess.run([sys.executable, "-m", "scripts.fuzz", *words], cwd=ROOT, check=False).returncode != 0
            )
        else:
            failed |= blind(target, share, options.seed) > 0
        how = "guided by coverage" if guided else "changed blindly"
        print(f"{target}: {share:,} inputs {how}, {time.monotonic() - started:.0f} s", flush=True)
    print("some inputs failed; they are in build/fuzz" if failed else "no exception but graphbuilder's own")
    return 1 if failed else 0


def blind(target: str, inputs: int, seed: int) -> int:
    """Feeds inputs that are changed by a seed; gives how many failed.

    Arguments:
        target: the target's name.
        inputs: how many.
        seed: chooses the changes.
    """
    from tests.support.fuzzing import TARGETS, changed, corpus

    feed = TARGETS[target]
    choose = random.Random(f"{seed} {target}")
    failures = 0
    seen: set[str] = set()
    for _ in range(inputs):
        data = changed(choose.choice(corpus()), choose)
        try:
            feed(data)
        except Exception as error:
            failures += 1
            # One input of each kind of failure is enough to mend it.
            last = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} {last.filename}:{last.lineno}"
            if kind not in seen:
                _keep(target, data, error)
            seen.add(kind)
    return failures


def _keep(target: str, data: bytes, error: Exception) -> None:
    FOUND.mkdir(parents=True, exist_ok=True)
    path = FOUND / f"{target}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    print(f"{path}: {type(error).__name__}: {error}", flush=True)


def _guided(target: str, inputs: int, seed: int) -> None:
    """Feeds inputs that libFuzzer makes, guided by the branches that they reach. Never returns."""
    import atheris

    with atheris.instrument_imports(include=["graphbuilder"]):
        from tests.support.fuzzing import TARGETS, corpus
    begin = FOUND / f"{target}-corpus"
    begin.mkdir(parents=True, exist_ok=True)
    for data in corpus():
        (begin / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    words = [sys.argv[0], str(begin), f"-runs={inputs}", f"-seed={seed + 1}", "-max_len=4096", "-timeout=20"]
    words += ["-rss_limit_mb=2048", f"-artifact_prefix={FOUND}/{target}-", "-print_final_stats=1", "-verbosity=1"]
    atheris.Setup(words, TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    raise SystemExit(main())
