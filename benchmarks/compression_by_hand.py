"""What `blueprints/digits_cnn.yaml` declares, written by hand with tf_keras and tensorflow-model-optimization.

The benchmark runs it as a program of its own, beside graphbuilder, on the same samples. It takes an .npz file with the
arrays `train_x`, `train_y` and `seed`, and a folder, where it writes `float.tflite` and `compressed.tflite`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

# Else tensorflow-model-optimization is given Keras 3, which it cannot change.
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras
from tensorflow_model_optimization.python.core.clustering.keras.experimental import cluster
from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import (
    default_8bit_cluster_preserve_quantize_scheme as preserving,
)

EPOCHS = 12
BATCH_SIZE = 32


def build() -> Any:
    layers = tf_keras.layers
    return tf_keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def fit(model: Any, x: Any, y: Any, rate: float, callbacks: Any = ()) -> None:
    optimizer = tf_keras.optimizers.Adam(rate)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0, callbacks=list(callbacks))


def convert(model: Any, path: Path, quantized: bool) -> None:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if quantized:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    path.write_bytes(converter.convert())


def main(data: Path, folder: Path) -> None:
    arrays = np.load(data)
    x, y = arrays["train_x"], arrays["train_y"]
    tf_keras.utils.set_random_seed(int(arrays["seed"]))
    model = build()
    fit(model, x, y, 1e-3)
    convert(model, folder / "float.tflite", quantized=False)

    steps = EPOCHS * -(-len(x) // BATCH_SIZE)
    # The default frequency of 100 would leave such a short run with hardly any zeros.
    schedule = tfmot.sparsity.keras.PolynomialDecay(0.0, 0.8, 0, round(0.75 * steps), frequency=1)
    pruned = tfmot.sparsity.keras.prune_low_magnitude(model, schedule)
    fit(pruned, x, y, 1e-4, [tfmot.sparsity.keras.UpdatePruningStep()])
    pruned = tfmot.sparsity.keras.strip_pruning(pruned)

    # The public cluster_weights knows of no zeros.
    clustered = cluster.cluster_weights(
        pruned,
        number_of_clusters=16,
        cluster_centroids_init=tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS,
        preserve_sparsity=True,
    )
    fit(clustered, x, y, 1e-4)
    clustered = tfmot.clustering.keras.strip_clustering(clustered)

    scheme = preserving.Default8BitClusterPreserveQuantizeScheme(preserve_sparsity=True)
    annotated = tfmot.quantization.keras.quantize_annotate_model(clustered)
    quantized = tfmot.quantization.keras.quantize_apply(annotated, scheme)
    fit(quantized, x, y, 1e-4)
    convert(quantized, folder / "compressed.tflite", quantized=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
