"""What a YAML parser's complaint means in plain words, and what was probably meant.

The C parser and the Python parser word their complaints differently but agree on where they stand, so the words only
choose the rule; everything else is read off the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from graphbuilder.text.problems import Problems
from graphbuilder.text.quoting import expression_end, quoted
from graphbuilder.text.refusals import (
    refuse_empty_key,
    refuse_mismatch,
    refuse_surrogate,
    refuse_unclosed,
    shortened,
)
from graphbuilder.text.tree import Scalar, ScalarStyle
from graphbuilder.text.yaml_indentation import line_out_of_step
from graphbuilder.text.yaml_mistake import Mistake, indentation, line_above, start_of_line

__all__ = ["explain"]

_KEY = re.compile(r"\s*(?:- +)*(?P<key>[^\s#'\"{}\[\],:][^#'\"{}\[\],:]*?)\s*:(?:\s|\Z)")
# A word and what may be its value, without a colon that makes a key of the word.
_WITHOUT_COLON = re.compile(
    r"\s*(?P<key>[A-Za-z_][\w-]*)(?:[ \t]+(?:[\[{].*|(?:(?!: )[^\s:\[{])(?:(?!:(?:\s|$)).)*))?$"
)
_TEXT_WITHOUT_COLON = re.compile(r"\s*(?P<key>[A-Za-z_][\w-]*) +[|>][+-]?\d?$")
# How far above the fault such a line is looked for.
_LINES_OF_TEXT = 30
_GLUED_KEY = re.compile(r"\s*(?:- +)*(?P<key>[^\W\d][\w.$-]*):(?P<value>[^\s:/].*)")


_Rule = Callable[[Mistake, Problems], bool]


def explain(mistake: Mistake, problems: Problems) -> None:
    """Notes the problem that a parser stopped at."""
    for rule in _RULES:
        if rule(mistake, problems):
            return
    complaint = " ".join(part for part in (mistake.context, mistake.problem) if part)
    problems.add("GB104", mistake.at, mistake.at + 1, f"the text is not valid YAML: {complaint}")


def _cut_expression(mistake: Mistake, problems: Problems) -> bool:
    begin = mistake.text.rfind("$(", mistake.line_start, mistake.at)
    end = expression_end(mistake.text, begin) if begin >= 0 else None
    if end is None or end <= mistake.at:
        return False
    whole = mistake.text[begin:end]
    alone = mistake.text[begin - 1 : begin] in ("", " ", "[", "{", "\n", "\r")
    fix = quoted(whole) if alone else None
    message = f"the expression {whole} is cut at `{mistake.character}`"
    hint = f"quote it: {fix}" if fix else "quote the value that holds it"
    problems.add("GB104", begin, end, message, hint=hint, fix=fix)
    return True


def _tab(mistake: Mistake, problems: Problems) -> bool:
    if mistake.character != "\t":
        return False
    message = "a tab stands where YAML wants spaces"
    if not mistake.before.strip():
        message = "a tab stands in the indentation"
    hint = "YAML indents with spaces only; replace the tab"
    above = line_above(mistake.text, mistake.line_start)
    fix, fix_at = None, None
    if above is not None and not mistake.before.strip():
        spaces = indentation(mistake.rest(above)) + (2 if mistake.rest(above).endswith(":") else 0)
        tabs = re.compile(r"[ \t]*").match(mistake.text, mistake.line_start)
        fix, fix_at = " " * spaces, (mistake.line_start, tabs.end() if tabs else mistake.at)
    problems.add("GB104", mistake.at, mistake.at + 1, message, hint=hint, fix=fix, fix_at=fix_at)
    return True


def _indicator(mistake: Mistake, problems: Problems) -> bool:
    """A value that begins with a character that YAML reserves."""
    name = mistake.context.rpartition(" ")[2]
    if "cannot start any token" in mistake.problem:
        start, why = mistake.at, f"a value that begins with {mistake.character} must be quoted"
    elif name in ("alias", "anchor") and "alphabetic" in mistake.problem:
        start = mistake.opened
        why = f"`{mistake.text[start]}` at the beginning of a value must be followed by the name of an anchor"
    elif "block scalar" in mistake.context:
        start = mistake.opened
        why = f"`{mistake.text[start]}` begins a block of text, which starts on the next line"
    else:
        return False
    value = re.split(r"[,\]}]", mistake.rest(start))[0].rstrip()
    fix = quoted(value) if value else None
    hint = f"quote it: {fix}" if fix else None
    problems.add("GB104", start, start + max(len(value), 1), why, hint=hint, fix=fix)
    return True


def _unclosed_quote(mistake: Mistake, problems: Problems) -> bool:
    if "quoted scalar" in mistake.context and ("end of stream" in mistake.problem or "document" in mistake.problem):
        start = mistake.opened
    else:
        # A quote that closes several lines further down, at the beginning of the next quoted string.
        last = mistake.last
        if not isinstance(last, Scalar) or last.style not in (ScalarStyle.SINGLE_QUOTED, ScalarStyle.DOUBLE_QUOTED):
            return False
        if last.end != mistake.at or start_of_line(mistake.text, last.start) == mistake.line_start:
            return False
        start = last.start
    refuse_unclosed(problems, start)
    return True


def _escape(mistake: Mistake, problems: Problems) -> bool:
    if "quoted scalar" not in mistake.context:
        return False
    start = mistake.text.rfind("\\", mistake.opened, mistake.at + 1)
    if start < 0:
        return False
    escape = re.compile(r"\\(?:x\w{0,2}|u\w{0,4}|U\w{0,8}|.)?").match(mistake.text, start)
    assert escape is not None  # There is a backslash.
    end = escape.end()
    if "invalid Unicode" in mistake.problem and escape[0][1] == "u":
        refuse_surrogate(problems, start, end)
        return True
    message = f"`{escape[0]}` is not an escape that double-quoted YAML knows"
    hint = r"write `\\` for a backslash, or use single quotes, which have no escapes"
    problems.add("GB104", start, end, message, hint=hint)
    return True


def _flow(mistake: Mistake, problems: Problems) -> bool:
    """Inside brackets or braces: something other than a comma or the end."""
    if not re.search(r"flow (sequence|mapping)", mistake.context) or mistake.opened == mistake.at:
        return False
    opening = mistake.text[mistake.opened]
    if opening not in "[{" or not mistake.brackets:
        return False
    closing = "]" if opening == "[" else "}"
    here = (f"the {opening} is here", mistake.opened, mistake.opened + 1)
    if mistake.at_end or _begins_outer_line(mistake):
        refuse_unclosed(problems, mistake.opened, inside=None if mistake.at_end else (mistake.at, mistake.at + 1))
    elif mistake.character in "]}":
        refuse_mismatch(problems, mistake.at, mistake.brackets)
    else:
        message = f"{mistake.word()} stands where `,` or `{closing}` is expected"
        hint = "put a comma between entries, and quotes around a value that holds `: `, brackets or braces"
        problems.add("GB104", mistake.at, mistake.at + 1, message, hint=hint, related=(here,))
    return True


def _begins_outer_line(mistake: Mistake) -> bool:
    """Whether the place is on a `key:` line that is indented no deeper than the line of the opening bracket."""
    opening_line = start_of_line(mistake.text, mistake.opened)
    if opening_line == mistake.line_start:
        return False
    line = mistake.rest(mistake.line_start)
    return _KEY.match(line) is not None and indentation(line) <= indentation(mistake.rest(opening_line))


def _missing_value(mistake: Mistake, problems: Problems) -> bool:
    if "node content" not in mistake.problem:
        return False
    if mistake.character == ":":
        refuse_empty_key(problems, mistake.at)
        return True
    if mistake.at_end and mistake.brackets:
        refuse_unclosed(problems, mistake.brackets[-1])
        return True
    message = f"{mistake.word()} stands where a value is expected"
    if mistake.character == ",":
        message = "a value is missing before the comma"
    problems.add("GB104", mistake.at, mistake.at + 1, message)
    return True


def _colon_in_flow(mistake: Mistake, problems: Problems) -> bool:
    if "found unexpected ':'" not in mistake.problem:
        return False
    message = "a value is missing after the colon"
    hint = "put the value behind it, or a space if none is meant"
    problems.add("GB104", mistake.at, mistake.at + 1, message, hint=hint)
    return True


def _colon(mistake: Mistake, problems: Problems) -> bool:
    """A colon that makes a key where none can be."""
    if "mapping values are not allowed" not in mistake.problem:
        return False
    start = mistake.line_start
    line = mistake.rest(start)
    first = _KEY.match(line)
    if first is not None and start + first.end("key") < mistake.at:
        _colon_in_value(mistake, problems, start + first.end())
        return True
    if _colon_missing(mistake, problems, start):
        return True
    above = line_above(mistake.text, start)
    if above is not None:
        if indentation(line) <= indentation(mistake.rest(above)) and _colon_missing(mistake, problems, above):
            return True
        if _glued_key(mistake, problems, above):
            return True
        if _out_of_step(mistake, problems):
            return True
        if indentation(line) > indentation(mistake.rest(above)):
            key_start = start + indentation(line)
            message = "this line is indented deeper than the line above it, which has its value already"
            hint = "give both lines the same indentation, or take the value away from the line above"
            content = mistake.rest(above)
            related = (("the line above it", above + indentation(content), above + len(content)),)
            problems.add("GB104", key_start, mistake.at, message, hint=hint, related=related)
            return True
    message = "the colon makes a key of what stands before it, and no key can stand here"
    problems.add("GB104", mistake.at, mistake.at + 1, message, hint="quote the value if the colon belongs to it")
    return True


def _colon_missing(mistake: Mistake, problems: Problems, line_start: int) -> bool:
    """A line like `units 64` or `stem {layer: Dense}`, which says a key and its value without the colon between."""
    found = _WITHOUT_COLON.match(mistake.rest(line_start))
    if found is None:
        return False
    start, end = line_start + found.start("key"), line_start + found.end("key")
    fix = f"{found['key']}:"
    problems.add("GB104", start, end, f"a colon is missing behind {found['key']}", hint=f"write `{fix}`", fix=fix)
    return True


def _text_without_colon(mistake: Mistake, problems: Problems) -> bool:
    """A line like `about >-`, whose lines of text below it are then read as something else."""
    start: int | None = mistake.line_start
    for _ in range(_LINES_OF_TEXT):
        start = None if start is None else line_above(mistake.text, start)
        found = None if start is None else _TEXT_WITHOUT_COLON.match(mistake.rest(start))
        if start is not None and found is not None:
            key = found["key"]
            at = start + found.start("key")
            message = f"a colon is missing behind {key}"
            problems.add("GB104", at, at + len(key), message, hint=f"write `{key}:`", fix=f"{key}:")
            return True
    return False


def _colon_in_value(mistake: Mistake, problems: Problems, search_from: int) -> None:
    value = mistake.rest(search_from)
    start = search_from + len(value) - len(value.lstrip())
    value = value.strip()
    fix = quoted(value) if value[:1] not in "\"'[{&*!|>" else None
    message = "a value that holds `: ` must be quoted"
    if value.endswith("}") and "{" not in value:
        fix = f"{{{value}"
        message = "a `{` is missing before what a `}` closes"
        problems.add("GB104", start, start + len(value), message, hint=f"write {{{shortened(value)}", fix=fix)
        return
    hint = f"quote it: {fix}" if fix else "put the second key on a line of its own, or quote the value"
    problems.add("GB104", start, start + len(value), message, hint=hint, fix=fix)


def _glued_key(mistake: Mistake, problems: Problems, line_start: int) -> bool:
    """A line like `units:64`, which is one string to YAML."""
    glued = _GLUED_KEY.match(mistake.rest(line_start))
    if glued is None:
        return False
    start = line_start + glued.start("key")
    fix = f"{glued['key']}: {glued['value']}"
    message = f"a space is missing after the colon of `{glued['key']}`"
    problems.add("GB104", start, line_start + glued.end(), message, hint=f"write `{fix}`", fix=fix)
    return True


def _key_without_colon(mistake: Mistake, problems: Problems) -> bool:
    if "simple key" not in mistake.context:
        return False
    line_start = start_of_line(mistake.text, mistake.opened)
    if _glued_key(mistake, problems, line_start):
        return True
    written = mistake.rest(mistake.opened)
    message = f"`{shortened(written)}` stands where a key is expected, but no colon follows it"
    hint = "write `key: value`; a text that goes on from the line above must be indented deeper than that line"
    problems.add("GB104", mistake.opened, mistake.opened + max(len(written), 1), message, hint=hint)
    return True


def _list_entry(mistake: Mistake, problems: Problems) -> bool:
    if "mapping keys are not allowed" in mistake.problem:
        message = "`? ` begins a key of several parts, and none can stand here"
        problems.add("GB104", mistake.at, mistake.at + 1, message, hint="quote the value that it belongs to")
        return True
    if "entries are not allowed" not in mistake.problem:
        return False
    message = "`- ` begins an entry of a list, and none can stand here"
    hint = "put the list on the lines below its key, one `- ` for each entry, or write it as [a, b]"
    problems.add("GB104", mistake.at, mistake.at + 1, message, hint=hint)
    return True


def _misplaced(mistake: Mistake, problems: Problems) -> bool:
    """Inside a block collection: neither its next entry nor its end."""
    in_mapping = "block mapping" in mistake.context
    if not in_mapping and "block collection" not in mistake.context:
        return False
    if mistake.character == ":":
        refuse_empty_key(problems, mistake.at)
        return True
    kind = "mapping" if in_mapping else "list"
    here = (f"the {kind} begins here", mistake.opened, mistake.opened + 1)
    end = mistake.at + max(len(mistake.rest(mistake.at)), 1)
    hint: str | None
    if mistake.before.strip():
        message = f"{mistake.word()} stands behind a value that is complete already"
        hint = "quote the whole value if both belong together"
        if mistake.text[mistake.at - 1] in "\"'":
            hint = "to have a quote inside quotes, double a single one, and put a backslash before a double one"
        problems.add("GB104", mistake.at, end, message, hint=hint)
        return True
    indentation = len(mistake.before)
    if indentation == mistake.opened - start_of_line(mistake.text, mistake.opened):
        message = f"{mistake.word()} stands where a key is expected"
        if not in_mapping:
            message = f"{mistake.word()} stands where `- ` is expected, for an entry of the list"
        elif mistake.character == "-":
            message = "an entry of a list stands among the keys of a mapping"
        hint = "indent it if it belongs to the line above"
    elif _out_of_step(mistake, problems):
        return True
    else:
        message = f"this line is indented by {indentation} spaces, like no line that it could belong to"
        hint = "give it the indentation of the lines beside which it belongs"
    problems.add("GB104", mistake.at, end, message, hint=hint, related=(here,))
    return True


def _out_of_step(mistake: Mistake, problems: Problems) -> bool:
    """A line above the one at which the parser stopped, with an indentation unlike that of the lines around it."""
    found = line_out_of_step(mistake.text, mistake.at)
    if found is None:
        return False
    line, wanted = found
    start = line.start + line.indent
    end = line.start + len(line.text.rstrip())
    stopped = mistake.line_start + indentation(mistake.rest(mistake.line_start))
    message = f"this line is indented by {line.indent} spaces, unlike the lines around it"
    related = (("so that this line belongs nowhere", stopped, stopped + 1),)
    expected = f"{wanted} spaces"
    fix_at = (line.start, start)
    problems.add("GB104", start, end, message, expected=expected, fix=" " * wanted, fix_at=fix_at, related=related)
    return True


def _tag_handle(mistake: Mistake, problems: Problems) -> bool:
    if "undefined tag handle" not in mistake.problem and not mistake.context.endswith(" a tag"):
        return False
    written = re.match(r"\S*", mistake.text[mistake.opened : mistake.opened + 100])
    name = written[0] if written else "!"
    message = f"the tag {name} asks for a type that plain data does not have"
    hint = "remove the tag, or quote the value if it begins with `!`"
    problems.add("GB106", mistake.opened, mistake.opened + len(name), message, found=name, hint=hint)
    return True


def _document(mistake: Mistake, problems: Problems) -> bool:
    if "document start" in mistake.problem:
        message, hint = f"{mistake.word()} stands behind the end of the document", "quote the value, or remove the rest"
    elif "directive" in mistake.context or "YAML document" in mistake.problem:
        message = "a line that begins with % is a directive to YAML, and this one is not understood"
        problems.add("GB104", mistake.opened, mistake.opened + 1, message, hint="remove it")
        return True
    else:
        return False
    problems.add("GB104", mistake.at, mistake.at + 1, message, hint=hint)
    return True


_RULES: tuple[_Rule, ...] = (
    _cut_expression,
    _text_without_colon,
    _tab,
    _unclosed_quote,
    _escape,
    _indicator,
    _flow,
    _missing_value,
    _colon_in_flow,
    _colon,
    _key_without_colon,
    _list_entry,
    _misplaced,
    _tag_handle,
    _document,
)
