"""Which fusions fit, and what each would add."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from graphbuilder.blueprint import load, parse_blueprint
from graphbuilder.catalog import TensorType
from graphbuilder.catalog.arguments import argument
from graphbuilder.editing import fitting as fitting_module
from graphbuilder.editing import fusions_that_fit, judge, merge
from graphbuilder.errors import CommandError
from graphbuilder.fusion import strategies
from graphbuilder.fusion.concat import Concat
from graphbuilder.graph import flatten
from graphbuilder.lowering import lower

TEXT = """\
blueprint: 1
params: {units: 4}
inputs:
  image: {shape: [8, 8, 3], modality: image}
  text: {shape: [5], dtype: int32, modality: text}
nodes:
  map: {layer: Conv2D, from: image, filters: $units, kernel_size: 3}
  words: {layer: Embedding, from: text, input_dim: 10, output_dim: 4}
  code: {layer: GlobalAveragePooling1D}
  answer: {layer: Dense, units: 1}
"""


def test_each_that_fits_says_what_it_gives_and_adds() -> None:
    document = parse_blueprint(TEXT)
    found = {each.strategy: each for each in fusions_that_fit(document, ["map", "code"])}
    assert found["concat"].gives == TensorType(("batch", 8))
    assert found["concat"].about == "The branches side by side along one axis."
    assert (found["concat"].parameters, found["concat"].macs) == (0, 0)
    assert [(each.call, each.written) for each in found["concat"].adapters] == [("merged.map.pool", "pool")]
    assert found["concat"].adapters[0].reason
    with_params = fusions_that_fit(document, ["map", "code"], {"units": 6})
    assert with_params[0].gives == TensorType(("batch", 10))


@pytest.mark.parametrize("branches", [["map", "code"], ["code", "map"], ["map", "words", "code"], ["words", "image"]])
def test_what_is_said_is_what_a_merge_gives(branches: list[str]) -> None:
    document = parse_blueprint(TEXT)
    judged = judge(document, branches)
    names = [each.strategy for each in judged.fitting] + [each.strategy for each in judged.unfit]
    assert judged.fitting
    assert sorted(names) == sorted(strategies.names())
    whole = TEXT + f"outputs: [answer, {branches[0]}, {branches[1]}, {branches[-1]}]\n"
    before = lower(parse_blueprint(whole))
    for found in judged.fitting:
        edited = merge(document, branches, found.strategy, into=[])
        text = edited.text.replace("outputs: answer\n", "")
        after = lower(parse_blueprint(text + f"outputs: [answer, {', '.join(branches)}, merged]\n"))
        *_, merged = flatten(after.outputs)
        assert merged.type == found.gives, found.strategy
        assert before.parameters is not None
        assert after.parameters is not None
        assert found.parameters == after.parameters - before.parameters, found.strategy


def test_a_fusion_that_needs_an_option_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Needy(Concat):
        """Needs to be told how wide."""

        width: int = argument("how wide it becomes")

    class Table:
        def names(self) -> list[str]:
            return ["needy", "concat"]

        def get(self, name: str) -> type[Concat]:
            return Needy if name == "needy" else Concat

    monkeypatch.setattr(fitting_module, "strategies", Table())
    judged = judge(parse_blueprint(TEXT), ["map", "code"])
    assert [each.strategy for each in judged.fitting] == ["concat"]
    assert [(each.strategy, each.reason, each.needs) for each in judged.unfit] == [
        ("needy", "needs width (how wide it becomes)", ("width",))
    ]


def test_one_that_does_not_fit_says_why() -> None:
    text = TEXT.replace("outputs", "").replace("dtype: int32", "dtype: string").split("  words")[0]
    judged = judge(parse_blueprint(text), ["map", "text"])
    assert judged.fitting == ()
    assert all(each.reason for each in judged.unfit)


def test_branches_are_checked_as_for_a_merge() -> None:
    with pytest.raises(CommandError, match="did you mean code"):
        fusions_that_fit(parse_blueprint(TEXT), ["map", "codes"])


def test_inputs_alone_can_be_judged() -> None:
    text = "blueprint: 1\ninputs:\n  x: {shape: [4]}\n  z: {shape: [4]}\nnodes:\n  d: {layer: Add, from: [x, z]}\n"
    assert fusions_that_fit(parse_blueprint(text), ["x", "z"])[0].gives == TensorType(("batch", 8))


def test_a_large_blueprint_is_judged_within_a_second(root: Path) -> None:
    document = load(root / "blueprints" / "resnet50.yaml")
    started = time.process_time()
    judged = judge(document, ["conv5", "conv4"])
    assert judged.fitting
    assert time.process_time() - started < 2  # measured: 0.3 s
