"""A flat blueprint lowers to the graph that it was made from, whatever made the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from graphbuilder.api import load, lower, parse
from graphbuilder.blueprint import Document
from graphbuilder.catalog import Entry, TensorType, layers, ops
from graphbuilder.compression.low_rank import factored
from graphbuilder.compression.passes import LowRank
from graphbuilder.compression.targets import Target
from graphbuilder.errors import BlueprintError
from graphbuilder.fusion import strategies
from graphbuilder.graph import Constant, CustomLayer, Graph, Layer, Value, map_structure
from graphbuilder.lowering import Lowered, try_lower
from graphbuilder.lowering.resolved import resolved_blueprint, resolved_text
from graphbuilder.lowering.resolved_proof import first_difference
from graphbuilder.text import read, to_yaml
from tests.docs.pages import PAGES
from tests.fusion.branches import draw_case, joined_cases
from tests.lowering.test_mutants import mutant
from tests.support.standard_blocks import VARIANTS, blueprint_of

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("blueprints/*.yaml"), *ROOT.glob("tests/backend/hard/*.yaml")])
STANDARD = [(block, shapes, params) for block, shapes, variants in VARIANTS for params in variants]
MUTATED = [path for path in FILES if path.stem not in ("resnet50", "two_towers", "visual_question_answering")]
PUBLISHED = [
    block
    for page in PAGES
    for block in page.blocks
    if block.language == "yaml" and block.marker not in ("wrong", "fragment") and "imports:" not in block.text
]


def outline(graph: Graph, names: Mapping[str, str], kept: Mapping[str, str]) -> list[Any]:
    """A graph as nested lists, its nodes under other names; written here once more, apart from the code under test.

    Arguments:
        graph: the graph.
        names: of calls and inputs.
        kept: of layers.
    """
    values = {item.value.name: names[name] for name, item in graph.inputs.items()}
    for call in graph.calls.values():
        for index, value in enumerate(call.outputs):
            values[value.name] = f"{names[call.name]}.{index}" if call.several else names[call.name]

    def leaf(item: Any) -> Any:
        if isinstance(item, Constant):
            return ("constant", repr(item.value), item.dtype, str(item.type))
        return values[item.name]

    def facts(value: Value) -> Any:
        return (values[value.name], value.type, value.masked, value.modalities)

    def applied(target: Any) -> Any:
        if not isinstance(target, Layer):
            return arguments_of(target)
        entry = target.entry
        made = dict(entry.arguments) if isinstance(entry, CustomLayer) else arguments_of(entry)
        return (kept[target.name], target.weights, made)

    found: list[Any] = [graph.inputs_as, graph.about, map_structure(leaf, graph.outputs)]
    found += [(facts(item.value), item.modality, item.about) for item in graph.inputs.values()]
    for call in graph.calls.values():
        given = [(port, map_structure(leaf, argument)) for port, argument in call.arguments.items()]
        gives = [facts(value) for value in call.outputs]
        head = (names[call.name], call.kind, call.several, call.macs, call.about, dict(call.options))
        found.append((head, applied(call.target), given, gives))
    return [*found, [kept[name] for name in graph.layers]]


def arguments_of(entry: Entry) -> str:
    """Every argument, those at their defaults included; as text, in which one NaN is like another."""
    return repr({name: getattr(entry, name) for name in type(entry).model_fields})


def assert_resolves(graph: Graph, warnings: list[str] | None = None) -> str:
    """The flat text of a graph, after it was read again, lowered, compared and resolved once more."""
    text = resolved_text(graph)
    names = resolved_blueprint(graph)
    lowered = try_lower(parse(text))
    again = lowered.graph
    assert again is not None, (text, lowered.diagnostics)
    own = {name: name for name in (*again.inputs, *again.calls)}
    assert outline(graph, names.names, names.layers) == outline(again, own, own)
    assert (again.params, again.fusions, again.compression) == ({}, {}, ())
    assert not any("." in name for name in again.calls)
    if warnings is not None:
        assert warnings_of(lowered) == warnings
    assert resolved_text(again) == text
    return text


def warnings_of(lowered: Lowered) -> list[str]:
    """The codes of the warnings."""
    return [found.code for found in lowered.diagnostics if found not in lowered.errors]


def assert_document_resolves(document: Document) -> None:
    lowered = try_lower(document)
    graph = lowered.graph
    if graph is None:
        assert not document.blueprint.nodes, lowered.errors
        return
    # A node, block or param that nobody uses is gone.
    gone = ("GB306", "GB308", "GB309")
    assert_resolves(graph, [code for code in warnings_of(lowered) if code not in gone])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files(path: Path) -> None:
    assert_document_resolves(load(path))


@pytest.mark.parametrize(("block", "shapes", "params"), STANDARD, ids=[f"{one}({more})" for one, _, more in STANDARD])
def test_standard_blocks(block: str, shapes: list[str], params: str) -> None:
    assert_document_resolves(parse(blueprint_of(block, shapes, params)))


@pytest.mark.parametrize("block", PUBLISHED, ids=lambda block: block.place)
def test_what_the_documentation_shows(block: Any) -> None:
    assert_document_resolves(parse(block.text))


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """A blueprint for each example of the catalog."""
    for table, key in ((layers, "layer"), (ops, "op")):
        for name in table.names():
            kind = table.get(name)
            assert kind is not None
            for number, example in enumerate(kind.examples):
                inputs: dict[str, Any] = {}
                source: dict[str, Any] = {}
                for port, given in zip(kind.ports, example.inputs, strict=False):
                    tensors = given if isinstance(given, tuple) else (given,)
                    taken = [taken_from(tensor, f"{port.name}_{index}", inputs) for index, tensor in enumerate(tensors)]
                    source[port.name] = taken if isinstance(given, tuple) else taken[0]
                arguments = {"wraps" if one == "layer" else one: value for one, value in example.arguments.items()}
                node = {key: name, "from": source, **arguments, **({"call": example.call} if example.call else {})}
                yield f"{name}-{number}", {"blueprint": 1, "inputs": inputs, "nodes": {"made": node}}


def taken_from(tensor: TensorType, name: str, inputs: dict[str, Any]) -> Any:
    """What stands under `from` for a tensor of an example: an input, which is added, or a constant."""
    if tensor.dtype in ("int", "float"):
        return {"int": 2, "float": 2.5}[tensor.dtype]
    if tensor.shape[:1] != ("batch",):
        sizes = [axis for axis in tensor.shape if isinstance(axis, int)]
        return {"constant": np.ones(sizes, tensor.dtype).tolist(), "dtype": tensor.dtype}
    inputs[name] = {"shape": list(tensor.shape[1:]), "dtype": tensor.dtype}
    return name


def with_all_outputs(data: dict[str, Any]) -> dict[str, Any]:
    """The blueprint with a list of all outputs of its node where it has several."""
    told = [found.hint or "" for found in try_lower(parse(to_yaml({**data, "outputs": "made"}))).errors]
    return {**data, "outputs": told[0].removeprefix("say which: ").split(", ") if told else "made"}


EXAMPLES = dict(examples())


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_layer_and_op(name: str) -> None:
    document = parse(to_yaml(with_all_outputs(EXAMPLES[name])))
    assert try_lower(document).graph is not None, try_lower(document).diagnostics
    assert_document_resolves(document)


@pytest.mark.parametrize("strategy", strategies.names())
def test_fusions(strategy: str) -> None:
    random = Random(7)
    tried = 0
    for number in range(8):
        inputs, nodes = joined_cases([draw_case(random, strategy, f"f{number}")])
        lowered = try_lower(parse(to_yaml({"blueprint": 1, "inputs": inputs, "nodes": nodes})))
        if lowered.graph is not None:
            tried += 1
            assert_resolves(lowered.graph, warnings_of(lowered))
    assert tried >= 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_graphs_whose_layers_were_replaced_by_two(path: Path) -> None:
    graph = lower(path)
    random = np.random.default_rng(0)
    targets: list[Target] = []
    weights: dict[tuple[str, str], Any] = {}
    for name, layer in graph.layers.items():
        sizes = {weight.name: weight.shape for weight in layer.weights or ()}
        kernel = {"Embedding": "embeddings"}.get(layer.kind, "kernel")
        # A constraint would hold the factors and not their product, so that such a layer is refused.
        free = getattr(layer.entry, f"{kernel}_constraint", None) is None
        if free and layer.kind in ("Dense", "Embedding", "Conv1D", "Conv2D") and np.prod(sizes[kernel]) < 1e5:
            targets.append(Target(name, LowRank(rank=2), (kernel,)))
            weights |= {(name, one): random.normal(size=shape).astype("float32") for one, shape in sizes.items()}
    made = factored(graph, targets, weights).graph
    assert len(made.layers) == len(graph.layers) + len(targets)
    text = assert_resolves(made)
    assert text.count("_basis: {layer") + text.count("_basis:\n    layer") == len(targets)


NODES = """
blueprint: 1
name: one
description: "costs $5"
inputs:
  x: {shape: [4], about: "in $"}
  ids: {shape: [steps], dtype: int32}
