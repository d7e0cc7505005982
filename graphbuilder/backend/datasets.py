"""Opens data of every kind, and gives its batches to TensorFlow."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

from graphbuilder.backend.frameworks import framework
from graphbuilder.data import Data, Part, Pieces, Pixels, Spec, Wants, given_arrays, open_plain, parse_spec, pixels_for
from graphbuilder.data import wants_of as _wants_of
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.graph import Graph

if TYPE_CHECKING:
    import numpy

__all__ = ["Dataish", "as_dataset", "decode_image", "open_data", "tensorflow"]

# What can be trained with: a `--data`, arrays by the names of inputs and outputs, or data that is open already.
Dataish: TypeAlias = "str | PathLike[str] | Mapping[str, numpy.ndarray] | Data"


def open_data(
    data: Dataish,
    graph: Graph,
    *,
    trust: Sequence[str] = (),
    columns: Mapping[str, Sequence[str]] | None = None,
    pixels: Pixels = "auto",
    labels: bool = True,
    like: Data | None = None,
) -> Data:
    """Data of any kind, checked against a graph. TensorFlow is imported only for TFRecord files and functions.

    Arguments:
        data: a file, a folder, `digits`, `package.module:function`, arrays by name, or data that is open already.
        graph: the model that it is for.
        trust: modules whose functions may be imported and run.
        columns: the columns or arrays of an input or output, where their names do not say it.
        pixels: how the brightness of images is told.
        labels: whether the outputs' targets are needed too; calibration does without.
        like: other data whose numbers for words are taken over, as validation data must.

    Raises:
        BlueprintError: with everything that does not fit.
        MissingError: a package is missing.
    """
    if isinstance(data, Data):
        return data
    wants = _wants_of(graph, labels=labels)
    if isinstance(data, Mapping):
        return given_arrays(data, wants)
    spec = parse_spec(str(data))
    plain = open_plain(
        spec,
        wants,
        decode=decode_image,
        pixels=pixels_for(pixels, graph),
        columns=columns,
        vocabularies=like.vocabularies if like is not None else None,
    )
    if plain is not None:
        return plain
    if spec.kind == "tfrecord":
        from graphbuilder.backend.datasets_tfrecord import open_tfrecord

        return open_tfrecord(spec, wants, pixels_for(pixels, graph))
    return _open_function(spec, wants, trust)


def tensorflow() -> Any:
    """TensorFlow, imported without what it writes on stderr while it loads."""
    if "tensorflow" not in sys.modules:
        framework(3)
    import tensorflow as tf

    return tf


def decode_image(content: bytes, height: int, width: int, channels: int) -> Any:
    """The pixels of a PNG, JPEG or BMP file, from 0 to 255, resized.

    Raises:
        ValueError: they cannot be decoded.
    """
    tf = tensorflow()
    try:
        # The processor does it, also where there is a GPU, so that every machine sees the same pixels.
        with tf.device("CPU:0"):
            image = tf.io.decode_image(content, channels=channels, expand_animations=False)
            if tuple(image.shape[:2]) != (height, width):
                image = tf.image.resize(image, (height, width), antialias=True)
            return tf.cast(image, "float32").numpy()
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(error.message) from error


def _open_function(spec: Spec, wants: Wants, trust: Sequence[str]) -> Data:
    """The data that a function of the user's makes.

    Raises:
        BlueprintError: its module is not trusted or cannot be imported, or what it gives does not fit.
    """
    module, _, function = spec.name.partition(":")
    if not any(module == trusted or module.startswith(f"{trusted}.") for trusted in trust):
        message = f"{spec.name} is code that is not trusted, so it was not imported"
        raise BlueprintError(Diagnostic("GB711", message, hint=f"if you trust it: --trust {module}"))
    try:
        made = getattr(importlib.import_module(module), function)()
    except (ImportError, AttributeError) as error:
        raise BlueprintError(Diagnostic("GB701", f"{spec.name} cannot be imported: {error}")) from error
    except BlueprintError:
        raise
    except Exception as error:
        # Whatever the user's function raises is told as its own fault; the cause stays attached for debugging.
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        raise BlueprintError(Diagnostic("GB701", f"{spec.name} failed: {reason}")) from error
    if isinstance(made, Data):
        return made
    if isinstance(made, Mapping) and all(
        hasattr(item, "__array__") and hasattr(item, "dtype") for item in made.values()
    ):
        return given_arrays(made, wants, spec.name)
    from graphbuilder.backend.datasets_streams import open_streams

    return open_streams(made, spec.name, wants)


def as_dataset(
    part: Part,
    wants: Wants,
    batch_size: int,
    *,
    shuffle: bool = False,
    seed: int = 0,
    epoch: int = 0,
    pieces: Pieces | None = None,
    failures: list[Exception] | None = None,
) -> Any:
    """The batches of a part as a `tf.data.Dataset`, read ahead of the training.

    Arguments:
        part: the samples.
        wants: how the model takes them.
        batch_size: samples in one batch.
        shuffle: whether they come in another order in every epoch.
        seed: fixes these orders.
        epoch: the number of the epoch, from 0.
        pieces: which pieces of each batch are given.
        failures: takes what fails in reading, of which TensorFlow passes on no more than the text.
    """
    tf = tensorflow()

    def batches() -> Iterator[Any]:
        try:
            for inputs, outputs in part.batches(batch_size, shuffle=shuffle, seed=seed, epoch=epoch, pieces=pieces):
                yield wants.feed(inputs, outputs)
        except Exception as error:
            if failures is not None:
                failures.append(error)
            raise

    inputs = {wanted.name: _signature(tf, wanted) for wanted in wants.inputs}
    outputs = {wanted.name: _signature(tf, wanted) for wanted in wants.outputs}
    dataset = tf.data.Dataset.from_generator(batches, output_signature=wants.feed(inputs, outputs))
    steps = part.steps(batch_size, whole=pieces is not None)
    if steps is not None:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps * (pieces.taken if pieces else 1)))
    return dataset.prefetch(2)


def _signature(tf: Any, wanted: Any) -> Any:
    if wanted.shape is None:
        return tf.TensorSpec(None, wanted.dtype)
    return tf.TensorSpec((None, *(dim if isinstance(dim, int) else None for dim in wanted.shape)), wanted.dtype)
