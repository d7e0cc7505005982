"""Saves models so that a file appears whole or not at all, and loads them without running what is in them."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

from graphbuilder.backend.frameworks import KerasVersion, deep_recursion, framework
from graphbuilder.backend.weights_by_name import is_by_name, load_by_name
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic, MissingError

__all__ = ["ModelFormat", "format_of", "is_legacy", "read_model", "refuse_existing", "save_model"]

ModelFormat: TypeAlias = Literal["keras", "h5", "weights", "json", "saved_model"]


def format_of(path: Path) -> ModelFormat:
    """The format that a path asks for by its ending; a folder without one is a SavedModel.

    Raises:
        CommandError: the ending is of no format.

    Example:
        >>> format_of(Path("out/cnn.weights.h5"))
        'weights'
    """
    name = path.name
    if name.endswith(".weights.h5"):
        return "weights"
    endings: dict[str, ModelFormat] = {
        ".keras": "keras",
        ".h5": "h5",
        ".hdf5": "h5",
        ".json": "json",
        "": "saved_model",
    }
    found = endings.get(path.suffix)
    if found is None:
        raise CommandError(
            Diagnostic(
                "GB603",
                f"{name} does not say in which format to save",
                expected=".keras, .h5, .weights.h5, .json, or a folder's name without an ending",
            )
        )
    return found


def refuse_existing(path: Path, force: bool) -> None:
    """Refuses to replace what exists, unless asked to, and a folder that is no SavedModel in any case.

    Raises:
        CommandError: the path exists, or is a folder of something else.
    """
    if path.is_dir():
        saved_model = (path / "saved_model.pb").is_file()
        if format_of(path) != "saved_model" or (not saved_model and any(path.iterdir())):
            hint = "name another place; --force replaces a file, a SavedModel or an empty folder"
            raise CommandError(Diagnostic("GB601", f"{path} is a folder that holds no SavedModel", hint=hint))
    if path.exists() and not force:
        raise CommandError(Diagnostic("GB601", f"{path} exists already", hint="--force replaces it"))


def is_legacy(model: Any) -> bool:
    """Whether a model is of tf_keras, or of a class that is derived from one."""
    return any(base.__module__.split(".")[0] == "tf_keras" for base in type(model).__mro__)


def save_model(model: Any, path: Path, *, force: bool = False) -> Path:
    """Saves a model beside its place and then renames it, so that no half-written file is ever seen.

    Arguments:
        model: a model of either Keras.
        path: where to; its ending says the format.
        force: whether what stands there is replaced.

    Raises:
        CommandError: the path exists and `force` is not given, or its ending is of no format.
        BlueprintError: Keras cannot save the model in that format.
        MissingError: the file cannot be written.
    """
    chosen = format_of(path)
    refuse_existing(path, force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        made = workshop / path.name
        with deep_recursion(len(model.layers)):
            _WRITERS[chosen](model, made)
        _put_in_place(made, path, workshop)
    except OSError as error:
        raise _unwritable(path, error) from error
    except (ValueError, TypeError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:400]
        raise BlueprintError(Diagnostic("GB506", f"the model cannot be saved as {path.name}: {reason}")) from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return path


def _put_in_place(made: Path, path: Path, workshop: Path) -> None:
    """Renames what was made to its place; a folder that stands there is moved aside first, and back if that fails."""
    if not path.is_dir():
        made.replace(path)
        return
    aside = workshop / "replaced"
    path.replace(aside)
    try:
        made.replace(path)
    except OSError:
        aside.replace(path)
        raise


def _unwritable(path: Path, error: OSError) -> MissingError:
    return MissingError(Diagnostic("GB602", f"{path} cannot be written: {error.strerror or error}"))


def _write_keras(model: Any, path: Path) -> None:
    model.save(path)


def _write_h5(model: Any, path: Path) -> None:
    # HDF5 is deprecated in both Kerases, which they say in a warning at every save; the user asked for it by name.
    if is_legacy(model):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save(path, save_format="h5")
        return
    keras = framework(3).keras
    operations = [found.name for found in model.operations if not isinstance(found, keras.layers.Layer)]
    if operations:
        # Keras writes such a file without a word, and then cannot read it.
        raise NotImplementedError(f"an .h5 file of Keras 3 holds no ops such as {operations[0]}; save it as .keras")
    with _silent_logging():
        model.save(path)


def _write_saved_model(model: Any, path: Path) -> None:
    if is_legacy(model):
        model.save(path, save_format="tf")
    else:
        model.export(path, verbose=False)


def _write_json(model: Any, path: Path) -> None:
    path.write_text(model.to_json(indent=2), encoding="utf-8")


def _write_weights(model: Any, path: Path) -> None:
    model.save_weights(path)


_WRITERS: dict[ModelFormat, Callable[[Any, Path], None]] = {
    "keras": _write_keras,
    "h5": _write_h5,
    "weights": _write_weights,
    "json": _write_json,
    "saved_model": _write_saved_model,
}


@contextlib.contextmanager
def _silent_logging() -> Iterator[None]:
    """Keeps absl's warnings back, through which Keras 3 speaks."""
    from absl import logging  # type: ignore[import-untyped]  # absl ships no types

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def read_model(path: Path, *, keras: KerasVersion = 3) -> Any:
    """Loads a model file; Keras's safe mode keeps code in it from running.

    Arguments:
        path: a `.keras`, `.h5` or `.json` file.
        keras: which Keras made it.

    Raises:
        BlueprintError: there is no such file, or Keras cannot load it.
    """
    if not path.exists():
        raise BlueprintError(Diagnostic("GB506", f"there is no file {path}"))
    if path.is_dir():
        raise BlueprintError(Diagnostic("GB506", f"{path} is a SavedModel; only TensorFlow's own loader reads it"))
    module = framework(keras).keras
    try:
        _refuse_code(path)
        with deep_recursion(10_000):
            if format_of(path) == "json":
                return module.models.model_from_json(path.read_text(encoding="utf-8"))
            return module.models.load_model(path, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError) as error:
        reason = " ".join(str(error).split())[:400]
        raise BlueprintError(Diagnostic("GB506", f"{path} cannot be loaded: {reason}")) from error


