"""Which strings may stand unquoted in YAML, and how the others are quoted."""

from __future__ import annotations

import json
import re

__all__ = ["expression_end", "is_plain", "json_string", "json_text", "quoted"]

# What YAML 1.1 or 1.2 readers take for something else, whatever the case, so that no reader at all is misled.
_WORDS = frozenset(("null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan", "=", "<<"))
# A letter, or a character that begins neither a number nor anything that YAML gives a meaning. A dot may begin one.
_START = re.compile(r"[^\W\d]|[$/(]|\.(?![0-9])")
_FLOW = frozenset(",[]{}?")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def is_plain(text: str, *, flow: bool = False) -> bool:
    """Whether every YAML reader reads the text, unquoted, as the string that it is.

    Arguments:
        text: a string.
        flow: whether it stands inside brackets or braces.

    Example:
        >>> is_plain("relu"), is_plain("on"), is_plain("$max(a, b)"), is_plain("$max(a, b)", flow=True)
        (True, False, True, False)
    """
    if _START.match(text) is None or not text.isprintable() or text.endswith((" ", ":")):
        return False
    if ": " in text or " #" in text or text.startswith("...") or text.casefold() in _WORDS:
        return False
    return not (flow and any(character in _FLOW for character in text))


def quoted(text: str) -> str:
    r"""The text as a quoted YAML scalar on one line.

    Raises:
        ValueError: the text holds half of a surrogate pair, which no UTF-8 file can hold.

    Example:
        >>> print(quoted("a: b"), quoted('say "hi"'), quoted("bell \a"))
        "a: b" 'say "hi"' "bell \x07"
    """
    if text.isprintable():
        if '"' not in text and "\\" not in text:
            return f'"{text}"'
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"U+{code:04X} is half of a surrogate pair and cannot be written as UTF-8")
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_PART = re.compile(r"""[()]|"[^"\n]*"|'[^'\n]*'""")
_LONGEST = 2000


def expression_end(text: str, start: int) -> int | None:
    """The offset behind the parenthesis that closes the `$(` at `start`, or None when its line never closes it.

    Example:
        >>> text = "{units: $(min(a, b)), name: x}"
        >>> text[8:expression_end(text, 8)]
        '$(min(a, b))'
    """
    depth = 0
    line_end = re.compile(r"[\r\n]|\Z").search(text, start, start + _LONGEST)
    for part in _PART.finditer(text, start, line_end.start() if line_end else start + _LONGEST):
        if part[0] == "(":
            depth += 1
        elif part[0] == ")":
            depth -= 1
            if depth == 0:
                return part.end()
    return None


def json_string(text: str) -> str:
    """The text as a JSON string, with no more escapes than JSON asks for.

    Raises:
        ValueError: the text holds half of a surrogate pair, which no UTF-8 file can hold.
    """
    written = json.dumps(text, ensure_ascii=False)
    written.encode()
    return written


def json_text(text: str) -> str:
    """A value that is written as YAML, written as JSON: numbers, words and what is JSON already stay as they are.

    Example:
        >>> json_text("Dense"), json_text("6.0"), json_text("null")
        ('"Dense"', '6.0', 'null')
    """
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(text, ensure_ascii=False)
    return text
