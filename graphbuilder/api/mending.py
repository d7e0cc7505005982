"""Carrying out the fixes that diagnostics offer, each only when it mends what it says and breaks nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from graphbuilder.api.reading import Checked, check
from graphbuilder.blueprint import load_source
from graphbuilder.errors import BlueprintError, Diagnostic, Severity
from graphbuilder.text import parse, read
from graphbuilder.text.files import read_bytes
from graphbuilder.text.fixing import fix_splice
from graphbuilder.text.limits import TextLimits
from graphbuilder.text.splices import spliced

__all__ = ["Mended", "mend"]

# A file in which more is wrong is mended in several goes.
_MOST = 200


@dataclass(frozen=True, slots=True)
class Mended:
    """A blueprint's text with the fixes made.

    Arguments:
        text: the text afterwards; everything that no fix touched is as it was, byte for byte.
        original: the text before.
        made: the diagnostics whose fixes were carried out, in order.
        left: what is still to be said.
    """

    text: str
    original: str
    made: tuple[Diagnostic, ...]
    left: tuple[Diagnostic, ...]


def mend(path: str | PathLike[str], params: Mapping[str, Any] | None = None) -> Mended:
    r"""Carries out the fixes that checking a blueprint offers, and gives the new text; no file is written.

    A fix is kept only when the text is then free of what it was offered for, and nothing is wrong with it that was
    not before: faults of a later stage may come to light, which a fault of an earlier one had hidden.

    Arguments:
        path: a YAML or JSON file.
        params: values for some of its params.

    Raises:
        BlueprintError: the file cannot be read as text at all.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp(), "small.yaml")
        >>> _ = path.write_text("blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes: {out: {layer: Dens, units: 1}}\n")
        >>> mended = mend(path)
        >>> len(mended.made), mended.left, mended.text.splitlines()[2]
        (1, (), 'nodes: {out: {layer: Dense, units: 1}}')
    """
    name = str(path)
    content = read_bytes(name, name, TextLimits())
    try:
        original = content.decode("utf-8")
    except UnicodeDecodeError:
        read(name)
        raise
    text = original
    found = _checked(text, name, params).diagnostics
    made: list[Diagnostic] = []
    refused: set[tuple[str, str]] = set()
    while len(made) + len(refused) < _MOST:
        offer = next((item for item in found if _offers(item, name) and (item.code, item.message) not in refused), None)
        if offer is None:
            break
        changed = _carried_out(text, offer, name)
        after = found if changed is None else _checked(changed, name, params).diagnostics
        if changed is not None and _better(offer, found, after):
            text, found = changed, after
            made.append(offer)
        else:
            refused.add((offer.code, offer.message))
    return Mended(text, original, tuple(made), found)


def _checked(text: str, name: str, params: Mapping[str, Any] | None) -> Checked:
    """What checking the text finds, as if it stood in the file."""
    try:
        document = load_source(parse(text, name=name), Path(name))
    except BlueprintError as error:
        return Checked(None, error.diagnostics)
    return check(document, params)


def _offers(diagnostic: Diagnostic, name: str) -> bool:
    return diagnostic.fix is not None and diagnostic.file == name


def _carried_out(text: str, offer: Diagnostic, name: str) -> str | None:
    """The text with one fix made; None where it changes nothing."""
    # A byte order mark is no part of what positions count.
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    body = text[len(mark) :]
    splice = fix_splice(offer, body, json=name.lower().endswith(".json"))
    changed = text if splice is None else mark + spliced(body, [splice])
    return None if changed == text else changed


def _better(offer: Diagnostic, before: Sequence[Diagnostic], after: Sequence[Diagnostic]) -> bool:
    """Whether a fix did what it was offered for, and nothing was broken."""

    def key(item: Diagnostic) -> tuple[str, str, str | None]:
        return item.code, item.message, item.node

    def count(items: Sequence[Diagnostic]) -> int:
        return sum(key(item) == key(offer) for item in items)

    if count(after) >= count(before):
        return False
    known = {key(item) for item in before}
    new = [item for item in after if item.severity is Severity.ERROR and key(item) not in known]
    # The hundreds of codes are the stages in their order: what comes to light belongs to a later one. Only a name of
    # the document hides faults of its own stage: what is said to a layer can be judged when it is known which layer.
    same = [item for item in new if item.code[2] <= offer.code[2]]
    hidden = all(item.code.startswith("GB2") and (len(same) == 1 or item.node == offer.node) for item in same)
    return hidden if offer.code.startswith("GB2") else not same
