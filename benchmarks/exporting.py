"""`python -m benchmarks --export`: runs exported code in processes of their own, and compares what it computes."""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.importing import SIZE, application_names
from benchmarks.pages import write_measured

__all__ = ["Ran", "exported_application", "exported_blueprint", "main"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "exporting.md"

# What a model that computes the same with other kernels may differ by.
_ALLOWED = 1e-5

# The exported file alone: nothing of graphbuilder may be there, not even to be imported.
_RUN = """
import runpy, sys
sys.modules["graphbuilder"] = None
code, given, made = sys.argv[1:]
model = runpy.run_path(code)["build_model"]()
import keras, numpy
saved = numpy.load(given)
model.set_weights([saved[f"weight_{number}"] for number in range(len(model.weights))])
inputs = {name[6:]: saved[name] for name in saved.files if name.startswith("input_")}
arranged = inputs if isinstance(model._inputs_struct, dict) else list(inputs.values())
arranged = arranged[0] if isinstance(arranged, list) and len(arranged) == 1 else arranged
outputs = keras.tree.flatten(model(arranged))
numpy.savez(made, *map(numpy.asarray, outputs), parameters=model.count_params())
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """One model's code, run by itself.

    Arguments:
        parameters: of the compiled model.
        same: whether the code's model has as many.
        lines: of the code.
        functions: in the code, the model's own included.
        difference: the largest of an output from the compiled model's, over the largest number in it.
        original: the same from the model that was imported; None where there was none.
    """

    parameters: int
    same: bool
    lines: int
    functions: int
    difference: float
    original: float | None = None

    @property
    def good(self) -> bool:
        """Whether the code builds the very model."""
        return self.same and self.difference == 0 and (self.original or 0.0) <= _ALLOWED


def main(argv: list[str] | None = None) -> int:
    """Runs the models; the exit code is 1 where one comes out different."""
    from graphbuilder.blueprint.shipped import blueprint_names

    parser = argparse.ArgumentParser(prog="python -m benchmarks --export", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write the table to {PAGE.relative_to(ROOT)}")
    parser.add_argument(
        "models", nargs="*", help="functions of keras.applications and shipped blueprints (default: all)"
    )
    options = parser.parse_args(argv)
    # One thread, so that sums come in one order, as in the tests.
    os.environ.update({"TF_NUM_INTEROP_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_ENABLE_ONEDNN_OPTS": "0"})
    shipped = blueprint_names()
    rows = [_HEAD, _RULE]
    print("\n".join(rows), flush=True)
    wrong = 0
    for name in options.models or [*shipped, *application_names()]:
        path = ROOT / "blueprints" / f"{name}.yaml"
        ran = exported_blueprint(path) if name in shipped else exported_application(name)
        wrong += not ran.good
        rows.append(_row(name, ran))
        print(rows[-1], flush=True)
    if options.write:
        write_measured(PAGE, rows)
    return 1 if wrong else 0


_HEAD = "| Model | Parameters | Lines | Functions | Difference from the compiled model | from the original |"
_RULE = "|---|--:|--:|--:|--:|--:|"


def _row(name: str, ran: Ran) -> str:
    cells = [
        name,
        f"{ran.parameters:,}",
        str(ran.lines),
        str(ran.functions),
        _told(ran.difference) if ran.same else "other parameters",
        "–" if ran.original is None else _told(ran.original),
    ]
    return f"| {' | '.join(cells)} |"


def _told(difference: float) -> str:
    return "0" if difference == 0 else f"{difference:.0e}"


def exported_application(name: str) -> Ran:
    """A model of keras.applications, imported and exported, beside the compiled blueprint and the original.

    Arguments:
        name: its function.
    """
    import keras

    from graphbuilder.api import compile, lower, parse
    from graphbuilder.export import export_python
    from graphbuilder.importers import imported
    from graphbuilder.importers.configurations import described
    from tests.support.importing import copy_by_names

    keras.utils.set_random_seed(1)
    model = getattr(keras.applications, name)(weights=None)
    found = imported(described(json.loads(model.to_json())), model.name)
    document = parse(found.text)
    built = compile(document)
    copy_by_names(model, built, found.names)
    source = export_python(lower(document), document).source
    ran = _ran(source, built, _given(model, SIZE), model)
    del model, built
    keras.backend.clear_session()
    gc.collect()
    return ran


def exported_blueprint(path: Path) -> Ran:
    """A blueprint, exported, beside the compiled model.

    Arguments:
        path: its file.
    """
    from graphbuilder.api import compile, load, lower
    from graphbuilder.backend.parity import random_inputs
    from graphbuilder.export import export_python

    document = load(path)
    # What begins with published weights would need the network.
    params = {"weights": None} if "weights" in document.blueprint.params else {}
    graph = lower(document, params)
    built = compile(document, params)
    return _ran(export_python(graph, document).source, built, random_inputs(graph))


def _given(model: Any, open_size: int) -> dict[str, Any]:
    """One image for a model."""
    import numpy

    shape = [open_size if size is None else size for size in model.inputs[0].shape[1:]]
    return {"image": numpy.random.default_rng(0).random((1, *shape), "float32") * 255}


def _ran(source: str, built: Any, given: dict[str, Any], original: Any = None) -> Ran:
    import numpy

    with tempfile.TemporaryDirectory() as folder:
        code, saved, made = (Path(folder) / name for name in ("model.py", "given.npz", "made.npz"))
        code.write_text(source, encoding="utf-8")
        weights = {f"weight_{number}": weight for number, weight in enumerate(built.get_weights())}
        numpy.savez(saved, **weights, **{f"input_{name}": array for name, array in given.items()})
        done = subprocess.run(
            [sys.executable, "-c", _RUN, str(code), str(saved), str(made)], capture_output=True, text=True, cwd=folder
        )
        if done.returncode:
            raise RuntimeError(f"the code of {built.name} failed: {done.stderr[-2000:]}")
        produced = numpy.load(made)
        outputs = [produced[f"arr_{number}"] for number in range(len(produced.files) - 1)]
        return Ran(
            parameters=built.count_params(),
            same=int(produced["parameters"]) == built.count_params(),
            lines=len(source.splitlines()),
            functions=source.count("\ndef ") - source.count("\ndef named("),
            difference=_difference(_outputs(built, given), outputs),
            original=None if original is None else _difference(_outputs(original, given), outputs),
        )


def _outputs(model: Any, given: dict[str, Any]) -> Iterator[Any]:
    import keras
    import numpy

    arranged: Any = given if isinstance(model._inputs_struct, dict) else list(given.values())
    arranged = arranged[0] if isinstance(arranged, list) and len(arranged) == 1 else arranged
    yield from map(numpy.asarray, keras.tree.flatten(model(arranged)))


def _difference(wanted: Iterator[Any], found: Sequence[Any]) -> float:
    import numpy

    largest = 0.0
    for one, other in zip(wanted, found, strict=True):
        largest = max(largest, float(numpy.abs(one - other).max()) / max(1.0, float(numpy.abs(one).max())))
    return largest


if __name__ == "__main__":
    sys.exit(main())
