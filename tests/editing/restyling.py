"""One file written in other ways: other styles, other line breaks, comments everywhere."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from graphbuilder.text import parse, to_json
from graphbuilder.text.quoting import is_plain, quoted
from graphbuilder.text.tree import Scalar, ScalarStyle, walk

__all__ = ["COMMENT", "RESTYLED", "commented", "comments"]

COMMENT = re.compile(r"#~\d+~")


def comments(text: str) -> list[str]:
    """The numbered comments of a text, in order."""
    return COMMENT.findall(text)


def commented(text: str, chance: Random) -> str:
    """A YAML text with numbered comments on lines of their own, and behind what stands on a line.

    Arguments:
        text: the text, which may have comments already.
        chance: where randomness comes from.
    """
    source = parse(text)
    closed: set[int] = set()
    for node in walk(source.root):
        place = source.span(node)
        if isinstance(node, Scalar) and (node.style is not ScalarStyle.PLAIN or place.end_line > place.line):
            # Within a text block, or a string of several lines, a # is no comment.
            closed.update(range(place.line - 1, place.end_line))
    lines = text.split("\n")
    found: list[str] = []
    count = 0
    for number, line in enumerate(lines):
        inside = number in closed or (number - 1 in closed and number in closed)
        starts_inside = number in closed and number - 1 in closed
        margin = line[: len(line) - len(line.lstrip())]
        if not starts_inside and line.strip() and chance.random() < 0.2:
            count += 1
            found.append(f"{margin}#~{count}~")
        if not inside and line.strip() and "#" not in line and chance.random() < 0.2:
            count += 1
            line = f"{line}  #~{count}~"
        found.append(line)
    return "\n".join(found)


def _written(value: Any, indent: str, style: Callable[[int], str], depth: int = 0) -> str:
    """A value behind its key or dash, in the style of its depth: block, flow, or lines in braces."""
    if not isinstance(value, (dict, list)) or not value:
        return (
            f" {_scalar(value, flow=style(depth) != 'block')}" if not isinstance(value, (dict, list)) else _empty(value)
        )
    if style(depth) == "flow":
        return f" {_flow(value)}"
    inner = f"{indent}  "
    if style(depth) == "braces":
        opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
        rows = ",\n".join(f"{inner}{row}" for row in _flow_rows(value))
        return f" {opening}\n{rows}\n{indent}{closing}"
    lines: list[str] = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        lead = f"{_scalar(key, flow=False)}:" if isinstance(value, dict) else "-"
        lines.append(f"{inner}{lead}{_written(item, inner, style, depth + 1)}")
    return "\n" + "\n".join(lines)


def _empty(value: Any) -> str:
    return " {}" if isinstance(value, dict) else " []"


def _flow_rows(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{_scalar(key, flow=True)}: {_flow(item)}"
    else:
        yield from map(_flow, value)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(_flow_rows(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow_rows(value)) + "]"
    return _scalar(value, flow=True)


def _scalar(value: Any, *, flow: bool) -> str:
    if isinstance(value, str):
        return value if is_plain(value, flow=flow) else quoted(value)
    return to_json(value).strip()


def _root(data: Mapping[str, Any], style: Callable[[int], str]) -> str:
    rows = [f"{_scalar(key, flow=False)}:{_written(item, '', style)}" for key, item in data.items()]
    return "\n".join(rows) + "\n"


def _block(text: str, chance: Random) -> str:
    return _root(parse(text).data, lambda depth: "block")


def _flow_nodes(text: str, chance: Random) -> str:
    return _root(parse(text).data, lambda depth: "block" if depth < 1 else "flow")


def _braces(text: str, chance: Random) -> str:
    return _root(parse(text).data, lambda depth: "block" if depth < 1 else "braces" if depth < 2 else "flow")


def _all_braces(text: str, chance: Random) -> str:
    return _root(parse(text).data, lambda depth: "braces")


def _json(text: str, chance: Random) -> str:
    return to_json(parse(text).data)


def _json_on_one_line(text: str, chance: Random) -> str:
    return json.dumps(parse(text).data, ensure_ascii=False, separators=(",", ":"))


def _json_with_tabs(text: str, chance: Random) -> str:
    return json.dumps(parse(text).data, ensure_ascii=False, indent="\t") + "\n"


def _anchors(text: str, chance: Random) -> str:
    """Whatever collection stands there a second time is an alias of the first."""
    data = parse(text).data
    counted = Counter(_flow(value) for value in _collections(data))
    written: dict[str, str] = {}

    def shared(value: Any) -> str:
        plain = _flow(value)
        if not isinstance(value, (dict, list)) or counted[plain] < 2:
            if isinstance(value, dict):
                return (
                    "{" + ", ".join(f"{_scalar(key, flow=True)}: {shared(item)}" for key, item in value.items()) + "}"
                )
            return "[" + ", ".join(map(shared, value)) + "]" if isinstance(value, list) else plain
        if plain in written:
            return f"*{written[plain]}"
        written[plain] = f"a{len(written)}"
        return f"&{written[plain]} {plain}"

    rows = []
    for key, section in data.items():
        if not isinstance(section, dict) or not section:
            rows.append(f"{_scalar(key, flow=False)}: {shared(section)}")
            continue
        rows.append(f"{_scalar(key, flow=False)}:")
        rows += [f"  {_scalar(name, flow=False)}: {shared(value)}" for name, value in section.items()]
    return "\n".join(rows) + "\n"


def _collections(value: Any) -> Iterator[Any]:
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(item, (dict, list)) and item:
            yield item
            yield from _collections(item)


def _tabs(text: str, chance: Random) -> str:
    """Tabs in front of comments, where YAML lets them stand."""
    return re.sub(r"(?<=\S)  (?=#~)", "\t", commented(text, chance))


def _crlf(text: str, chance: Random) -> str:
    return text.replace("\n", "\r\n")


def _no_end(text: str, chance: Random) -> str:
    return text.rstrip("\n")


def _commented(make: Callable[[str, Random], str]) -> Callable[[str, Random], str]:
    return lambda text, chance: commented(make(text, chance), chance)


# Each makes of a YAML text one that says the same.
RESTYLED: Mapping[str, Callable[[str, Random], str]] = {
    "as written": lambda text, chance: text,
    "comments": commented,
    "block": _commented(_block),
    "flow": _commented(_flow_nodes),
    "braces": _commented(_braces),
    "all braces": _commented(_all_braces),
    "anchors": _commented(_anchors),
    "tabs": _tabs,
    "json": _json,
    "json on one line": _json_on_one_line,
    "json with tabs": _json_with_tabs,
    "crlf": lambda text, chance: _crlf(commented(text, chance), chance),
    "no line break at the end": lambda text, chance: _no_end(commented(text, chance), chance),
    "byte order mark": lambda text, chance: "\ufeff" + commented(text, chance),
}