def _refuse_code(path: Path) -> None:
    """Refuses a model file that holds Python code, which Keras 2's formats would run while they are loaded.

    A `.keras` file is left to Keras's own safe mode.

    Raises:
        BlueprintError: a Lambda layer is in it.
    """
    chosen = format_of(path)
    if chosen == "json":
        config: Any = json.loads(path.read_text(encoding="utf-8"))
    elif chosen == "h5":
        import h5py

        with h5py.File(path, "r") as file:
            config = json.loads(file.attrs.get("model_config", "null"))
    else:
        return
    waiting = [config]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if item.get("class_name") in ("Lambda", "__lambda__"):
                message = f"{path} holds a Lambda layer, which is code; it was not loaded"
                raise BlueprintError(Diagnostic("GB213", message))
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def load_weights(model: Any, path: Path) -> None:
    """Loads a `.weights.h5` file into a model.

    Raises:
        BlueprintError: there is no such file, or its weights do not fit the model.
    """
    if not path.is_file():
        raise BlueprintError(Diagnostic("GB505", f"there is no file {path}"))
    try:
        with deep_recursion(len(model.layers)):
            if is_by_name(path):
                if is_legacy(model):
                    hint = "compile with Keras 3; `graphbuilder convert` and `compress` carry weights over to the twin"
                    raise BlueprintError(Diagnostic("GB505", f"{path} holds weights of Keras 3", hint=hint))
                load_by_name(model, path)
            else:
                with warnings.catch_warnings():
                    # The state of the optimizer in a whole model's file is of what that trained, and not asked for.
                    warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
                    model.load_weights(path)
    except (ValueError, TypeError, OSError, KeyError) as error:
        reason = " ".join(str(error).split())[:400]
        raise BlueprintError(Diagnostic("GB505", f"the weights of {path} do not fit: {reason}")) from error
