"""`python -m benchmarks`: how long checking and compiling take beside Keras itself, and how much memory."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import (
    canvas,
    catalog,
    compression,
    editing,
    editor,
    exporting,
    folding,
    fusion_digits,
    hostile,
    importing,
    legality,
    mutants,
    round_trips,
    zoo,
)
from benchmarks.processes import in_turn

ROOT = Path(__file__).resolve().parent.parent
MODELS = ("cnn", "rnn", "transformer", "resnet50")

REBUILD = """
import sys
from pathlib import Path
import keras
keras.models.model_from_json(Path(sys.argv[1]).read_text())
"""

# Both sides build the same model twice in one process and time the second, when everything is imported and warm.
BY_HAND = """
import resource, sys, time
import keras
{build}
build()
keras.backend.clear_session()
started = time.perf_counter()
build()
took = time.perf_counter() - started
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2))
"""

HAND_WRITTEN = {
    "cnn": """
def build():
    image = keras.Input((64, 64, 3))
    x = keras.layers.Conv2D(32, 3, activation="relu")(image)
    x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(64, activation="relu")(x)
    return keras.Model(image, keras.layers.Dense(10, activation="softmax")(x))
""",
    "resnet50": """
def build():
    return keras.applications.ResNet50(weights=None)
""",
}

COMPILED = """
def build():
    import graphbuilder
    return graphbuilder.compile({path!r})
"""


def main(argv: list[str] | None = None) -> int:
    """Runs the benchmarks and prints their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each side (default 5)")
    parser.add_argument(
        "--fusions", action="store_true", help="first of all: the accuracy of every fusion; takes minutes"
    )
    parser.add_argument(
        "--compression",
        action="store_true",
        help="first of all: compressed blueprints beside a script by hand; takes long",
    )
    parser.add_argument(
        "--catalog",
        action="store_true",
        help="first of all: generated configurations of every layer and op, held against Keras; takes half an hour",
    )
    parser.add_argument(
        "--legality",
        action="store_true",
        help="first of all: what each compression pass does to each layer; takes long",
    )
    parser.add_argument(
        "--import",
        action="store_true",
        help="first of all: what is imported of keras.applications, beside the models; takes long",
    )
    parser.add_argument(
        "--export",
        action="store_true",
        help="first of all: what exported code computes in a process of its own, beside the models; takes long",
    )
    parser.add_argument(
        "--folding",
        action="store_true",
        help="first of all: how short the models of keras.applications become as folded blueprints",
    )
    parser.add_argument(
        "--zoo",
        action="store_true",
        help="first of all: the blueprints of the zoo, beside the models of keras.applications; takes long",
    )
    parser.add_argument("--hostile", action="store_true", help="first of all: what refusing hostile files costs")
    parser.add_argument(
        "--mutants",
        action="store_true",
        help="first of all: how well messages name the fault of blueprints that have one",
    )
    parser.add_argument(
        "--round-trips",
        action="store_true",
        help="first of all: random blueprints to Keras, back, and to Keras again; takes long",
    )
    for name, what in (("canvas", "the canvas"), ("editing", "edits of the text"), ("editor", "the whole editor")):
        parser.add_argument(f"--{name}", action="store_true", help=f"first of all: how fast {what} is")
    parser.add_argument("models", nargs="*", default=list(MODELS), help="shipped blueprints")
    arguments = sys.argv[1:] if argv is None else argv
    others = {
        "--fusions": fusion_digits,
        "--compression": compression,
        "--export": exporting,
        "--folding": folding,
        "--import": importing,
        "--legality": legality,
        "--catalog": catalog,
        "--round-trips": round_trips,
        "--hostile": hostile,
        "--mutants": mutants,
        "--zoo": zoo,
        "--canvas": canvas,
        "--editing": editing,
        "--editor": editor,
    }
    if arguments and arguments[0] in others:
        # Each has options of its own.
        code: int = others[arguments[0]].main(arguments[1:])
        return code
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        print("Checking as a cold process, beside a process that imports Keras and rebuilds the model from its JSON")
        _row("model", "validate s", "keras s", "ratio", "validate MB", "keras MB", "ratio")
        for name in options.models:
            _cold(name, Path(folder), options.runs)
        print("\nCompiling in process, beside the same model written by hand")
        _row("model", "blueprint s", "by hand s", "ratio", "ours MB", "by hand MB", "ratio")
        for name in HAND_WRITTEN:
            if name in options.models:
                _in_process(name, options.runs)
    return 0


def _row(*cells: str) -> None:
    print("  ".join(f"{cell:<12}" if index == 0 else f"{cell:>12}" for index, cell in enumerate(cells)), flush=True)


def _cold(name: str, folder: Path, runs: int) -> None:
    blueprint = ROOT / "blueprints" / f"{name}.yaml"
    architecture = folder / f"{name}.json"
    in_turn({"json": ["-m", "graphbuilder", "compile", str(blueprint), "-o", str(architecture), "--force"]}, 0)
    found = in_turn(
        {"ours": ["-m", "graphbuilder", "validate", str(blueprint)], "keras": ["-c", REBUILD, str(architecture)]}, runs
    )
    ours, theirs = found["ours"], found["keras"]
    _row(
        name,
        f"{ours.time:.3f}",
        f"{theirs.time:.3f}",
        f"1/{theirs.time / ours.time:.1f}",
        f"{ours.memory:.0f}",
        f"{theirs.memory:.0f}",
        f"1/{theirs.memory / ours.memory:.1f}",
    )


def _in_process(name: str, runs: int) -> None:
    sides = {"ours": COMPILED.format(path=f"blueprints/{name}.yaml"), "hand": HAND_WRITTEN[name]}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    megabytes: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(runs):
        for side, build in sides.items():
            program = BY_HAND.replace("{build}", build)
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
            took, peak = done.stdout.split()[-2:]
            seconds[side].append(float(took))
            megabytes[side].append(float(peak))
    ours, hand = median(seconds["ours"]), median(seconds["hand"])
    our_peak, their_peak = median(megabytes["ours"]), median(megabytes["hand"])
    _row(
        name,
        f"{ours:.3f}",
        f"{hand:.3f}",
        f"{ours / hand:.2f}",
        f"{our_peak:.0f}",
        f"{their_peak:.0f}",
        f"{our_peak / their_peak:.2f}",
    )


if __name__ == "__main__":
    raise SystemExit(main())
