"""What a command compares or analyzes: a blueprint, or the file of a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.errors import Diagnostic

if TYPE_CHECKING:
    from graphbuilder.blueprint import Document
    from graphbuilder.graph import Graph

__all__ = ["Side", "open_side"]

# What a blueprint of these endings cannot be. A `.json` file is one or the other, and says which.
_MODELS = (".keras", ".h5", ".hdf5")
# The most bytes of a file that is looked into for which of the two it is.
_MOST = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Side:
    """A blueprint, or a model as one.

    Arguments:
        document: what it says.
        graph: its graph; None where it has an error or holds only blocks.
        diagnostics: what is wrong with it or worth knowing.
        from_model: whether it is the file of a model, which holds no params, blocks, descriptions and passes.
        params: the values that params were given.
    """

    document: Document
    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]
    from_model: bool
    params: Mapping[str, Any]

    @property
    def has_model(self) -> bool:
        """Whether there are nodes, and not only blocks."""
        return bool(self.document.blueprint.nodes)

    def required_graph(self) -> Graph:
        """The graph, where there must be one.

        Raises:
            BlueprintError: there is none, with the reasons.
        """
        from graphbuilder.api import lower

        # A file without a graph, because of errors or because it holds only blocks, is told by lowering it.
        return self.graph or lower(self.document, self.params)


def open_side(file: Path, params: Mapping[str, Any] | None = None, *, partly: bool = False) -> Side:
    """Reads a blueprint, or the file of a model without TensorFlow.

    A model that exceeds its budget, and passes that cannot be carried out, leave the graph as it is: they are told.

    Arguments:
        file: a blueprint, a `.keras` file, or the JSON of `model.to_json()`.
        params: values for some of the blueprint's params.
        partly: whether those that it does not have are meant for another file.

    Raises:
        BlueprintError: it cannot be read.
    """
    from graphbuilder.api import check, load, parse
    from graphbuilder.lowering import try_lower

    from_model = _is_model(file)
    lost: tuple[Diagnostic, ...] = ()
    if from_model:
        from graphbuilder.importers import import_file

        found = import_file(file, flat=True)
        document, lost = parse(found.text, name=f"<{file}>"), found.lost
    else:
        document = load(file)
    known = document.blueprint.params
    own = {name: value for name, value in (params or {}).items() if not partly or name in known}
    checked = check(document, own)
    lowered = checked.graph or try_lower(document, own).graph
    return Side(document, lowered, (*lost, *checked.diagnostics), from_model, own)


def _is_model(file: Path) -> bool:
    """Whether a file holds a Keras model, and no blueprint."""
    if file.is_dir() or file.suffix.lower() in _MODELS:
        return True
    if file.suffix.lower() != ".json":
        return False
    try:
        data = json.loads(file.read_bytes()) if file.stat().st_size <= _MOST else None
    except (OSError, ValueError, RecursionError):
        # What is wrong with it is told by the reader of blueprints.
        return False
    return isinstance(data, dict) and "blueprint" not in data and "class_name" in data
