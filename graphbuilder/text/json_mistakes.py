"""What is wrong with a text that is nearly JSON, in plain words."""

from __future__ import annotations

import json
import re

from graphbuilder.text.problems import Problems
from graphbuilder.text.quoting import json_string
from graphbuilder.text.refusals import refuse_mismatch, refuse_unclosed, shortened

__all__ = ["explain", "explain_string"]

_MEANT = {
    "VALUE": "a value",
    "VALUE_OR_END": "a value or `]`",
    "KEY": "a key in double quotes",
    "KEY_OR_END": "a key in double quotes or `}`",
    "COLON": "`:`",
    "COMMA_OR_END": "a comma or the end",
    "NOTHING": "the end of the file",
}
_NUMBER = re.compile(r"[-+]?\.?[0-9][\w.+-]*")
_NOT_A_NUMBER = re.compile(r"[-+]?(?:NaN|Infinity|nan|inf)\b")
_WORD = re.compile(r"[^\W\d][\w.-]*")
_SINGLE_QUOTED = re.compile(r"'((?:[^'\\\r\n]|\\.)*)'")
_FOREIGN_WORDS = {"True": "true", "False": "false", "None": "null", "TRUE": "true", "undefined": "null"}


def explain(problems: Problems, at: int, expected: str, brackets: list[int]) -> None:
    """Notes that something other than what JSON expects stands at an offset.

    Arguments:
        problems: where to note it.
        at: the offset.
        expected: what may come there, as the name of a state of the reader.
        brackets: the offsets of the brackets and braces that are open, outermost first.
    """
    if _comment(problems, at) or _comma(problems, at, expected) or _bracket(problems, at, expected, brackets):
        return
    if expected == "VALUE" and not brackets and problems.text[at] not in "'+.":
        message = f"{_shown(problems.text, at)} begins no JSON value"
        hint = "a blueprint in JSON begins with `{`; a YAML file must not have a name that ends in .json"
        problems.add("GB104", at, at + 1, message, hint=hint)
        return
    if expected in ("VALUE", "VALUE_OR_END", "KEY", "KEY_OR_END") and _quote_or_word(problems, at, expected):
        return
    if expected in ("VALUE", "VALUE_OR_END") and _number(problems, at):
        return
    if expected == "NOTHING":
        message = "more text stands behind the end of the JSON value"
        problems.add("GB104", at, at + 1, message, hint="a file holds one JSON value")
        return
    found = _shown(problems.text, at)
    message = f"{found} stands where it cannot"
    problems.add("GB104", at, at + len(found), message, expected=_MEANT[expected])


def _shown(text: str, at: int) -> str:
    found = re.compile(r'"(?:[^"\\\r\n]|\\.){0,30}"|\w{1,30}|.', re.DOTALL).match(text, at)
    return found[0] if found else ""


def _comment(problems: Problems, at: int) -> bool:
    text = problems.text
    if not text.startswith(("//", "/*", "#"), at):
        return False
    end = re.compile(r"\*/|\Z" if text.startswith("/*", at) else r"(?=[\r\n])|\Z").search(text, at)
    hint = "remove it, or keep the file as YAML, where comments begin with #"
    problems.add("GB104", at, end.end() if end else at + 1, "JSON has no comments", hint=hint)
    return True


def _comma(problems: Problems, at: int, expected: str) -> bool:
    text = problems.text
    character = text[at]
    before = len(text[:at].rstrip())
    if character in "]}" and text[before - 1 : before] == ",":
        message = f"a comma stands before the closing `{character}`"
        problems.add("GB104", before - 1, before, message, hint="remove the comma", fix="")
    elif character == "," and expected != "COMMA_OR_END" and expected != "NOTHING":
        problems.add("GB104", at, at + 1, "a comma stands where none belongs", expected=_MEANT[expected])
    elif expected == "COMMA_OR_END" and (character in '"[{-' or character.isalnum()):
        message = f"a comma is missing before {_shown(text, at)}"
        problems.add("GB104", before, before, message, fix=",")
    else:
        return False
    return True


def _bracket(problems: Problems, at: int, expected: str, brackets: list[int]) -> bool:
    character = problems.text[at]
    if character not in "]}":
        return False
    if not brackets:
        problems.add("GB104", at, at + 1, f"`{character}` closes nothing")
        return True
    opening = brackets[-1]
    opened = problems.text[opening]
    closing = "]" if opened == "[" else "}"
    if character != closing:
        refuse_mismatch(problems, at, brackets)
        return True
    related = ((f"the {opened} is here", opening, opening + 1),)
    message = f"`{character}` stands where {_MEANT[expected]} is expected"
    problems.add("GB104", at, at + 1, message, related=related)
    return True


def _quote_or_word(problems: Problems, at: int, expected: str) -> bool:
    text = problems.text
    single = _SINGLE_QUOTED.match(text, at)
    if single is not None:
        fix = json_string(single[1].replace("\\'", "'"))
        message = "JSON quotes strings with double quotes, not with single ones"
        problems.add("GB104", at, single.end(), message, hint=f"write {fix}", fix=fix)
        return True
    special = _NOT_A_NUMBER.match(text, at)
    if special is not None:
        message = f"JSON has no number {special[0]}"
        hint = "write null or a string, or keep the file as YAML, where it is .nan or .inf"
        problems.add("GB104", at, special.end(), message, hint=hint)
        return True
    word = _WORD.match(text, at)
    if word is None:
        return False
    is_value = expected.startswith("VALUE")
    fix = json_string(word[0])
    if is_value and word[0] in _FOREIGN_WORDS:
        fix = _FOREIGN_WORDS[word[0]]
    message = f"{word[0]} is not a JSON value" if is_value else f"the key {word[0]} is not quoted"
    problems.add("GB104", at, word.end(), message, hint=f"write {fix}", fix=fix)
    return True


def _number(problems: Problems, at: int) -> bool:
    number = _NUMBER.match(problems.text, at)
    if number is None:
        return False
    written = number[0]
    why = "is not a number that JSON knows"
    if written.startswith("+"):
        why = "begins with a plus, which JSON does not know"
    elif written.lstrip("-").startswith("."):
        why = "needs a digit before its point in JSON"
    elif re.match(r"-?0[0-9]+\Z", written):
        why = "begins with a zero, which JSON does not allow"
    elif re.match(r"-?[0-9]+\.(?![0-9])", written):
        why = "needs a digit behind its point in JSON"
    problems.add("GB104", at, number.end(), f"{shortened(written)} {why}")
    return True


def explain_string(problems: Problems, at: int, error: json.JSONDecodeError) -> None:
    """Notes what is wrong with the string that begins at an offset."""
    text = problems.text
    start = error.pos
    hint: str | None
    if error.msg.startswith("Unterminated"):
        refuse_unclosed(problems, at)
        return
    if error.msg.startswith("Invalid control") and text[start] in "\r\n":
        message, hint = "a JSON string cannot go on over a line's end", r'close it with a `"`, or write `\n`'
    elif error.msg.startswith("Invalid control"):
        code = f"{ord(text[start]):04X}"
        name = "a tab" if text[start] == "\t" else f"U+{code}"
        message, hint = f"{name} stands unescaped in a JSON string", rf"write `\u{code}`"
    else:
        start = text.rfind("\\", at, error.pos + 1)
        shown = text[start : start + (6 if text[start + 1 : start + 2] == "u" else 2)]
        message, hint = f"`{shown}` is not an escape that JSON knows", r"write `\\` for a backslash"
    problems.add("GB104", start, start + 1, message, hint=hint)
