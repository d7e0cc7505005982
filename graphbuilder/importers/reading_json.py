"""The JSON of a configuration as plain data, within limits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.reading_limits import MOST_BYTES, MOST_DEPTH, MOST_DIGITS, MOST_ITEMS, damaged, shown

__all__ = ["parsed"]

# It begins before the digits, so that each of them is looked at once.
_LONG_NUMBER = re.compile(rb"(?:^|[^0-9])[0-9]{%d}" % (MOST_DIGITS + 1))


def parsed(content: bytes) -> dict[str, Any]:
    """The mapping that a configuration's JSON holds.

    `NaN` and `Infinity` are read as numbers: Keras writes them, and layers such as Masking are made with them.

    Arguments:
        content: the text, in UTF-8.

    Raises:
        NotCarried: GB852, it is no JSON, not a mapping, or beyond the limits.

    Example:
        >>> parsed(b'{"class_name": "Sequential"}')
        {'class_name': 'Sequential'}
    """
    _refuse_size(content)
    try:
        saved = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_mapping)
    except UnicodeDecodeError:
        raise damaged("its configuration is not UTF-8 text") from None
    except ValueError as error:
        raise damaged(f"its configuration is no JSON: {error}") from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(saved, dict):
        raise damaged(f"its configuration is {_word(saved)}; expected a mapping")
    _refuse_depth(saved)
    return saved


def _refuse_size(content: bytes) -> None:
    """Refuses what would take much more memory as data than as text, before it is read."""
    if len(content) > MOST_BYTES:
        raise damaged(f"its configuration has more than {MOST_BYTES:,} bytes")
    # Signs within strings count too, which are few.
    if content.count(b"[") + content.count(b"{") > MOST_ITEMS // 4 or content.count(b",") > MOST_ITEMS:
        raise damaged(
            f"its configuration has more than {MOST_ITEMS:,} items, or {MOST_ITEMS // 4:,} lists and mappings"
        )
    if _LONG_NUMBER.search(content):
        raise damaged(f"its configuration has a number of more than {MOST_DIGITS:,} digits")


def _mapping(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise damaged(f"the key {shown(twice)} stands twice in one mapping of its configuration")
    return found


def _refuse_depth(saved: dict[str, Any]) -> None:
    # Level by level, because Python's own depth is what deep data exhausts.
    level: list[Any] = [saved]
    for _ in range(MOST_DEPTH):
        inside: list[Any] = []
        for item in level:
            inside += item.values() if isinstance(item, Mapping) else item
        level = [item for item in inside if isinstance(item, (dict, list))]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> NotCarried:
    return damaged(f"its configuration is nested more than {MOST_DEPTH} deep")


def _word(value: Any) -> str:
    return {list: "a list", str: "a string", bool: "true or false", type(None): "null"}.get(type(value), "a number")
