"""One more value for a node: where it comes to stand in what the node takes, and how that is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuilder.catalog import Port
from graphbuilder.editing.changes import Change, Insert, InsertItem, Replace
from graphbuilder.editing.kinds import kind_of_node
from graphbuilder.editing.levels import listed, refused
from graphbuilder.editing.rewiring import Rewiring, written_from
from graphbuilder.errors import suggestion

__all__ = ["Connection"]


class Connection:
    """A node's `from` while something is added to it.

    Arguments:
        rewiring: the edit.
        target: the node.
    """

    def __init__(self, rewiring: Rewiring, target: str) -> None:
        self.rewiring = rewiring
        self.level = rewiring.level
        self.target = target
        node = self.level.definition.nodes[target]
        kind = kind_of_node(self.level, node)
        self.ports: tuple[Port, ...] | None = None if kind is None else kind.ports
        self.path = self.level.at("nodes", target, "from")
        self.written: Any = self.level.data["nodes"][target].get("from")
        self.implied = [use.reference for use in rewiring.sources(target) if use.implied]
        self.changes: list[Change] = []

    def add(self, source: str) -> None:
        """Puts a value at the next place that is free, or at the only one."""
        ports = self.ports
        if isinstance(self.written, Mapping) and "constant" not in self.written:
            self._add_by_name(source, self.written)
            return
        items = self._items()
        if ports is not None and len(ports) == 1 and not ports[0].many:
            self._replace_all(source, items)
            return
        if ports is not None and not ports[0].many and len(items) >= len(ports):
            names = listed([port.name for port in ports])
            path = self.level.at("nodes", self.target)
            message = f"every place of {self.target} is taken: {names}"
            raise refused(self.level.document, "GB303", message, path, key=True, hint="name the one to be replaced")
        self._append(source, items)

    def put(self, source: str, port: str | int) -> None:
        """Puts a value at a port or in the place of an item."""
        if isinstance(self.written, Mapping) and "constant" not in self.written:
            self._put_by_name(source, self._port_name(port), self.written)
            return
        items = self._items()
        number = self._number(port)
        if number < len(items):
            if len(items) == 1 and not isinstance(self.written, list):
                self._replace_all(source, items)
                return
            self._told(source, items[number])
            self.changes.append(Replace((*self.path, number), source))
        elif number == len(items):
            self._append(source, items)
        elif self.ports is not None and number < len(self.ports) and not self.ports[0].many:
            names = [each.name for each in self.ports]
            mapping = dict(zip(names, items, strict=False))
            self.changes.append(written_from(self.level, self.target, {**mapping, names[number]: source}))
        else:
            self._refuse_port(port)

    def _items(self) -> list[Any]:
        """What the node takes, one after the other."""
        if isinstance(self.written, list):
            return self.written
        return [self.written] if self.written is not None else list(self.implied)

    def _replace_all(self, source: str, items: list[Any]) -> None:
        if items:
            self._told(source, items[0])
        if isinstance(self.written, list) and len(self.written) == 1:
            self.changes.append(Replace((*self.path, 0), source))
        else:
            self.changes.append(written_from(self.level, self.target, source))

    def _append(self, source: str, items: list[Any]) -> None:
        if isinstance(self.written, list):
            self.changes.append(InsertItem(self.path, len(items), source))
        else:
            many = self.ports is not None and self.ports[0].many
            value = [*items, source] if items or many else source
            self.changes.append(written_from(self.level, self.target, value))

    def _add_by_name(self, source: str, written: Mapping[str, Any]) -> None:
        names = self._names()
        many = {port.name for port in self.ports or () if port.many} | {"inputs"}
        if len(written) == 1 or (len(written) == 2 and "presence" in written):
            (only,) = (key for key in written if key != "presence")
            if only in many and isinstance(written[only], list):
                self.changes.append(InsertItem((*self.path, only), len(written[only]), source))
                return
        free = [name for name in names if name not in written]
        if not free:
            path = self.level.at("nodes", self.target)
            message = f"every place of {self.target} is taken: {listed(names or list(written))}"
            raise refused(self.level.document, "GB303", message, path, key=True, hint="name the one to be replaced")
        self._put_by_name(source, free[0], written)

    def _put_by_name(self, source: str, name: str, written: Mapping[str, Any]) -> None:
        if name in written:
            if isinstance(written[name], list):
                self.changes.append(InsertItem((*self.path, name), len(written[name]), source))
                return
            self._told(source, written[name])
            self.changes.append(Replace((*self.path, name), source))
        else:
            self.changes.append(Insert(self.path, name, source, list(written)[-1] if written else None))

    def _names(self) -> list[str]:
        return [port.name for port in self.ports or ()]

    def _port_name(self, port: str | int) -> str:
        names = self._names()
        if isinstance(port, str):
            if self.ports is not None and port not in names and port not in self.written:
                self._refuse_port(port)
            return port
        if port >= len(names):
            self._refuse_port(port)
        return names[port]

    def _number(self, port: str | int) -> int:
        if isinstance(port, int):
            if port < 0:
                self._refuse_port(port)
            return port
        names = self._names()
        if port not in names:
            self._refuse_port(port)
        return names.index(port)

    def _refuse_port(self, port: str | int) -> None:
        names = self._names()
        told = f"it takes {listed(names)}" if names else None
        hint = suggestion(port, names, listing=told) if isinstance(port, str) else told
        what = f"no place {port}" if isinstance(port, int) else f"no {port}"
        path = self.level.at("nodes", self.target)
        message = f"{self.target} has {what} to connect"
        raise refused(self.level.document, "GB303", message, path, key=True, found=str(port), hint=hint)

    def _told(self, source: str, before: Any) -> None:
        if before != source:
            shown = before if isinstance(before, str) else "a constant"
            self.rewiring.told.append(f"{self.target} now takes {source} instead of {shown}")