inputs_as: list
blocks:
  pair:
    inputs: [x]
    nodes:
      first: {layer: Dense, units: 4, about: "the $ first"}
      second: {layer: "my.package:Pair", args: {price: $$5, how: {about: $5, deep: [$$]}}, gives: [{shape: [4]},
        {shape: [k, null], dtype: int32}]}
    outputs: {a: second.0, b: second.1}
nodes:
  pair: {block: pair, from: x}
  pair_first: {layer: Dense, from: x, units: 3}
  more: {reuse: pair, from: pair.a}
  loose: {layer: "my.package:Any", from: {q: [x, {k: [pair.b, 2.5]}], mask: {constant: [true, false]}}, call: {how: $$}}
  unseen: {reuse: loose, from: []}
  joined: {layer: "my.package:Join", from: [more.a, [more.b, loose], unseen, pair_first]}
  words: {layer: Embedding, from: ids, input_dim: 9, output_dim: 4, mask_zero: true}
  read: {layer: LSTM, from: {sequences: words, initial_state: [x, more.a]}, units: 4, return_state: true}
  one: {op: split, from: read.1, indices_or_sections: 1, axis: 1}
outputs: {joined: joined, read: read.2, given: ids, one: one}
training: {loss: {joined: mse, read: null}, metrics: {joined: ["$$x"]}, about: "$ for people"}
"""


def test_custom_layers_dollars_and_several_outputs() -> None:
    text = assert_resolves(lower(parse(NODES)), [])
    assert "price: $$5" in text
    assert "about: $5" in text
    assert 'metrics: {joined: ["$$x"]}' in text or "metrics: {joined: [$$x]}" in text
    assert "more_second: {reuse: pair_second, from: more_first}" in text
    assert "  pair_first: {layer: Dense, from: x, units: 3}" in text


def test_names_of_the_author_stay_and_others_make_room() -> None:
    text = (
        "blueprint: 1\ninputs:\n  a_d: {shape: [4]}\nblocks:\n  b:\n    inputs: [x]\n"
        "    nodes: {d: {layer: Dense, units: 4}, e_d: {layer: Dense, units: 4}}\n"
        "nodes:\n  a: {block: b, from: a_d}\n  c: {block: b, repeat: 2}\n"
        "  a_d_2: {layer: Dense, units: 4}\n  c_0_d: {layer: Dense, units: 4}\n"
    )
    graph = lower(parse(text))
    resolved = resolved_blueprint(graph)
    assert resolved.names == {
        "a_d": "a_d",
        "a.d": "a_d_3",
        "a.e_d": "a_e_d",
        "c.0.d": "c_0_d_2",
        "c.0.e_d": "c_0_e_d",
        "c.1.d": "c_1_d",
        "c.1.e_d": "c_1_e_d",
        "a_d_2": "a_d_2",
        "c_0_d": "c_0_d",
    }
    assert dict(resolved.layers) == {path: name for path, name in resolved.names.items() if path != "a_d"}
    assert_resolves(graph)


def test_a_layer_keeps_its_name_when_the_call_that_made_it_is_gone() -> None:
    graph = lower(parse("blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  made: {layer: Dense, units: 4}\n"
                        "  used: {reuse: made, from: x}\n  again: {reuse: made}\n"))  # fmt: skip
    resolved = resolved_blueprint(graph)
    assert resolved.names == {"x": "x", "used": "made", "again": "again"}
    assert resolved.layers == {"made": "made"}
    assert resolved.data["nodes"]["again"] == {"reuse": "made", "from": "made"}
    assert_resolves(graph)


LISTED = """
blueprint: 1
inputs: {x: {shape: [4]}}
nodes:
  a: {block: std.mlp, units: 3, layers: 2, hidden: 2}
  b: {layer: Dense, from: x, units: 1}
  c: {layer: LSTM, from: {sequences: s}, units: 2, return_state: true}
  s: {layer: RepeatVector, from: x, n: 5}
