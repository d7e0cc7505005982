"""The exported code builds the very model: layer by layer, weight by weight, number by number."""

from __future__ import annotations

import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow
from keras.src.utils import naming

from graphbuilder.api import load, lower, parse
from graphbuilder.backend.build import build
from graphbuilder.backend.frameworks import deep_recursion
from graphbuilder.backend.legacy_code import legacy_code
from graphbuilder.blueprint import Document
from graphbuilder.catalog import BATCH, Entry, LayerEntry, TensorType, layers, ops
from graphbuilder.errors import BlueprintError
from graphbuilder.export import export_python, python_source
from graphbuilder.export.expressions import Calling, Code, written
from graphbuilder.graph import Graph
from graphbuilder.text import to_yaml
from tests.catalog.cases import WEAK, Case, example_cases
from tests.support.inputs import some_input

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "blueprints").glob("*.yaml"))
HARD = sorted((ROOT / "tests" / "backend" / "hard").glob("*.yaml"))
CUSTOM = "tests.support.custom_layers"
# Code is for people to read.
WIDEST = 120


def ran(source: str, folder: Path) -> Any:
    # What Keras names by itself is numbered through the whole process.
    naming.reset_uids()
    path = folder / "model.py"
    path.write_text(source)
    return runpy.run_path(str(path))["build_model"]()


def given_to(graph: Graph) -> Any:
    """Numbers, and words where those are asked for."""
    wanted = {name: given.value.type for name, given in graph.inputs.items()}
    words = {name: kind for name, kind in wanted.items() if kind is not None and kind.dtype == "string"}
    if not words:
        return some_input(graph)
    others = {name: given for name, given in graph.inputs.items() if name not in words}
    found = some_input(replace(graph, inputs=others, inputs_as="mapping"))
    for name, kind in words.items():
        found[name] = tensorflow.fill((2, *(size if isinstance(size, int) else 5 for size in kind.shape[1:])), "word")
    return {name: tensorflow.convert_to_tensor(found[name]) for name in wanted}


def parts(model: Any) -> list[tuple[str, str, Any]]:
    """The layers and ops of a model by their names, with what they are configured to do."""
    return [
        (
            operation.name,
            type(operation).__name__,
            operation.get_config() if isinstance(operation, keras.Layer) else None,
        )
        for operation in model.operations
    ]


