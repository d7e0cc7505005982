"""The file as text: YAML 1.2 and JSON read safely, with a position for every key and value, and written readably."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from graphbuilder.text.collector import collector_paused
from graphbuilder.text.files import decode, read_bytes, refuse_control_characters, refuse_size
from graphbuilder.text.json_reader import read_json
from graphbuilder.text.limits import TextLimits
from graphbuilder.text.problems import Problems
from graphbuilder.text.source import Source
from graphbuilder.text.write import to_json, to_yaml
from graphbuilder.text.yaml_reader import read_yaml

if TYPE_CHECKING:
    from graphbuilder.text.source import Syntax

__all__ = ["Source", "TextLimits", "parse", "read", "to_json", "to_yaml"]


def read(path: str | os.PathLike[str], *, limits: TextLimits | None = None, name: str | None = None) -> Source:
    r"""Reads a file: as JSON if its name ends in `.json`, else as YAML.

    Arguments:
        path: the file.
        limits: the budgets.
        name: what messages call it; the path itself when left out.

    Raises:
        BlueprintError: GB101 to GB113, everything that could be found.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp(), "tiny.yaml")
        >>> _ = path.write_text("blueprint: 1\n")
        >>> read(path).data
        {'blueprint': 1}
    """
    place = os.fspath(path)
    limits = limits or TextLimits()
    syntax: Syntax = "json" if place.lower().endswith(".json") else "yaml"
    shown = name or place
    return parse(read_bytes(place, shown, limits), name=shown, syntax=syntax, limits=limits)


def parse(
    text: str | bytes, *, name: str = "<text>", syntax: Syntax | None = None, limits: TextLimits | None = None
) -> Source:
    """Reads a text.

    Arguments:
        text: the text, or the bytes of a file.
        name: what messages call it.
        syntax: "yaml" or "json"; None decides by the name's ending, and takes YAML for all but `.json`.
        limits: the budgets.

    Raises:
        BlueprintError: GB102 to GB113, everything that could be found.

    Example:
        >>> parse("{rate: 1e-3, mode: on}").data
        {'rate': 0.001, 'mode': 'on'}
    """
    limits = limits or TextLimits()
    if isinstance(text, bytes):
        refuse_size(len(text), name, limits)
        content, marked = decode(text, name)
    else:
        marked = text.startswith("\ufeff")
        content = text[1:] if marked else text
        # A character has four bytes at most, so most texts need not be encoded to know that they fit.
        if len(text) * 4 > limits.bytes:
            refuse_size(len(text.encode("utf-8", "surrogatepass")), name, limits)
    if syntax is None:
        syntax = "json" if name.lower().endswith(".json") else "yaml"
    refuse_control_characters(Problems(name, content, limits), syntax)
    with collector_paused():
        root = read_json(content, name, limits) if syntax == "json" else read_yaml(content, name, limits)
    return Source(name, content, root, syntax, marked)
