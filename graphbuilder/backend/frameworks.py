"""The two Kerases, imported only when one is asked for."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from graphbuilder.errors import Diagnostic, MissingError

__all__ = ["Framework", "KerasVersion", "deep_recursion", "framework"]

KerasVersion: TypeAlias = Literal[2, 3]


@dataclass(frozen=True, slots=True)
class Framework:
    """One Keras.

    Arguments:
        version: 3 for Keras 3, 2 for tf_keras, where compression and TFLite conversion run.
        keras: the module.
    """

    version: KerasVersion
    keras: Any

    @property
    def legacy(self) -> bool:
        """Whether it is tf_keras."""
        return self.version == 2


@cache
def framework(version: KerasVersion = 3) -> Framework:
    """Keras 3, or tf_keras for version 2.

    Raises:
        MissingError: it is not installed.
    """
    # TensorFlow reports its build and the absence of a GPU on stderr at every start; neither is news to the user.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if version == 3:
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    name = "keras" if version == 3 else "tf_keras"
    try:
        with _quiet_start():
            if version == 3:
                import keras as module
            else:
                import tf_keras as module
    except ImportError as error:
        raise MissingError(
            Diagnostic("GB604", f"{name} cannot be imported: {error}", hint=f"pip install {name.replace('_', '-')}")
        ) from error
    return Framework(version, module)


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Keeps what TensorFlow's C++ code writes while it loads off the user's screen, whatever its log level."""
    try:
        stderr = sys.__stderr__.fileno() if sys.__stderr__ is not None else 2
        kept = os.dup(stderr)
    except (OSError, ValueError):
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), stderr)
        yield
    finally:
        os.dup2(kept, stderr)
        os.close(kept)


@contextlib.contextmanager
def deep_recursion(calls: int) -> Iterator[None]:
    """Lets Keras, which walks a model's graph recursively, walk one with that many calls.

    Arguments:
        calls: the calls of the graph; a chain may be as deep as that.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 1_000 + 12 * calls))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
