"""Weights of a stranger's model file, read in a worker: the HDF5 library crashes and hangs on some damaged files.

The parent imports neither TensorFlow nor h5py.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.backend.supervision import WorkerError, run_task
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.blueprint import parse_blueprint
from graphbuilder.errors import BlueprintError, Diagnostic, MissingError
from graphbuilder.importers import Imported
from graphbuilder.lowering import lower

if TYPE_CHECKING:
    from graphbuilder.importers.weights_in_order import Lists

__all__ = ["check_task", "check_weights", "import_weights", "weights_task"]

# How long reading may take, in seconds: to begin with, and for each MiB of the file. A slow disk reads ten in a second.
_AT_LEAST, _PER_MEBIBYTE = 60.0, 0.1


def import_weights(file: Path, found: Imported, target: Path, *, timeout: float | None = None) -> int:
    """Writes the weights of a model's file beside the blueprint that was imported of it, as a whole or not at all.

    Arguments:
        file: a `.keras` or `.h5` file.
        found: what was imported of it.
        target: where to; what stands there is replaced.
        timeout: the seconds after which it is given up; None goes by the size of the file.

    Returns:
        How many numbers were written.

    Raises:
        BlueprintError: GB851, the file has no weights; GB852, they are damaged; GB853, some cannot be carried.
        MissingError: GB602, the target cannot be written.
    """
    from graphbuilder.importers.weights import owned_weights

    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    arguments = {
        "file": str(file.resolve()),
        "shown": str(file),
        "names": dict(found.names),
        "owned": owned_weights(lower(parse_blueprint(found.text, name="the imported blueprint"))),
        "target": str(beside.absolute()),
    }
    try:
        count: int = _run("import.weights", arguments, file, timeout)
        beside.replace(target)
    except OSError as error:
        raise MissingError(Diagnostic("GB602", f"{target} cannot be written: {error.strerror or error}")) from error
    finally:
        beside.unlink(missing_ok=True)
    return count


def check_weights(file: Path, *, timeout: float | None = None) -> None:
    """Sees that a file of weights can be read, before this process reads it; whether it fits is another question.

    Arguments:
        file: a `.weights.h5` file of whatever origin.
        timeout: the seconds after which it is given up; None goes by the size of the file.

    Raises:
        BlueprintError: GB101, it cannot be read; GB852, it is damaged.
    """
    _run("check.weights", {"file": str(file.resolve()), "shown": str(file)}, file, timeout)


def _run(task: str, arguments: Mapping[str, Any], file: Path, timeout: float | None) -> Any:
    """What a task gives that reads a file, whose damage is told as such."""
    allowed = timeout or _AT_LEAST + _PER_MEBIBYTE * _size(file) / 2**20
    try:
        return run_task(task, arguments, timeout=allowed).value
    except WorkerError as error:
        raise _damaged(error, file, allowed) from None


def weights_task(arguments: Mapping[str, Any], report: Callable[[Progress], None]) -> int:
    """The task `import.weights`: reads the weights of a file, and writes them by the names of layers.

    Arguments:
        arguments: `file`; `shown`, what messages call it; `names` and `owned`, as `write_weights` takes them; `target`.
        report: told of nothing.
    """
    from graphbuilder.importers.reading import read_model
    from graphbuilder.importers.reading_saved_model import PARTS
    from graphbuilder.importers.weights import write_listed, write_weights

    file = Path(arguments["file"])
    with _shown(arguments):
        model, target = read_model(file), Path(arguments["target"])
        names, owned = arguments["names"], arguments["owned"]
        if file.is_dir() or file.name in PARTS:
            folder = file if file.is_dir() else file.parent
            return write_listed(file, _listed_in_saved_model(folder), model, names, owned, target)
        return write_weights(file, model, names, owned, target)


def _listed_in_saved_model(folder: Path) -> Lists:
    """The weights of a SavedModel that Keras 2 wrote: TensorFlow reads its variables, and runs nothing of it.

    Raises:
        BlueprintError: GB851, it does not say whose they are; GB852, they are damaged.
    """
    import tensorflow as tf
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    from graphbuilder.importers.problems import NotCarried
    from graphbuilder.importers.reading_saved_model import layer_objects

    try:
        objects = layer_objects(folder)
        reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        graph = TrackableObjectGraph.FromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    except NotCarried as problem:
        told = Diagnostic(problem.code, problem.message, file=str(folder), hint=problem.hint)
        raise BlueprintError([told]) from None
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise BlueprintError([Diagnostic("GB852", f"its weights are damaged: {error}", file=str(folder))]) from None

    def inside(number: int) -> dict[str, int]:
        return {child.local_name: child.node_id for child in graph.nodes[number].children}

    def listed(name: str) -> list[Any] | None:
        # Keras keeps a list of all weights of each layer beside what the layer is made of.
        place = inside(0).get(objects.get(name, ""))
        weights = {} if place is None else inside(inside(place).get("variables", place))
        numbers = sorted(int(number) for number in weights if number.isdigit())
        keys = [graph.nodes[weights[str(number)]].attributes[0].checkpoint_key for number in numbers]
        return [reader.get_tensor(key) for key in keys]

    return listed


def check_task(arguments: Mapping[str, Any], report: Callable[[Progress], None]) -> int:
    """The task `check.weights`: reads all arrays of a file of weights, and gives how many numbers they hold.

    Arguments:
        arguments: `file`; `shown`, what messages call it.
        report: told of nothing.
    """
    from graphbuilder.importers.weights import count_weights

    with _shown(arguments):
        return count_weights(Path(arguments["file"]))


@contextlib.contextmanager
def _shown(arguments: Mapping[str, Any]) -> Iterator[None]:
    """Has messages call the file what the user called it."""
    try:
        yield
    except BlueprintError as error:
        raise BlueprintError([replace(told, file=arguments["shown"]) for told in error.diagnostics]) from None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        # Why it cannot be read is told by the reader.
        return 0


def _damaged(error: WorkerError, file: Path, allowed: float) -> BlueprintError | WorkerError:
    """What the end of the worker says of the file."""
    code = error.diagnostics[0].code
    if error.signal_name is not None:
        told = f"its weights are damaged: the HDF5 library that read them was killed by {error.signal_name}"
    elif code == "GB803":
        told = f"its weights are damaged: the HDF5 library was not done with them within {allowed:g} s"
    else:
        # It was stopped, or memory did not suffice.
        return error
    return BlueprintError([Diagnostic("GB852", told, file=str(file))])
