"""TensorFlow, tf_keras and tensorflow-model-optimization, imported the way that leaves the process as it was."""

from __future__ import annotations

import os

from graphbuilder.backend.frameworks import framework

__all__ = ["keras", "tf", "tfmot"]

keras = framework(2).keras

# Importing it sets this for good, and every process started later would find another Keras under `tf.keras`.
_before = os.environ.get("TF_USE_LEGACY_KERAS")
import tensorflow as tf  # noqa: E402
import tensorflow_model_optimization as tfmot  # noqa: E402

if _before is None:
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
else:
    os.environ["TF_USE_LEGACY_KERAS"] = _before
