"""`python -m benchmarks --import`: imports the models of keras.applications, and compares what comes of them."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pages import write_measured
from benchmarks.processes import in_turn

__all__ = ["SIZE", "SUBSTITUTES", "Compared", "application_names", "main"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "importing.md"

# What takes the place of layers that ship inside keras.applications.
SUBSTITUTES = {
    "CustomScaleLayer": ("Rescaling", "Add"),
    "LayerScale": ("EinsumDense",),
    "StochasticDepth": ("Dropout",),
}
# Where a model leaves its height and width open.
SIZE = 128
# Without its classifier this one leaves them open too, and then takes no image at all: Keras compares the unknown sizes
# of what it adds, finds them equal, and halves neither. So it is made for the size that it has with its classifier.
FIXED = {"NASNetLarge": (331, 331, 3)}
# What a model that computes the same with other kernels may differ by.
_ALLOWED = 1e-5
_LOAD = "import sys, keras; keras.saving.load_model(sys.argv[1])"


@dataclass(frozen=True, slots=True)
class Compared:
    """One model beside what was compiled of its blueprint.

    Arguments:
        parameters: of the model.
        layers: of the model, inputs left out.
        same: whether parameters, and the kinds of layers in their order, are equal.
        difference: the largest of an output, with the same weights, over the largest number in it.
        lines: of the blueprint.
        json_lines: of the model's configuration, indented by two.
    """

    parameters: int
    layers: int
    same: bool
    difference: float
    lines: int
    json_lines: int

    @property
    def good(self) -> bool:
        """Whether the two are the same model."""
        return self.same and self.difference <= _ALLOWED


def main(argv: list[str] | None = None) -> int:
    """Runs the models; the exit code is 1 where one comes out different."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks --import", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write the table to {PAGE.relative_to(ROOT)}")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each side of the timing (default 5)")
    parser.add_argument("models", nargs="*", help="functions of keras.applications (default: all)")
    options = parser.parse_args(argv)
    # One thread, so that sums come in one order, as in the tests.
    os.environ.update({"TF_NUM_INTEROP_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_ENABLE_ONEDNN_OPTS": "0"})
    rows = [_HEAD, _RULE]
    print("\n".join(rows), flush=True)
    wrong = 0
    for name in options.models or application_names():
        found = {(top, flat): each for top, flat, each in compared(name)}
        wrong += not all(each.good for each in found.values())
        rows.append(_row(name, found))
        print(rows[-1], flush=True)
    timing = _timing(options.runs)
    print(f"\n{timing}")
    if options.write:
        write_measured(PAGE, [*rows, "", timing])
    return 1 if wrong else 0


_HEAD = "| Model | Parameters | Layers | Difference | without the top | JSON lines | Flat | Folded | Shorter |"
_RULE = "|---|--:|--:|--:|--:|--:|--:|--:|--:|"


def _row(name: str, found: dict[tuple[bool, bool], Compared]) -> str:
    flat, folded = found[True, True], found[True, False]
    cells = [
        name,
        f"{flat.parameters:,}",
        f"{flat.layers:,}",
        _told(flat, folded),
        _told(found[False, True], found[False, False]),
        f"{flat.json_lines:,}",
        f"{flat.lines:,}",
        str(folded.lines),
        f"{folded.json_lines / folded.lines:,.0f}×",
    ]
    return f"| {' | '.join(cells)} |"


def _told(*both: Compared) -> str:
    if not all(each.same for each in both):
        return "other layers"
    worst = max(each.difference for each in both)
    return "0" if worst == 0 else f"{worst:.0e}"


def application_names() -> list[str]:
    """The functions of keras.applications that make a model."""
    from keras import applications

    return [name for name in dir(applications) if name[0].isupper() and callable(getattr(applications, name))]


def compared(name: str, tops: Sequence[bool] = (True, False)) -> Iterator[tuple[bool, bool, Compared]]:
    """A model of keras.applications beside its blueprints.

    Arguments:
        name: its function.
        tops: with its classifier, and without.

    Yields:
        Whether it has its classifier, whether the blueprint is flat, and what came of it.
    """
    import keras

    for top in tops:
        keras.utils.set_random_seed(1)
        model = getattr(keras.applications, name)(weights=None, include_top=top, input_shape=FIXED.get(name))
        saved = json.loads(model.to_json())
        given, wanted = _outputs(model)
        for flat in (True, False):
            yield top, flat, _compared(model, saved, flat, given, wanted)
        del model
        keras.backend.clear_session()
        gc.collect()


def _outputs(model: Any) -> tuple[Any, Any]:
    """One sample for a model, and what it gives."""
    import numpy

    shape = [SIZE if size is None else size for size in model.inputs[0].shape[1:]]
    given = numpy.random.default_rng(0).random((1, *shape), "float32") * 255
    return given, numpy.asarray(model(given))


def _compared(model: Any, saved: dict[str, Any], flat: bool, given: Any, wanted: Any) -> Compared:
    import numpy

    from graphbuilder.api import compile, parse
    from graphbuilder.importers import imported
    from graphbuilder.importers.configurations import described
    from tests.support.importing import copy_by_names, layers_inside

    found = imported(described(saved), model.name, flat=flat)
    built = compile(parse(found.text))
    theirs = [
        kind
        for _, layer in layers_inside(model)
        for kind in SUBSTITUTES.get(type(layer).__name__, (type(layer).__name__,))
        if kind != "InputLayer"
    ]
    ours = [type(layer).__name__ for layer in built.layers if type(layer).__name__ != "InputLayer"]
    copy_by_names(model, built, found.names)
    difference = numpy.abs(numpy.asarray(built(given)) - wanted).max()
    return Compared(
        parameters=model.count_params(),
        layers=len(theirs),
        same=built.count_params() == model.count_params() and ours == theirs and not found.lost,
        difference=float(difference / max(1.0, numpy.abs(wanted).max())),
        lines=len(found.text.splitlines()),
        json_lines=len(json.dumps(saved, indent=2).splitlines()),
    )


def _timing(runs: int) -> str:
    """How long EfficientNetB7's archive takes to import and check, beside Keras, which loads it."""
    import keras

    with tempfile.TemporaryDirectory() as folder:
        archive, blueprint = Path(folder) / "model.keras", Path(folder) / "model.yaml"
        keras.applications.EfficientNetB7(weights=None).save(archive)
        found = in_turn(
            {
                "ours": ["-m", "graphbuilder", "import", str(archive), "-o", str(blueprint), "--force"],
                "flat": ["-m", "graphbuilder", "import", str(archive), "-o", str(blueprint), "--force", "--flat"],
                "keras": ["-c", _LOAD, str(archive)],
            },
            runs,
        )
    ours, flat, theirs = found["ours"].time, found["flat"].time, found["keras"].time
    return (
        f"A `.keras` file of EfficientNetB7 is imported, folded and checked in {ours:.2f} s, and with `--flat` in "
        f"{flat:.2f} s. `keras.saving.load_model` takes {theirs:.2f} s: {theirs / ours:.1f} and {theirs / flat:.1f} "
        "times as long. Each is a process of its own, its start included."
    )


if __name__ == "__main__":
    sys.exit(main())
