"""What a worker does for an export: it builds the model, converts it or runs exported code, and compares."""

from __future__ import annotations

import contextlib
import runpy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from graphbuilder.backend.build import build, is_trusted
from graphbuilder.backend.converting_names import names_of_graph
from graphbuilder.backend.exporting_order import settle
from graphbuilder.backend.frameworks import KerasVersion, deep_recursion, framework
from graphbuilder.backend.parity import compare, named_outputs, random_inputs, sizes_to_try
from graphbuilder.backend.pretraining import begin_with, first_weights
from graphbuilder.backend.saving import load_weights
from graphbuilder.backend.weights import copy_weights
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.blueprint import load
from graphbuilder.errors import BlueprintError, Diagnostic, MissingError
from graphbuilder.graph import Graph
from graphbuilder.lowering import lower

__all__ = ["code_task", "legacy_code_task", "onnx_task", "tflite_task"]

Report = Callable[[Progress], None]
# The operators that ONNX is written with: those that every runtime of the last years has.
_OPSET = 18


def code_task(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """The task `export.code`: exported code is run, and its model held against the compiled one.

    Arguments:
        arguments: what `ExportRequest.to_json` gives, and `code`: the file.
        report: told of each step.
    """
    version = arguments["keras"]
    graph, mine = _built(arguments, report, version)
    keras = framework(version).keras
    _stir(mine)
    # What Keras names by itself is numbered through the whole process.
    keras.backend.clear_session()
    report(Progress("running the code"))
    name = arguments["name"]
    try:
        with deep_recursion(len(graph.calls)):
            theirs = runpy.run_path(arguments["code"])["build_model"]()
    except Exception as error:
        # The code is of our making, and whatever it raises is its fault.
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:400]
        raise BlueprintError(Diagnostic("GB813", f"{name} cannot be run: {reason}")) from error
    (_same_legacy_structure if version == 2 else _same_structure)(mine, theirs, name, keras)
    theirs.set_weights(mine.get_weights())
    names = names_of_graph(graph).outputs
    given, expected = _computed(graph, mine)
    with deep_recursion(len(graph.calls)):
        found = named_outputs(names, theirs(_arranged(graph, given)))
    return asdict(compare(expected, found, "python", name))


