"""`python -m benchmarks --folding`: how short the models of keras.applications become, and how long that takes."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from statistics import mean
from typing import Any

from graphbuilder.importers import imported
from graphbuilder.importers.keras3 import described3

__all__ = ["main"]

# The most lines of a model, and how many times shorter than Keras's JSON the models must be on average.
_MOST_LINES = {"ResNet50": 80, "EfficientNetB7": 200}
_SHORTER = 20.0


@dataclass(frozen=True, slots=True)
class _Found:
    """What came of a model.

    Arguments:
        layers: of the model.
        json_lines: of its configuration, indented by two.
        flat_lines: of the flat blueprint.
        lines: of the folded one.
        blocks: in the folded one.
        seconds: that reading the model's configuration, folding and both proofs took.
    """

    layers: int
    json_lines: int
    flat_lines: int
    lines: int
    blocks: int
    seconds: float

    @property
    def ratio(self) -> float:
        return self.json_lines / self.lines


def main(argv: list[str] | None = None) -> int:
    """Folds the models and prints the table; the exit code is 1 where one is longer than it may be."""
    from benchmarks.importing import application_names

    parser = argparse.ArgumentParser(prog="python -m benchmarks --folding", description=__doc__)
    parser.add_argument("models", nargs="*", help="functions of keras.applications (default: all)")
    options = parser.parse_args(argv)
    _row("model", "layers", "JSON lines", "flat lines", "lines", "blocks", "shorter", "seconds")
    found: dict[str, _Found] = {}
    for name in options.models or application_names():
        one = found[name] = _folded(name)
        _row(
            name,
            str(one.layers),
            str(one.json_lines),
            str(one.flat_lines),
            str(one.lines),
            str(one.blocks),
            f"{one.ratio:.0f}×",
            f"{one.seconds:.2f}",
        )
    average = mean(one.ratio for one in found.values())
    print(f"{len(found)} models, {average:.0f} times shorter than their JSON on average")
    long = [name for name, most in _MOST_LINES.items() if name in found and found[name].lines > most]
    for name in long:
        print(f"{name} has {found[name].lines} lines, and may have {_MOST_LINES[name]}")
    return 1 if long or average < _SHORTER else 0


def _row(*cells: str) -> None:
    print("  ".join(f"{cell:<18}" if index == 0 else f"{cell:>10}" for index, cell in enumerate(cells)), flush=True)


def _folded(name: str) -> _Found:
    import keras

    model = getattr(keras.applications, name)(weights=None)
    configuration: dict[str, Any] = json.loads(model.to_json())
    layers = len(model.layers)
    del model
    keras.backend.clear_session()
    flat = imported(described3(configuration), name, flat=True)
    started = time.perf_counter()
    short = imported(described3(configuration), name)
    took = time.perf_counter() - started
    return _Found(
        layers,
        len(json.dumps(configuration, indent=2).splitlines()),
        len(flat.text.splitlines()),
        len(short.text.splitlines()),
        short.text.partition("\nnodes:")[0].count("\n    nodes:"),
        took,
    )


if __name__ == "__main__":
    raise SystemExit(main())