def assert_same_model(
    graph: Graph, folder: Path, trust: tuple[str, ...] = (), document: Document | None = None
) -> None:
    naming.reset_uids()
    mine = build(graph, compiled=False, trust=trust)
    source = python_source(graph, document)
    theirs = ran(source, folder)
    assert parts(theirs) == parts(mine)
    assert theirs.name == mine.name
    assert [weight.path for weight in theirs.weights] == [weight.path for weight in mine.weights]
    assert [weight.trainable for weight in theirs.weights] == [weight.trainable for weight in mine.weights]
    theirs.set_weights(mine.get_weights())
    given = given_to(graph)
    with deep_recursion(len(graph.calls)):
        expected, found = mine(given), theirs(given)
    assert theirs.output_names == mine.output_names
    keras.tree.assert_same_structure(found, expected)
    for one, other in zip(keras.tree.flatten(found), keras.tree.flatten(expected), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert max(map(len, source.splitlines())) <= WIDEST


@pytest.mark.parametrize("path", [*SHIPPED, *HARD], ids=lambda path: path.stem)
def test_every_blueprint_becomes_the_same_model(path: Path, tmp_path: Path) -> None:
    assert_same_model(lower(path), tmp_path)


@pytest.mark.parametrize("path", [*SHIPPED, *HARD], ids=lambda path: path.stem)
def test_with_its_blocks_too_it_becomes_the_same_model(path: Path, tmp_path: Path) -> None:
    document = load(path)
    assert_same_model(lower(document), tmp_path, document=document)


def graph_of(nodes: str, extra: str = "", about: str = "") -> Graph:
    return lower(parse(f"blueprint: 1\nname: m\n{about}inputs:\n  x: {{shape: [4]}}\nnodes:\n{nodes}\n{extra}"))


def test_custom_layers_are_imported(tmp_path: Path) -> None:
    nodes = (
        f"  s: {{layer: '{CUSTOM}:Scale', args: {{start: 3.0}}, call: {{twice: true}}, gives: {{shape: [4]}}}}\n"
        f"  t: {{layer: '{CUSTOM}:Twice', from: {{pair: [s, x]}}, gives: [{{shape: [4]}}, {{shape: [4]}}]}}\n"
        "  d: {layer: Dense, units: 2, from: t.1}"
    )
    graph = graph_of(nodes)
    assert f"from {CUSTOM} import Scale, Twice" in python_source(graph).replace(
        f"\nfrom {CUSTOM} import Twice", ", Twice"
    )
    assert_same_model(graph, tmp_path, (CUSTOM,))


def test_classes_of_one_name_do_not_meet() -> None:
    nodes = "  a: {layer: 'one.own:Gate', gives: {shape: [4]}}\n  b: {layer: 'two.own:Gate', gives: {shape: [4]}}\n"
    source = python_source(graph_of(nodes))
    assert "from one.own import Gate\nfrom two.own import Gate as Gate_2\n" in source
    assert 'b = Gate_2(name="b")(a)' in source


def test_names_that_python_has_already_are_others_in_the_code_only(tmp_path: Path) -> None:
    names = ["class", "keras", "layers", "ops", "print", "named", "build_model", "np", "_hidden", "input", "sys"]
    graph = graph_of("\n".join(f"  {name}: {{layer: Dense, units: 4}}" for name in names))
    assert_same_model(graph, tmp_path)


@pytest.mark.parametrize(
    "said",
    [
        'a "quoted" text',
        '""" ; import os; os.abort() ; """',
        "ends with a backslash \\\\",
        "two\\nlines\\r\\n# three",
        "\\u2028import os\\u2029os.abort()",
        "\\x0cimport os; os.abort()",
        "x " * 400,
    ],
)
def test_what_the_author_says_never_becomes_code(said: str, tmp_path: Path) -> None:
    quoted = '"' + said.replace('"', '\\"') + '"'
    graph = graph_of(f"  d: {{layer: Dense, units: 2, about: {quoted}}}", about=f"about: {quoted}\n")
    assert graph.about
    assert_same_model(graph, tmp_path)


def test_a_deep_model_is_built_too(tmp_path: Path) -> None:
    graph = graph_of("\n".join(f"  a{number}: {{layer: Activation, activation: relu}}" for number in range(1200)))
    source = python_source(graph)
    assert "sys.setrecursionlimit(" in source
    path = tmp_path / "deep.py"
    path.write_text(source)
    program = f"import runpy; print(len(runpy.run_path({str(path)!r})['build_model']().layers))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1201"]