def legacy_code_task(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """The task `export.write_legacy_code`: the code for tf_keras, which needs to know how ops are said to it.

    Arguments:
        arguments: what `ExportRequest.to_json` gives.
        report: told of each step.
    """
    from graphbuilder.backend.legacy_code import legacy_code
    from graphbuilder.export import export_python

    report(Progress("importing TensorFlow"))
    framework(2)
    document = load(Path(arguments["blueprint"]))
    graph = lower(document, arguments["params"])
    twin = None
    if all(is_trusted(layer, arguments["trust"]) for layer in graph.layers.values()):
        report(Progress("building the twin"))
        twin = build(graph, keras=2, trust=arguments["trust"], compiled=False)
    report(Progress("writing the code"))
    return asdict(export_python(graph, document, keras=2, legacy=legacy_code(twin)))


def onnx_task(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """The task `export.onnx`.

    Arguments:
        arguments: what `ExportRequest.to_json` gives, `output`: the file, and `verify`.
        report: told of each step.
    """
    _needed("onnx", "tf2onnx", *(["onnxruntime"] if arguments["verify"] else []))
    graph, model = _built(arguments, report, begun=True)
    report(Progress("converting to ONNX"))
    with deep_recursion(len(graph.calls)):
        content = _onnx(graph, model)
    Path(arguments["output"]).write_bytes(content)
    if not arguments["verify"]:
        return {}
    report(Progress("running the ONNX model beside the compiled one"))
    given, expected = _computed(graph, model)
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        wanted = {end.name for end in session.get_inputs()}
        outputs = [end.name for end in session.get_outputs()]
        produced = session.run(outputs, {name: array for name, array in given.items() if name in wanted})
    except Exception as error:
        # Its errors have no common base but Exception.
        raise _refused("ONNX Runtime refuses the model", error) from error
    return asdict(compare(expected, dict(zip(outputs, produced, strict=True)), "onnx", arguments["name"]))


def tflite_task(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """The task `export.tflite`: the tf_keras twin is converted as it is for compression, without quantization.

    Arguments:
        arguments: what `ExportRequest.to_json` gives, `output`: the file, and `verify`.
        report: told of each step.
    """
    from graphbuilder.backend.converting import Conversion, convert_model
    from graphbuilder.backend.runtime import LiteRunner

    graph, model = _built(arguments, report, begun=True)
    names = names_of_graph(graph)
    with deep_recursion(len(graph.calls)):
        twin = build(graph, keras=2, trust=arguments["trust"], compiled=False)
        copy_weights(model, twin)
        report(Progress("converting to TFLite"))
        content = convert_model(twin, names, Conversion()).content
    runner = LiteRunner(content)
    Path(arguments["output"]).write_bytes(content)
    if not arguments["verify"]:
        return {}
    report(Progress("running the TFLite model beside the compiled one"))
    given, expected = _computed(graph, model)
    return asdict(compare(expected, runner.predict(given), "tflite", arguments["name"]))


def _built(
    arguments: Mapping[str, Any], report: Report, version: KerasVersion = 3, *, begun: bool = False
) -> tuple[Graph, Any]:
    """The graph and its model, with the weights that are given, or those that it begins with where that matters."""
    graph = lower(load(Path(arguments["blueprint"])), arguments["params"])
    first = first_weights(graph, progress=report) if begun and arguments["weights"] is None else {}
    report(Progress("importing TensorFlow"))
    framework(version)

    def step(name: str, number: int, total: int) -> None:
        report(Progress(f"building {name}", number, total))

    model = build(graph, keras=version, trust=arguments["trust"], compiled=False, progress=step)
    if arguments["weights"] is not None:
        load_weights(model, Path(arguments["weights"]))
    elif first:
        begin_with(model, graph, first)
    return graph, model


def _stir(model: Any) -> None:
    """Moves all weights a little, so that no two that begin alike can be taken for each other."""
    import numpy

    random = numpy.random.default_rng(0)
    for weight in model.weights:
        if "float" in str(weight.dtype):
            weight.assign(numpy.asarray(weight) + random.uniform(0, 0.1, weight.shape).astype("float32"))


def _arranged(graph: Graph, given: Mapping[str, Any]) -> Any:
    """Arrays by name as the model is called with them."""
    import tensorflow

    tensors = {name: tensorflow.convert_to_tensor(array) for name, array in given.items()}
    if graph.inputs_as == "mapping":
        return tensors
    return next(iter(tensors.values())) if graph.inputs_as == "tensor" else list(tensors.values())


def _computed(graph: Graph, model: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Random inputs, and what the compiled model makes of them.

    Raises:
        BlueprintError: it computes nothing of what is tried, such as a model that asks for larger open axes.
    """
    names = names_of_graph(graph).outputs
    problem: Exception | None = None
    for size in sizes_to_try():
        given = random_inputs(graph, size)
        try:
            with deep_recursion(len(graph.calls)):
                return given, named_outputs(names, model(_arranged(graph, given)))
        except Exception as error:
            # Keras raises whatever the layer raises that finds no room.
            problem = error
    raise _refused("the compiled model cannot be run on random inputs", problem, "--no-verify writes it unchecked")


def _same_structure(mine: Any, theirs: Any, name: str, keras: Any) -> None:
    """Holds the layers, their names and arguments, the connections and the weights against each other.

    Raises:
        BlueprintError: GB813, at the first difference.
    """

    def listed(model: Any) -> Iterator[tuple[str, str, str]]:
        counted = {id(node) for nodes in model._nodes_by_depth.values() for node in nodes}
        for operation in model.operations:
            config = operation.get_config() if isinstance(operation, keras.Layer) else None
            nodes = [
                [f"{tensor._keras_history.operation.name}:{tensor._keras_history.tensor_index}" for tensor in
                 keras.tree.flatten(node.arguments.keras_tensors)]
                for node in operation._inbound_nodes
                if id(node) in counted
            ]  # fmt: skip
            yield operation.name, type(operation).__name__, repr((config, nodes))

    for one, other in zip(listed(mine), listed(theirs), strict=False):
        if one != other:
            message = f"{other[1]} {other[0]} stands where {one[1]} {one[0]} should"
            if one[:2] == other[:2]:
                message = f"{one[0]} has other arguments or inputs"
            raise BlueprintError(Diagnostic("GB813", f"{name} builds another model: {message}", node=one[0]))
    counts: list[Any] = [len(model.operations) for model in (mine, theirs)]
    weights: list[Any] = [[weight.path for weight in model.weights] for model in (mine, theirs)]
    ends: list[Any] = [(model.name, [end.name for end in model.inputs], model.output_names) for model in (mine, theirs)]
    for what, (wanted, found) in {"layers": counts, "weights": weights, "inputs or outputs": ends}.items():
        if wanted != found:
            raise BlueprintError(Diagnostic("GB813", f"{name} builds another model: its {what} are others"))


def _same_legacy_structure(mine: Any, theirs: Any, name: str, keras: Any) -> None:
    """The same for tf_keras, whose configuration of a model holds the connections too.

    Raises:
        BlueprintError: GB813, at the first layer that differs.
    """
    one, other = mine.get_config(), theirs.get_config()
    for wanted, found in zip(one["layers"], other["layers"], strict=False):
        if repr(wanted) != repr(found):
            message = f"{found['name']} stands where {wanted['name']} should, or has other arguments or inputs"
            raise BlueprintError(Diagnostic("GB813", f"{name} builds another model: {message}", node=wanted["name"]))
    paths = [[weight.name for weight in model.weights] for model in (mine, theirs)]
    if repr(one) != repr(other) or paths[0] != paths[1]:
        raise BlueprintError(Diagnostic("GB813", f"{name} builds another model: its inputs or outputs are others"))


def _needed(*packages: str) -> None:
    """Refuses early what cannot be done without packages that are no dependencies.

    Raises:
        MissingError: with what to install.
    """
    from importlib.util import find_spec

    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        message = f"an .onnx file needs {' and '.join(missing)}"
        raise MissingError(Diagnostic("GB604", message, hint="pip install 'graphbuilder[onnx]'"))


def _onnx(graph: Graph, model: Any) -> bytes:
    """The model as ONNX, its inputs and outputs under the blueprint's names, the number of samples open."""
    import tensorflow as tf
    import tf2onnx

    _teach_erfc()
    names = names_of_graph(graph)
    outputs = list(_flat(names.outputs))
    specs = []
    for number, given in enumerate(graph.inputs.values()):
        kind = given.value.type
        assert kind is not None
        shape = (None, *(size if isinstance(size, int) else None for size in kind.shape[1:]))
        specs.append(tf.TensorSpec(shape, kind.dtype, name=f"given_{number}"))

    def serve(*given: Any) -> list[Any]:
        named = named_tensors(names.outputs, model(_fed(graph, given), training=False))
        return [tf.identity(named[name], name=f"made_{number}") for number, name in enumerate(outputs)]

    try:
        with _quiet():
            proto, _ = tf2onnx.convert.from_function(tf.function(serve), input_signature=specs, opset=_OPSET)
    except Exception as error:
        # The converter raises whatever its parts raise.
        raise _refused("the model cannot be converted to ONNX", error) from error
    ends = {end.name: name for end, name in zip(proto.graph.input, graph.inputs, strict=True)}
    ends.update({end.name: name for end, name in zip(proto.graph.output, outputs, strict=True)})
    _rename(proto, ends)
    _refuse_foreign_operators(proto)
    settle(proto)
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


@cache
def _teach_erfc() -> None:
    """Tells the converter of the complement of the error function, which gelu is computed with; it knows the other."""
    import numpy
    from tf2onnx import utils
    from tf2onnx.handler import tf_op

    class Complement:
        @classmethod
        def version_9(cls, ctx: Any, node: Any, **_: Any) -> None:
            shapes, dtypes, outputs = node.output_shapes, node.output_dtypes, node.output
            given = node.input[0]
            ctx.remove_node(node.name)
            erf = ctx.make_node("Erf", [given], shapes=shapes, dtypes=dtypes)
            dtype = utils.map_onnx_to_numpy_type(dtypes[0])
            one = ctx.make_const(utils.make_name("one"), numpy.array(1, dtype=dtype))
            between = [one.output[0], erf.output[0]]
            ctx.make_node("Sub", between, name=node.name, outputs=outputs, shapes=shapes, dtypes=dtypes)

    tf_op("Erfc")(Complement)


def _refuse_foreign_operators(proto: Any) -> None:
    """Refuses a model with operators of TensorFlow, which the converter leaves in where it knows none of ONNX.

    Raises:
        BlueprintError: with their names, and the layers that they came of.
    """
    import onnx

    found = {
        node.op_type: node.name for node in proto.graph.node if not node.domain and not onnx.defs.has(node.op_type)
    }
    if found:
        listed = ", ".join(f"{kind} (of {name.rpartition('/')[0] or name})" for kind, name in sorted(found.items()))
        hint = "write .tflite, or use layers that are computed otherwise"
        raise BlueprintError(Diagnostic("GB501", f"ONNX has no operator for {listed}", hint=hint))


def named_tensors(names: Any, produced: Any) -> dict[str, Any]:
    """What a model gives by name, as tensors."""
    if isinstance(names, str):
        return {names: produced}
    keys: Any = names if isinstance(names, Mapping) else range(len(names))
    found: dict[str, Any] = {}
    for key in keys:
        found.update(named_tensors(names[key], produced[key]))
    return found


def _flat(names: Any) -> Iterator[str]:
    yield from named_tensors(names, names)


def _fed(graph: Graph, given: tuple[Any, ...]) -> Any:
    if graph.inputs_as == "mapping":
        return dict(zip(graph.inputs, given, strict=True))
    return given[0] if graph.inputs_as == "tensor" else list(given)


def _rename(proto: Any, names: Mapping[str, str]) -> None:
    """Gives tensors of an ONNX graph other names; what bears such a name already gets another."""
    renamed = dict(names)
    taken = set(names.values())
    for node in proto.graph.node:
        for name in node.output:
            if name in taken and name not in names:
                renamed[name] = f"{name}:inner"
    for end in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info, *proto.graph.initializer):
        end.name = renamed.get(end.name, end.name)
    for node in proto.graph.node:
        for side in (node.input, node.output):
            side[:] = [renamed.get(name, name) for name in side]


def _refused(what: str, error: Exception | None, hint: str | None = None) -> BlueprintError:
    reason = " ".join(str(error).split())[:400]
    return BlueprintError(Diagnostic("GB501", f"{what}: {reason}", hint=hint))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps back what the converter logs of its own work."""
    import logging

    logger = logging.getLogger("tf2onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