outputs: [a.output, b, c.1]
training:
  loss: {a.output: mse, b: {huber: {delta: 0.5}}, c.1: mae}
  metrics: {a.output: [mae], c.1: [mse]}
"""


def test_losses_are_told_by_the_new_names_of_outputs() -> None:
    graph = lower(parse(LISTED))
    data = resolved_blueprint(graph).data
    assert data["outputs"] == ["a_output", "b", "c.1"]
    assert data["training"]["loss"] == {"a_output": "mse", "b": {"huber": {"delta": 0.5}}, "c.1": "mae"}
    assert data["training"]["metrics"] == {"a_output": ["mae"], "c.1": ["mse"]}
    assert_resolves(graph)


def test_a_single_loss_with_options_is_no_output() -> None:
    text = "blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes: {a: {layer: Dense, units: 1}}\n"
    graph = lower(parse(text + "training: {loss: {huber: {delta: 0.5}}, optimizer: {adam: {learning_rate: 1e-3}}}\n"))
    assert resolved_blueprint(graph).data["training"] == graph.training
    assert_resolves(graph)


def test_passes_and_budgets_are_those_that_are_given() -> None:
    graph = lower(ROOT / "blueprints" / "digits_cnn.yaml")
    assert "compression" not in resolved_blueprint(graph).data
    text = resolved_text(graph, compression=[{"pass": "prune", "sparsity": 0.5, "about": "$1"}], comment="From digits.")
    assert text.startswith("# From digits.\nblueprint: 1\nname: digits_cnn\n")
    (declared,) = lower(parse(text)).compression
    assert declared.options == {"pass": "prune", "sparsity": 0.5, "about": "$1"}
    budget = lower(parse(resolved_text(graph, budget={"gzip_ratio": 14.0, "about": "$1"}))).budget
    assert budget is not None
    assert budget.bounds == {"gzip_ratio": 14.0, "about": "$1"}


def test_nodes_stand_on_a_line_and_sections_apart() -> None:
    text = resolved_text(lower(ROOT / "blueprints" / "image_text.yaml"))
    assert max(map(len, text.splitlines())) <= 110
    assert text == (ROOT / "tests" / "lowering" / "resolved_image_text.yaml").read_text(encoding="utf-8")


def test_what_align_states_is_all_that_a_flat_blueprint_cannot_say() -> None:
    text = (
        "blueprint: 1\ninputs:\n  text: {shape: [64], dtype: int32, modality: text}\n  other: {shape: [8]}\n"
        "nodes:\n  sum: {fuse: concat, from: [text, other], align: {text: cast}}\n  out: {layer: Dense, units: 4}\n"
    )
    lowered = try_lower(parse(text))
    assert lowered.graph is not None
    assert warnings_of(lowered) == []
    assert_resolves(lowered.graph, ["GB311"])


def test_names_that_the_format_does_not_have() -> None:
    """As graphs have them that come from elsewhere."""
    graph = lower(parse("blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  a: {layer: Dense, units: 4}\n"
                        "  b: {reuse: a, from: a}\noutputs: [b]\n"))  # fmt: skip
    first, second = graph.calls.values()
    assert isinstance(first.target, Layer)
    layer = replace(first.target, name="3rd/dense")
    value = replace(first.outputs[0], name="dense:0")
    last = replace(second.outputs[0], name="dense:1")
    calls = [
        replace(first, name="call one", target=layer, outputs=(value,)),
        replace(second, name="3rd/dense", target=layer, outputs=(last,), arguments={"inputs": value}),
    ]
    strange = replace(
        graph,
        name="my model",
        layers={layer.name: layer},
        calls={call.name: call for call in calls},
        outputs=(last,),
    )
    resolved = resolved_blueprint(strange)
    assert resolved.data["name"] == "my_model"
    assert resolved.data["nodes"] == {
        "x3rd_dense": {"layer": "Dense", "from": "x", "units": 4},
        "x3rd_dense_2": {"reuse": "x3rd_dense", "from": "x3rd_dense"},
    }
    assert_resolves(strange)


CUSTOM = """
blueprint: 1
inputs: {x: {shape: [4]}}
nodes:
  one: {layer: "my.package:Any", from: {q: x, k: x}, gives: {shape: [3]}}
  two: {reuse: one, from: {q: x, k: x}}
