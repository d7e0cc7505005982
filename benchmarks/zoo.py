"""`python -m benchmarks --zoo`: holds the blueprints of the zoo against the models of keras.applications."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.importing import SIZE, SUBSTITUTES
from benchmarks.pages import write_measured
from graphbuilder.analysis import summarize
from graphbuilder.api import check, compile, load
from graphbuilder.blueprint.shipped import blueprint_path
from graphbuilder.catalog.zoo import ZOO

__all__ = ["Held", "held", "main"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "zoo.md"
# What a model that computes the same with other kernels may differ by.
_ALLOWED = 1e-5
# These pad by the size of the image, so that Keras itself builds them for one size only.
_SIZED = ("nasnet_mobile", "nasnet_large")
# How far the smaller weights are moved from where they begin, so that each of them can be seen in the output.
_SHIFT = 0.1


@dataclass(frozen=True, slots=True)
class Held:
    """A blueprint of the zoo beside Keras's model.

    Arguments:
        parameters: of the blueprint.
        theirs: parameters of Keras's model.
        layers: of Keras's model, inputs left out.
        same_layers: whether the kinds of layers are equal in their order, ZeroPadding2D left out.
        same_weights: whether the layers with weights stand in one order, with weights of the same shapes.
        same_rates: whether the rates of Dropout are equal.
        difference: the largest of an output, with the same weights, over the largest number in it.
    """

    parameters: int
    theirs: int
    layers: int
    same_layers: bool
    same_weights: bool
    same_rates: bool
    difference: float

    @property
    def good(self) -> bool:
        """Whether the two are the same model."""
        same = self.same_layers and self.same_weights and self.same_rates and self.parameters == self.theirs
        return same and self.difference <= _ALLOWED


def held(name: str, *, top: bool, size: int | None = None, params: Mapping[str, Any] | None = None) -> Held:
    """Builds a model of the zoo and Keras's own, and gives them the same weights and image.

    Arguments:
        name: the model, without `zoo.`.
        top: with its classifier, or without.
        size: height and width of the image; None for Keras's default.
        params: of the blueprint, which are arguments of Keras's function too.
    """
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    chosen = dict(params or {})
    if size is None and name in _SIZED:
        size = ZOO[name].size
    shape = {} if size is None else {"input_shape": (size, size, 3)}
    theirs = getattr(keras.applications, ZOO[name].function)(weights=None, include_top=top, **shape, **chosen)
    rows, columns = theirs.inputs[0].shape[1:3]
    path = blueprint_path(f"zoo.{name}")
    assert path is not None
    ours = compile(load(path), params={"include_top": top, "height": rows, "width": columns, **chosen})
    found = _held(theirs, ours, (rows or SIZE, columns or SIZE))
    del theirs, ours
    gc.collect()
    return found


def _held(theirs: Any, ours: Any, size: tuple[int, int]) -> Held:
    import numpy

    from tests.support.importing import layers_inside

    their_layers = [layer for _, layer in layers_inside(theirs)]
    with_weights = [[layer for layer in layers if layer.weights] for layers in (their_layers, ours.layers)]
    shapes = [[[tuple(weight.shape) for weight in layer.weights] for layer in layers] for layers in with_weights]
    if shapes[0] == shapes[1]:
        _give_weights(*with_weights)
    image = numpy.random.default_rng(0).random((1, *size, 3), "float32") * 255
    wanted, given = (numpy.asarray(model(image)) for model in (theirs, ours))
    difference = numpy.abs(wanted - given).max() if wanted.shape == given.shape else numpy.inf
    return Held(
        parameters=ours.count_params(),
        theirs=theirs.count_params(),
        layers=len(_kinds(their_layers)),
        same_layers=_convolved(their_layers) == _convolved(ours.layers),
        same_weights=shapes[0] == shapes[1],
        same_rates=_rates(their_layers) == _rates(ours.layers),
        difference=float(difference / max(1.0, numpy.abs(wanted).max())),
    )


def _give_weights(theirs: list[Any], ours: list[Any]) -> None:
    """Gives both models the same weights, those of one axis moved from where they begin."""
    import numpy

    random = numpy.random.default_rng(0)
    for one, other in zip(theirs, ours, strict=True):
        values = [
            value + (_SHIFT * random.random(value.shape)).astype(value.dtype) if value.ndim == 1 else value
            for value in one.get_weights()
        ]
        one.set_weights(values)
        other.set_weights(values)


def _kinds(layers: list[Any]) -> list[str]:
    """What kinds of layers there are, inputs left out, and what the catalog has for those of keras.applications."""
    kinds = [kind for layer in layers for kind in SUBSTITUTES.get(type(layer).__name__, (type(layer).__name__,))]
    return [kind for kind in kinds if kind != "InputLayer"]


def _convolved(layers: list[Any]) -> list[str]:
    """The kinds without paddings, which a convolution can do itself."""
    return [kind for kind in _kinds(layers) if kind != "ZeroPadding2D"]


def _rates(layers: list[Any]) -> list[float]:
    return [round(layer.rate, 9) for layer in layers if type(layer).__name__ == "Dropout"]


def main(argv: list[str] | None = None) -> int:
    """Runs the models and prints the table; the exit code is 1 where one is another model than Keras's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks --zoo", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write the table to {PAGE.relative_to(ROOT)}")
    parser.add_argument("models", nargs="*", help="models of the zoo (default: all)")
    options = parser.parse_args(argv)
    # One thread, so that sums come in one order, as in the tests.
    os.environ.update({"TF_NUM_INTEROP_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_ENABLE_ONEDNN_OPTS": "0"})
    rows = [_HEAD, _RULE]
    print("\n".join(rows), flush=True)
    wrong = 0
    for name in options.models or ZOO:
        found = [held(name, top=top) for top in (True, False)]
        wrong += not all(each.good for each in found)
        rows.append(_row(name, *found))
        print(rows[-1], flush=True)
    if options.write:
        write_measured(PAGE, rows)
    return 1 if wrong else 0


_HEAD = "| Model | Lines | Size | Parameters | without the top | MACs | Layers | Difference | without the top |"
_RULE = "|---|--:|--:|--:|--:|--:|--:|--:|--:|"


def _row(name: str, full: Held, bare: Held) -> str:
    path = blueprint_path(f"zoo.{name}")
    assert path is not None
    graph = check(path).graph
    assert graph is not None
    macs = summarize(graph).totals.macs
    cells = [
        f"`zoo.{name}`",
        str(len(path.read_text(encoding="utf-8").splitlines())),
        str(ZOO[name].size),
        f"{full.parameters:,}",
        f"{bare.parameters:,}",
        f"{macs / 1e9:.2f} G",
        f"{full.layers:,}",
        _told(full),
        _told(bare),
    ]
    return f"| {' | '.join(cells)} |"


def _told(found: Held) -> str:
    if not (found.same_layers and found.same_weights and found.same_rates):
        return "other layers"
    return "0" if found.difference == 0 else f"{found.difference:.0e}"


if __name__ == "__main__":
    sys.exit(main())