def test_the_code_runs_by_itself_and_without_graphbuilder(tmp_path: Path) -> None:
    path = tmp_path / "siamese.py"
    path.write_text(python_source(lower(ROOT / "blueprints" / "siamese.yaml")))
    program = (
        "import runpy, sys\n"
        "sys.modules['graphbuilder'] = None\n"
        f"model = runpy.run_path({str(path)!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert 'Model: "siamese"' in done.stdout


def test_the_code_is_the_same_each_time() -> None:
    path = ROOT / "blueprints" / "visual_question_answering.yaml"
    assert python_source(lower(path)) == python_source(lower(path))


def blueprint_of(case: Case) -> str:
    """A blueprint with one node."""
    inputs: dict[str, Any] = {}

    def leaf(kind: TensorType) -> Any:
        if not kind.shape and kind.dtype in WEAK:
            return 2 if kind.dtype == "int" else 0.5
        if kind.shape[:1] != (BATCH,):
            return {"constant": np.ones([int(size or 1) for size in kind.shape]).tolist(), "dtype": kind.dtype}
        name = f"in_{len(inputs)}"
        shape = [size if isinstance(size, int) else None for size in kind.shape[1:]]
        inputs[name] = {"shape": shape, "dtype": kind.dtype}
        return name

    given = {
        port: leaf(found) if isinstance(found, TensorType) else [leaf(item) for item in found]
        for port, found in case.inputs.items()
    }
    key = "layer" if issubclass(case.kind, LayerEntry) else "op"
    arguments = dict(case.arguments)
    if "layer" in arguments:
        arguments["wraps"] = arguments.pop("layer")
    count = case.kind.model_validate(case.arguments).output_count(case.call)
    node = {key: case.kind.name(), **arguments, "from": given, **({"call": dict(case.call)} if case.call else {})}
    outputs = "node" if count is None else [f"node.{number}" for number in range(count)]
    return to_yaml({"blueprint": 1, "name": "m", "inputs": inputs, "nodes": {"node": node}, "outputs": outputs})


KINDS: list[type[Entry]] = [kind for table in (layers, ops) for name in table.names() if (kind := table.get(name))]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name())
def test_every_layer_and_op_is_written_so_that_it_is_the_same(kind: type[Entry], tmp_path: Path) -> None:
    for case in example_cases(kind):
        graph = lower(parse(blueprint_of(case)))
        naming.reset_uids()
        mine = build(graph, compiled=False)
        theirs = ran(python_source(graph), tmp_path)
        assert parts(theirs) == parts(mine), case
        assert [weight.path for weight in theirs.weights] == [weight.path for weight in mine.weights], case
        assert [str(tensor.shape) for tensor in keras.tree.flatten(theirs.outputs)] == [
            str(tensor.shape) for tensor in keras.tree.flatten(mine.outputs)
        ], case


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name())
def test_every_layer_and_op_is_written_for_tf_keras_so_that_it_is_the_same(kind: type[Entry], tmp_path: Path) -> None:
    import tf_keras

    for case in example_cases(kind):
        graph = lower(parse(blueprint_of(case)))
        tf_keras.backend.clear_session()
        try:
            mine = build(graph, keras=2, compiled=False)
        except BlueprintError:
            with pytest.raises(BlueprintError, match="GB502"):
                export_python(graph, keras=2, legacy=legacy_code(None))
            continue
        source = export_python(graph, keras=2, legacy=legacy_code(mine)).source
        tf_keras.backend.clear_session()
        path = tmp_path / "model.py"
        path.write_text(source)
        theirs = runpy.run_path(str(path))["build_model"]()
        assert repr(theirs.get_config()) == repr(mine.get_config()), case


def test_what_tf_keras_lacks_is_refused_at_its_node() -> None:
    graph = graph_of("  a: {op: relu}\n  d: {layer: Dense, units: 2, lora_rank: 2}")
    with pytest.raises(BlueprintError) as caught:
        python_source(graph, keras=2)
    assert [(found.code, found.node) for found in caught.value.diagnostics] == [("GB502", "a"), ("GB502", "d")]


def test_long_expressions_are_broken_into_lines() -> None:
    call = Calling("f", (Code("x"), [[1.0, float("inf")] * 20]), {"a": {"b": "c" * 60, "not a name": None}, "if": (1,)})
    text = written(call)
    assert max(map(len, text.splitlines())) <= 88
    seen: list[Any] = []

    def f(*positional: Any, **keywords: Any) -> None:
        seen.append((positional, keywords))

    keys = {"f": f, "x": "the x"}
    assert eval(text, keys) is None  # noqa: S307 - the text is ours
    assert seen == [(("the x", [[1.0, float("inf")] * 20]), {"a": {"b": "c" * 60, "not a name": None}, "if": (1,)})]