outputs: [one, two]
"""


def changed(graph: Graph, **changes: Any) -> Graph:
    """A graph with some things of its last call changed."""
    *_, name = graph.calls
    return replace(graph, calls={**graph.calls, name: replace(graph.calls[name], **changes)})


def given_otherwise(graph: Graph) -> Graph:
    value = graph.calls["two"].outputs[0]
    other = replace(value, type=TensorType(("batch", 7)))
    return changed(replace(graph, outputs=(other,)), outputs=(other,))


UNWRITABLE = [
    (given_otherwise, "GB310", "two", "one gives something else here than at its first call"),
    (
        lambda graph: changed(graph, arguments={"constant": graph.inputs["x"].value}),
        "GB303",
        "two",
        "it has an argument constant, which under `from` means an array",
    ),
    (
        lambda graph: changed(graph, options={"how": 600 * "$"}),
        "GB208",
        "two",
        "it holds a string with a dollar sign that would be 1,200 characters long",
    ),
    (lambda graph: changed(graph, options={"how": {1, 2}}), "GB204", "two", "it holds a set, which is no plain data"),
    (
        lambda graph: replace(graph, outputs={"a": (graph.calls["one"].outputs[0],)}),
        "GB204",
        None,
        "the outputs are nested, and a blueprint names each in one list or mapping",
    ),
]


@pytest.mark.parametrize(("change", "code", "node", "message"), UNWRITABLE, ids=[case[1] for case in UNWRITABLE])
def test_what_cannot_be_said_is_told_at_its_node(change: Any, code: str, node: str | None, message: str) -> None:
    with pytest.raises(BlueprintError) as caught:
        resolved_blueprint(change(lower(parse(CUSTOM, name="custom.yaml"))))
    (found,) = caught.value.diagnostics
    assert (found.code, found.node, found.message) == (code, node, message)
    if node is not None:
        assert found.place == "custom.yaml:6:3"


def test_what_cannot_be_lowered_again_is_told_at_its_node() -> None:
    """A graph from elsewhere may hold a call that a blueprint refuses."""
    graph = lower(parse("blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  p.q: &a {layer: Dense, units: 4}\n"
                        .replace("p.q: &a", "p:"), name="p.yaml"))  # fmt: skip
    call = graph.calls["p"]
    constant = Constant([[1.0, 2.0, 3.0, 4.0]], "float32", TensorType((1, 4)))
    with pytest.raises(BlueprintError) as caught:
        resolved_text(changed(graph, arguments={"inputs": constant}))
    (found,) = caught.value.diagnostics
    assert (found.code, found.node, found.place) == ("GB303", "p", "p.yaml:4:3")
    assert call.arguments != {"inputs": constant}


def test_the_proof_sees_what_differs() -> None:
    graph = lower(parse(NODES))
    assert first_difference(graph, lower(parse(resolved_text(graph)))) is None
    call = graph.calls["one"]
    layer = graph.layers["words"]
    value = call.outputs[0]
    entry = layer.entry
    assert not isinstance(entry, CustomLayer)
    thinner = replace(layer, entry=entry.model_copy(update={"input_dim": 8}))
    others: list[tuple[str, Graph]] = [
        ("cost", changed(graph, macs=1)),
        ("about", changed(graph, about="new")),
        ("list of outputs", changed(graph, several=False)),
        ("mask", changed(graph, outputs=(replace(value, masked=True),))),
        ("type", changed(graph, outputs=(replace(value, type=None),))),
        ("stands at x", changed(graph, arguments={"x": graph.inputs["x"].value})),
        ("ports", changed(graph, arguments={"y": call.arguments["x"]})),
        ("call", changed(graph, options={"a": True})),
        ("kind", changed(graph, target=layer)),
        ("outputs", replace(graph, outputs=value)),
        ("outputs", replace(graph, outputs={**graph.outputs, "one": graph.inputs["x"].value})),  # type: ignore[dict-item]
        ("number of calls", replace(graph, calls=dict(list(graph.calls.items())[:-1]))),
        ("inputs_as", replace(graph, inputs_as="mapping")),
        ("name", replace(graph, name="two")),
        ("description", replace(graph, about=None)),
        ("training", replace(graph, training=None)),
        ("arguments", with_layer(graph, thinner)),
        ("weights", with_layer(graph, replace(layer, weights=()))),
        ("shared", with_layer(graph, replace(graph.layers["pair.first"], name="more.first"), "more.first")),
    ]
    for what, other in others:
        found = first_difference(graph, other)
        assert found is not None, what
        assert what in found, (what, found)


def with_layer(graph: Graph, layer: Layer, call: str = "words") -> Graph:
    """A graph in which a call applies another layer."""
    return replace(graph, calls={**graph.calls, call: replace(graph.calls[call], target=layer)})


@pytest.mark.parametrize("seed", range(4))
def test_mutants(seed: int) -> None:
    """Whatever is still a graph after one thing was changed at random."""
    choose = Random(seed)
    tried = 0
    for _ in range(200):
        text = to_yaml(mutant(read(choose.choice(MUTATED)).data, choose))
        try:
            document = parse(text)
        except BlueprintError:
            continue
        lowered = try_lower(document)
        if lowered.graph is not None:
            tried += 1
            assert_resolves(lowered.graph)
    assert tried >= 15


@pytest.mark.slow
@pytest.mark.parametrize("name", ["siamese", "image_tabular", "rnn"])
def test_weights_of_the_one_model_load_in_the_other(name: str, tmp_path: Path) -> None:
    import keras

    from graphbuilder.api import compile, save
    from tests.support.inputs import some_input

    graph = lower(ROOT / "blueprints" / f"{name}.yaml")
    names = resolved_blueprint(graph)
    model, flat = compile(graph), compile(parse(resolved_text(graph)))
    assert [layer.name for layer in flat.layers if layer.weights] == [
        names.layers[layer.name] for layer in model.layers if layer.weights
    ]
    random = np.random.default_rng(1)
    # Variances must be positive, and sums small enough for a sigmoid to tell apart.
    model.set_weights([random.uniform(0, 0.1, weight.shape) for weight in model.get_weights()])
    given = some_input(graph)
    before = keras.tree.flatten(flat(given))[0]
    assert np.abs(np.asarray(model(given)) - before).max() > 1e-3
    save(model, tmp_path / "model.weights.h5")
    flat.load_weights(tmp_path / "model.weights.h5")
    for mine, theirs in zip(keras.tree.flatten(model(given)), keras.tree.flatten(flat(given)), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)
