"""The schema of data of which an earlier state has been accepted already: only what has changed is checked."""

from __future__ import annotations

from typing import Any

from graphbuilder.blueprint.document import Document
from graphbuilder.blueprint.schema import Blueprint

__all__ = ["validated"]


def validated(data: dict[str, Any], previous: Document | None) -> Blueprint:
    """What the data say, with the parts of an earlier state that have not changed.

    Arguments:
        data: what the text says.
        previous: an earlier state of the document, or None. Of its nodes and blocks those are taken whose data are the
            very objects of before.

    Raises:
        ValidationError: the schema refuses what has changed.
    """
    if previous is None:
        return Blueprint.model_validate(data)
    before = previous.source.data
    kept: dict[str, dict[str, Any]] = {}
    asked = dict(data)
    for section in ("nodes", "blocks"):
        now, then = data.get(section), before.get(section)
        if isinstance(now, dict) and isinstance(then, dict):
            known = getattr(previous.blueprint, section)
            same = (name for name, value in now.items() if isinstance(value, dict) and then.get(name) is value)
            kept[section] = {name: known[name] for name in same}
            asked[section] = {name: value for name, value in now.items() if name not in kept[section]}
    blueprint = Blueprint.model_validate(asked)
    merged = {}
    for section, known in kept.items():
        new = getattr(blueprint, section)
        merged[section] = {name: known[name] if name in known else new[name] for name in data[section]}
    return blueprint.model_copy(update=merged)
