"""Converts a tf_keras twin to TFLite, through a SavedModel whose signature bears the blueprint's names.

The converter can kill its process, so the work is cut in two: `export_model` writes the SavedModel where the model is,
and `convert_exported` may then run in a worker process (the task `tflite.convert`).
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.backend.converting_names import SignatureNames, rename_inputs, stand_ins
from graphbuilder.backend.converting_problems import conversion_error, refuse_custom
from graphbuilder.backend.converting_samples import checked_samples, feed
from graphbuilder.backend.frameworks import framework
from graphbuilder.backend.runtime import LiteRunner
from graphbuilder.backend.runtime_flatbuffer import Operator, read_lite
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.compression.conversions import Scheme
from graphbuilder.errors import CommandError, Diagnostic

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Conversion", "Converted", "convert_exported", "convert_model", "convert_task", "export_model"]

# What an exported folder holds beside the SavedModel: the names of the nodes and of the ends.
_NOTES = "graphbuilder.json"


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a model is converted.

    Arguments:
        scheme: what it computes with.
        aware: whether it was trained for int8, so that it knows the ranges of its activations itself.
        quantized_ends: whether inputs and outputs hold integers too, under int8 and int16x8; else they stay floats.
        allow_flex: whether operators of TensorFlow are allowed, which run only where TensorFlow's kernels are.
        max_samples: the most representative samples that are looked at.
    """

    scheme: Scheme = "float32"
    aware: bool = False
    quantized_ends: bool = False
    allow_flex: bool = False
    max_samples: int = 200

    def __post_init__(self) -> None:
        if self.quantized_ends and self.scheme not in ("int8", "int16x8"):
            message = f"inputs and outputs cannot be integers under {self.scheme}"
            raise CommandError(Diagnostic("GB603", message, expected="int8 or int16x8"))
        if self.aware and self.scheme != "int8":
            message = f"a model that was trained for int8 cannot be converted as {self.scheme}"
            raise CommandError(Diagnostic("GB603", message, expected="int8"))


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted model.

    Arguments:
        content: the .tflite file.
        scheme: what it was asked to compute with.
        operators: its steps.
        still_float: the steps that compute floats although integers were asked for.
    """

    content: bytes = field(repr=False)
    scheme: Scheme
    operators: tuple[Operator, ...]
    still_float: tuple[Operator, ...]


def export_model(model: Any, folder: Path, names: SignatureNames, *, batch: int | None = 1) -> Path:
    """Writes a SavedModel that can be converted.

    Arguments:
        model: a model of tf_keras, also one trained for int8.
        folder: where to; it is made.
        names: what its inputs and outputs are to be called.
        batch: how many samples the converted model takes at a time; None leaves it open, which recurrent layers do not
            allow.

    Returns:
        The folder.
    """
    framework(2)
    import tensorflow as tf

    layers = {layer.name: layer for layer in model.layers}
    safe = stand_ins(names.inputs)
    specs = {}
    for name, layer in names.inputs.items():
        tensor = layers[layer].output
        specs[safe[name]] = tf.TensorSpec((batch, *tensor.shape[1:]), tensor.dtype, name=safe[name])
    listed = tf.nest.flatten(names.outputs)

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def serve(**given: Any) -> dict[str, Any]:
        fed = {layer: given[safe[name]] for name, layer in names.inputs.items()}
        # In the model's own structure, which copies made by tensorflow-model-optimization turn into a list.
        ordered = tf.nest.pack_sequence_as(model.input, [fed[layer] for layer in model.input_names])
        found = tf.nest.flatten(model(ordered, training=False))
        # An output that is an input, or stands twice, needs a tensor of its own to have a name.
        return {name: tf.identity(tensor) for name, tensor in zip(listed, found, strict=True)}

    concrete = serve.get_concrete_function(**specs)
    module = tf.Module()
    # Not the model itself: Keras would trace every layer anew, and what a recurrent layer that is aware of quantization
    # multiplies with are tensors of the trace in which they were quantized.
    module.held = list(model.variables)
    module.serve = serve
    with _silenced():
        tf.saved_model.save(module, str(folder), signatures={"serving_default": concrete})
    notes = {
        "nodes": dict(names.nodes),
        "inputs": {name: [list(specs[safe[name]].shape), specs[safe[name]].dtype.name] for name in names.inputs},
        "stand_ins": safe,
        "outputs": listed,
    }
    (folder / _NOTES).write_text(json.dumps(notes), encoding="utf-8")
    return folder


def convert_exported(
    folder: Path, conversion: Conversion, samples: Mapping[str, np.ndarray] | None = None
) -> Converted:
    """Converts what `export_model` wrote.

    Arguments:
        folder: the exported model.
        conversion: how.
        samples: representative inputs by name, samples first, which tell the ranges of activations; needed for int8
            and int16x8, unless the model was trained for int8.

    Raises:
        BlueprintError: the converter refuses, operators are needed that TFLite lacks, or the samples do not fit.
    """
    framework(2)
    import tensorflow as tf

    notes = json.loads((folder / _NOTES).read_text(encoding="utf-8"))
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=["serving_default"])
    _set_scheme(converter, conversion, tf)
    if conversion.scheme in ("int8", "int16x8") and not conversion.aware:
        checked = checked_samples(samples, notes["inputs"], conversion.max_samples)
        converter.representative_dataset = lambda: feed(checked, notes["inputs"], notes["stand_ins"])
    try:
        with _silenced():
            content = bytes(converter.convert())
    except Exception as error:
        # The converter raises whatever its parts raise: RuntimeError, ValueError, its own ConverterError.
        raise conversion_error(error, conversion.scheme, notes["nodes"]) from error
    content = rename_inputs(content, {safe: name for name, safe in notes["stand_ins"].items()})
    operators = read_lite(content, notes["nodes"]).operators
    paths = tuple(
        Operator(step.name, step.custom, step.dtype, tuple(notes["nodes"][name] for name in step.nodes))
        for step in operators
    )
    refuse_custom(paths, conversion.allow_flex)
    return Converted(content, conversion.scheme, paths, _still_float(paths, conversion.scheme))


def convert_model(
    model: Any,
    names: SignatureNames,
    conversion: Conversion,
    samples: Mapping[str, np.ndarray] | None = None,
    *,
    batch: int | None = 1,
) -> Converted:
    """Converts a model of tf_keras in this process; see `export_model` and `convert_exported`."""
    with tempfile.TemporaryDirectory(prefix="graphbuilder-") as scratch:
        folder = export_model(model, Path(scratch) / "exported", names, batch=batch)
        return convert_exported(folder, conversion, samples)


def convert_task(arguments: Mapping[str, Any], report: Callable[[Progress], None]) -> dict[str, Any]:
    """The task `tflite.convert`.

    Arguments:
        arguments: `folder`, `output`, the fields of `Conversion` under `conversion`, and `samples`: an .npz file with
            an array for each input, or None.
        report: told of each step.
    """
    import numpy

    conversion = Conversion(**arguments["conversion"])
    report(Progress(f"converting to TFLite, {conversion.scheme}"))
    samples = None
    if arguments["samples"] is not None:
        with numpy.load(arguments["samples"], allow_pickle=False) as file:
            samples = {name: file[name] for name in file.files}
    made = convert_exported(Path(arguments["folder"]), conversion, samples)
    if not conversion.allow_flex:
        # Some of what the converter makes cannot be loaded, such as an LSTM of int16x8.
        LiteRunner(made.content)
    Path(arguments["output"]).write_bytes(made.content)
    return {
        "scheme": made.scheme,
        "bytes": len(made.content),
        "operators": [_plain(step) for step in made.operators],
        "still_float": [_plain(step) for step in made.still_float],
    }


def _plain(step: Operator) -> dict[str, Any]:
    return {"name": step.name, "custom": step.custom, "dtype": step.dtype, "nodes": list(step.nodes)}


def _set_scheme(converter: Any, conversion: Conversion, tf: Any) -> None:
    """Sets the converter's options."""
    scheme = conversion.scheme
    sets = tf.lite.OpsSet
    supported = [sets.TFLITE_BUILTINS]
    if scheme != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if scheme == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if scheme == "int16x8":
        # The second set is for what has no such kernel; it is told of, as what still computes floats.
        supported = [sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8, sets.TFLITE_BUILTINS]
    if conversion.quantized_ends:
        converter.inference_input_type = converter.inference_output_type = tf.int16 if scheme == "int16x8" else tf.int8
    if conversion.allow_flex:
        supported.append(sets.SELECT_TF_OPS)
    converter.target_spec.supported_ops = supported


# Operators that carry numbers and compute nothing, and those that stand between floats and integers.
_CARRIERS = frozenset({"QUANTIZE", "DEQUANTIZE", "SHAPE", "WHILE", "IF", "CALL_ONCE", "VAR_HANDLE"})
_INTEGERS = frozenset({"INT8", "UINT8", "INT16", "INT4", "INT32", "INT64", "BOOL"})


def _still_float(operators: tuple[Operator, ...], scheme: Scheme) -> tuple[Operator, ...]:
    if scheme not in ("int8", "int16x8"):
        return ()
    return tuple(step for step in operators if step.dtype not in _INTEGERS and step.name not in _CARRIERS)


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keeps back what TensorFlow says in passing, of deprecated parts of its own and of functions not saved."""
    from absl import logging  # type: ignore[import-untyped]  # absl ships no types

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(before)
