"""Expressions of a blueprint as expressions of Python, where they are told to give the very same value."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

from graphbuilder.blueprint import ExpressionError, evaluate
from graphbuilder.export.expressions import Code

__all__ = ["EXPRESSION", "PythonNames", "translated"]

# A string that is one reference or one expression, and so has a value of its own type.
EXPRESSION = re.compile(r"\$(?:[A-Za-z_]\w*|\(.+\))", re.DOTALL)
# Longer ones would have to be broken into lines.
_LONGEST = 48
_CONSTANTS = {"true": "True", "false": "False", "null": "None"}
_FUNCTIONS = frozenset({"int", "len", "max", "min"})
# Powers of plain names and numbers are written without blanks.
_POWER = re.compile(r"(?<![\w.)\]])([\w.]+) \*\* (-?[\w.]+)(?![\w.(\[])")

# The name in the code of a param; None for one that cannot stand there.
PythonNames = Callable[[str], str | None]


def translated(raw: Any, value: Any, params: Mapping[str, Any], names: PythonNames) -> Any:
    """What a blueprint writes as an expression of Python, where it gives the value; else the value itself.

    Arguments:
        raw: what stands in the blueprint, expressions included.
        value: what became of it.
        params: the values of the params in scope.
        names: what they are called in the code.

    Example:
        >>> translated("$(width // heads)", 64, {"width": 256, "heads": 4}, lambda name: name).text
        'width // heads'
        >>> translated("$width", 64, {"width": 256}, lambda name: name)
        64
    """
    found = _expression(raw, value, params, names) if isinstance(raw, str) else None
    if found is not None:
        return found
    if isinstance(raw, list) and isinstance(value, (list, tuple)) and len(raw) == len(value):
        items = [translated(inner, item, params, names) for inner, item in zip(raw, value, strict=True)]
        return tuple(items) if isinstance(value, tuple) else items
    return value


def _expression(raw: str, value: Any, params: Mapping[str, Any], names: PythonNames) -> Code | None:
    if not EXPRESSION.fullmatch(raw):
        return None
    try:
        given = evaluate(raw, params)
    except ExpressionError:
        return None
    # Several expressions in a row are one string; then the value is a string that no one of them gives.
    if not _same(given, value):
        return None
    try:
        tree = ast.parse(raw[1:].strip("\n"), mode="eval").body
    except SyntaxError:
        return None
    text = _python(tree, names)
    return None if text is None or len(text) > _LONGEST else Code(text)


def _same(given: Any, value: Any) -> bool:
    """Whether two values are equal and of one type; a list of a blueprint is a tuple of the catalog."""
    if isinstance(given, list) and isinstance(value, (list, tuple)):
        return len(given) == len(value) and all(_same(one, other) for one, other in zip(given, value, strict=True))
    return type(given) is type(value) and bool(given == value)


def _python(tree: ast.expr, names: PythonNames) -> str | None:
    """The code of an expression; None where it holds what has no one way to be written."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Tuple, ast.IfExp, ast.BoolOp)) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        ):
            return None
        if isinstance(node, ast.Name):
            known = node.id in _FUNCTIONS if id(node) in called else False
            name = node.id if known else names(node.id) or _CONSTANTS.get(node.id)
            if name is None:
                return None
            node.id = name
    return _POWER.sub(r"\1**\2", ast.unparse(tree))
