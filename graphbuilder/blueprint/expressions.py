"""Expressions over params: `$name`, `$(arithmetic)` and `$$`, evaluated by a small evaluator that runs no code."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphbuilder.catalog.arguments import as_written
from graphbuilder.errors import nearest
from graphbuilder.limits import limit, raising_hint

__all__ = ["FUNCTIONS", "ExpressionError", "ParamUse", "evaluate", "names_in", "param_uses", "strings_in"]

# Python's own parser, and this evaluator, go no deeper; it is not raised.
MAX_DEPTH = 50


class ExpressionError(Exception):
    """An expression that cannot be evaluated.

    Arguments:
        message: what is wrong, in one sentence without a full stop.
        hint: how to mend it.
        code: GB208, GB207 for a param that is not known, or GB407 for a limit that is passed.
        meant: of a param that is not known, its name and the name that was probably meant.
    """

    def __init__(
        self, message: str, hint: str | None = None, code: str = "GB208", meant: tuple[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.meant = meant


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


def _make_divisible(value: Any, divisor: Any) -> int:
    """The multiple of a divisor nearest to a value: at least the divisor, and no more than a tenth below the value.

    Networks that are made wider and narrower by one number choose their channels so (MobileNet, EfficientNet).
    """
    if not isinstance(divisor, int) or divisor < 1:
        raise ValueError("the divisor of make_divisible is an integer of at least 1")
    near = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * value else near


# What an expression may call.
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "len": len,
    "int": int,
    "make_divisible": _make_divisible,
}
_LITERALS = {"true": True, "false": False, "null": None}
_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<open>\())")


def evaluate(text: str, params: Mapping[str, Any]) -> Any:
    """The value of a string in which params and expressions may stand.

    A string that is one reference or expression has its value's own type; elsewhere values are written into the string.

    Arguments:
        text: as it stands in the blueprint.
        params: the values of the params in scope.

    Raises:
        ExpressionError: a name is not known, the syntax is wrong or not allowed, or a limit is passed.

    Example:
        >>> evaluate("$(units * 2)", {"units": 32}), evaluate("block_$index", {"index": 3}), evaluate("$$5", {})
        (64, 'block_3', '$5')
    """
    parts = _split(text)
    if len(parts) == 1 and not isinstance(parts[0], str):
        return _run(parts[0], params)
    return "".join(part if isinstance(part, str) else _as_text(_run(part, params)) for part in parts)


def names_in(text: str) -> set[str]:
    """The params that a string refers to; none when it is not well formed.

    Example:
        >>> sorted(names_in("$(min(a, b)) and $c"))
        ['a', 'b', 'c']
    """
    try:
        parts = _split(text)
    except ExpressionError:
        return set()
    nodes = [node for part in parts if not isinstance(part, str) for node in ast.walk(part)]
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    return {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in called} - _LITERALS.keys()


def strings_in(data: Any) -> Iterator[str]:
    """Every string in nested data, keys left out.

    Example:
        >>> sorted(strings_in({"a": ["$x", 1], "b": {"c": "y"}}))
        ['$x', 'y']
    """
    waiting = [data]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


@dataclass(frozen=True, slots=True)
class ParamUse:
    """One place in a string where a param is named.

    Arguments:
        name: the param.
        start: the offset of its first character, behind the `$` of `$name`.
        end: the offset behind its last.
        inside: whether it stands within `$(…)`.
    """

    name: str
    start: int
    end: int
    inside: bool


def param_uses(text: str) -> tuple[ParamUse, ...]:
    """Where a string names params, in order; none when it is not well formed.

    Example:
        >>> [(use.name, text[use.start : use.end]) for text in ["x_$a $(min(a, b))"] for use in param_uses(text)]
        [('a', 'a'), ('a', 'a'), ('b', 'b')]
    """
    try:
        _split(text)
    except ExpressionError:
        return ()
    found: list[ParamUse] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        match = _REFERENCE.match(text, dollar)
        assert match is not None
        at = match.end()
        if match["name"]:
            found.append(ParamUse(match["name"], *match.span("name"), inside=False))
        elif match["open"]:
            start, at = at, _closing(text, at)
            found += _uses_inside(text[start : at - 1], start)
    return tuple(sorted(found, key=lambda use: use.start))


def _uses_inside(text: str, offset: int) -> Iterator[ParamUse]:
    """The params named in the text of one expression, which stands at an offset of a longer one."""
    offset += len(text) - len(text.lstrip())
    tree = _parse(text)
    lines = text.strip().split("\n")
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called:
            # Columns of the syntax tree count bytes.
            column = len(lines[node.lineno - 1].encode()[: node.col_offset].decode())
            start = offset + sum(len(line) + 1 for line in lines[: node.lineno - 1]) + column
            yield ParamUse(node.id, start, start + len(node.id), inside=True)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else as_written(value)


def _split(text: str) -> tuple[str | ast.expr, ...]:
    """The string as pieces of plain text and parsed expressions."""
    if len(text) > limit("expression"):
        message = f"an expression has {len(text)} characters; at most {limit('expression')} are read"
        raise _beyond(message, "expression")
    return _pieces(text)


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[str | ast.expr, ...]:
    parts: list[str | ast.expr] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        if dollar > at:
            parts.append(text[at:dollar])
        match = _REFERENCE.match(text, dollar)
        if match is None:
            hint = "write $name or $(…)" if text[dollar + 1 : dollar + 2] == "{" else "write $$ for a dollar sign"
            raise ExpressionError("a $ is followed by neither a name nor (", hint)
        if match["dollar"]:
            parts.append("$")
            at = match.end()
        elif match["name"]:
            parts.append(ast.Name(match["name"], ast.Load()))
            at = match.end()
        else:
            end = _closing(text, match.end())
            parts.append(_parse(text[match.end() : end - 1]))
            at = end
    if at < len(text) or not parts:
        parts.append(text[at:])
    return tuple(parts)


def _closing(text: str, start: int) -> int:
    """The place after the parenthesis that closes the one before `start`."""
    depth = 1
    quote = ""
    for at in range(start, len(text)):
        character = text[at]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                return at + 1
    raise ExpressionError(
        f"the parenthesis in {text} is not closed", "put quotes around an expression with a comma or bracket in it"
    )


def _parse(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", "it cannot be read")
        raise ExpressionError(f"$({text}) is not an expression: {reason}") from None


def _run(tree: ast.expr, params: Mapping[str, Any]) -> Any:
    try:
        return _value(tree, params, 0)
    except ExpressionError:
        raise
    except (ArithmeticError, TypeError, ValueError, LookupError) as error:
        raise ExpressionError(f"$({ast.unparse(tree)}) cannot be computed: {error}") from None


def _value(node: ast.expr, params: Mapping[str, Any], depth: int) -> Any:
    """The value of one syntax node; every kind that is not named here is refused."""
    if depth > MAX_DEPTH:
        raise ExpressionError(f"an expression is nested deeper than {MAX_DEPTH}", code="GB407")
    deeper = depth + 1
    match node:
        case ast.Constant(value=value) if isinstance(value, (int, float, str, bool)) or value is None:
            return _bounded(value)
        case ast.Name(id=name):
            return _lookup(name, params)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _binary(sign, _value(left, params, deeper), _value(right, params, deeper))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _UNARY:
            return _UNARY[type(sign)](_value(operand, params, deeper))
        case ast.BoolOp(op=sign, values=values):
            result: Any = None
            for item in values:
                result = _value(item, params, deeper)
                if bool(result) is isinstance(sign, ast.Or):
                    break
            return result
        case ast.Compare(left=left, ops=signs, comparators=others):
            return _compare(_value(left, params, deeper), signs, [_value(item, params, deeper) for item in others])
        case ast.IfExp(test=test, body=body, orelse=otherwise):
            return _value(body if _value(test, params, deeper) else otherwise, params, deeper)
        case ast.Subscript(value=held, slice=index) if not isinstance(index, ast.Slice):
            return _value(held, params, deeper)[_value(index, params, deeper)]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, params, deeper) for item in items]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return _bounded(FUNCTIONS[name](*[_value(item, params, deeper) for item in arguments]))
    *first, last = FUNCTIONS
    allowed = f"arithmetic, comparison, `a if c else b`, indexing, {', '.join(first)} and {last}"
    raise ExpressionError(f"{ast.unparse(node)} is not allowed in an expression", f"expressions have {allowed}")


def _lookup(name: str, params: Mapping[str, Any]) -> Any:
    if name in params:
        return params[name]
    if name in _LITERALS:
        return _LITERALS[name]
    close = nearest(name, params)
    hint = "declare it under `params:`" if close is None else f"did you mean {close}?"
    meant = None if close is None else (name, close)
    raise ExpressionError(f"${name} is not a param here", hint, "GB207", meant)


def _binary(sign: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(sign, ast.Pow) and (not isinstance(right, (int, float)) or abs(right) > 64):
        raise ExpressionError(f"the exponent {as_written(right)} is larger than 64", code="GB407")
    if isinstance(sign, ast.Mod) and isinstance(left, str):
        raise ExpressionError("% is for numbers", "values are written into a string by name: block_$index")
    if isinstance(sign, ast.Mult):
        for text, times in ((left, right), (right, left)):
            if isinstance(text, (str, list)) and isinstance(times, int) and len(text) * times > limit("items"):
                raise _beyond(f"a repetition would have more than {limit('items')} items", "items")
    return _bounded(_BINARY[type(sign)](left, right))


def _bounded(value: Any) -> Any:
    if isinstance(value, complex) or (isinstance(value, (int, float)) and abs(value) > limit("magnitude")):
        shown = "2**63" if limit("magnitude") == 2**63 else f"{limit('magnitude'):,}"
        raise _beyond(f"a number in an expression is larger than {shown}", "magnitude")
    if isinstance(value, (str, list)) and len(value) > limit("items"):
        raise _beyond(f"a value in an expression has more than {limit('items')} items", "items")
    return value


def _beyond(message: str, name: str) -> ExpressionError:
    """The error of an expression that passes a limit."""
    return ExpressionError(message, raising_hint(name), "GB407")


def _compare(left: Any, signs: list[ast.cmpop], others: list[Any]) -> bool:
    for sign, right in zip(signs, others, strict=True):
        if not _COMPARE[type(sign)](left, right):
            return False
        left = right
    return True
