"""Names in exported code: of variables and arguments, and of the classes that are imported."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

from graphbuilder.graph import CustomLayer, Graph

__all__ = ["MODULES", "Imports", "Names"]

# What is imported of Keras where it is used.
MODULES = ("constraints", "initializers", "layers", "ops", "regularizers")
# What the code itself needs, and the letters that look like digits.
_RESERVED = frozenset(
    {
        *keyword.kwlist,
        *dir(builtins),
        "keras",
        *MODULES,
        "np",
        "sys",
        "tf",
        "named",
        "each",
        "build_model",
        "l",
        "O",
        "I",
    }
)


class Names:
    """The names of one stretch of code, each used once.

    Arguments:
        functions: what functions around it are called, with or without a number behind it.

    Example:
        >>> names = Names({"encoder"})
        >>> names.new("encoder_2"), names.new("stem.conv"), names.new("class"), names.new("1x1")
        ('encoder_2_', 'stem_conv', 'class_', 'x1x1')
    """

    def __init__(self, functions: Iterable[str] = ()) -> None:
        self._taken = set(_RESERVED)
        self._functions = frozenset(functions)

    def new(self, path: str) -> str:
        """A name that nothing has yet, made of a path of the graph."""
        name = re.sub(r"\W", "_", path)
        if not name.isidentifier():
            name = f"x{name}"
        while self._is_function(name):
            name = f"{name}_"
        unique, number = f"{name}_" if name in _RESERVED else name, 2
        while unique in self._taken or self._is_function(unique):
            unique = f"{name}_{number}"
            number += 1
        self._taken.add(unique)
        return unique

    def _is_function(self, name: str) -> bool:
        base, _, number = name.rpartition("_")
        return name in self._functions or (number.isdigit() and base in self._functions)


class Imports:
    """The classes of custom layers, imported under names that differ from each other.

    Arguments:
        graph: the graph that uses them.
    """

    def __init__(self, graph: Graph) -> None:
        entries = [layer.entry for layer in graph.layers.values() if isinstance(layer.entry, CustomLayer)]
        self._places = {entry.place: entry for entry in entries}
        taken = set(_RESERVED)
        self.names: dict[str, str] = {}
        for place, entry in self._places.items():
            name, number = entry.class_name, 2
            while name in taken:
                name = f"{entry.class_name}_{number}"
                number += 1
            taken.add(name)
            self.names[place] = name

    def lines(self) -> list[str]:
        """The statements, in the order of the modules."""
        found = []
        for place, entry in self._places.items():
            name = self.names[place]
            renamed = "" if name == entry.class_name else f" as {name}"
            found.append(f"from {entry.module} import {entry.class_name}{renamed}")
        return sorted(found)
