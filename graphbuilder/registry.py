"""Names mapped to loaders: nothing is imported before its name is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Generic, TypeVar

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """A table from names to things that are loaded on first use.

    Arguments:
        kind: what the things are, in the singular, for messages ("layer").
        group: the entry-point group through which other packages add to the table, or None for a closed table. It is
            consulted only for names that the table does not have, because listing entry points costs milliseconds.

    Example:
        >>> rules: Registry[type] = Registry("rule")
        >>> rules.add("ordered", "collections:OrderedDict")
        >>> rules.get("ordered").__name__
        'OrderedDict'
    """

    def __init__(self, kind: str, group: str | None = None) -> None:
        self.kind = kind
        self.group = group
        self._places: dict[str, str] = {}
        self._loaded: dict[str, T] = {}
        self._asked_others = False

    def add(self, name: str, place: str) -> None:
        """Registers `package.module:attribute` under a name.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._places:
            raise ValueError(f"{self.kind} {name} is registered twice: {self._places[name]} and {place}")
        self._places[name] = place

    def add_family(self, module: str, names: str) -> None:
        """Registers several attributes of one module under their own names, given as words of one string."""
        for name in names.split():
            self.add(name, f"{module}:{name}")

    def get(self, name: str) -> T | None:
        """The thing of that name, loaded if need be, or None when there is none."""
        found = self._loaded.get(name)
        if found is None:
            if name not in self._places:
                self._ask_others()
            place = self._places.get(name)
            if place is None:
                return None
            module, _, attribute = place.partition(":")
            found = getattr(import_module(module), attribute)
            self._loaded[name] = found
        return found

    def names(self) -> list[str]:
        """Every name, those of other packages included, in the order of registration."""
        self._ask_others()
        return list(self._places)

    def __contains__(self, name: str) -> bool:
        if name not in self._places:
            self._ask_others()
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def _ask_others(self) -> None:
        if self._asked_others or self.group is None:
            return
        self._asked_others = True
        from importlib.metadata import entry_points

        for entry in entry_points(group=self.group):
            self.add(entry.name, entry.value)
