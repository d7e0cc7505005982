"""Expressions of a blueprint as expressions of Python, where they are told to give the very same value."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

from graphbuilder.blueprint import ExpressionError, evaluate
from graphbuilder.export.expressions import Code, literal

__all__ = ["EXPRESSION", "LONGEST", "LONGEST_ALONE", "PythonNames", "translated", "unchanging"]

# A string that is one reference or one expression, and so has a value of its own type.
EXPRESSION = re.compile(r"\$(?:[A-Za-z_]\w*|\(.+\))", re.DOTALL)
# Longer ones would have to be broken into lines: behind the longest names of arguments, and behind an `if`.
LONGEST, LONGEST_ALONE = 48, 76
_CONSTANTS = {"true": "True", "false": "False", "null": "None"}
_FUNCTIONS = frozenset({"int", "len", "max", "min"})
# Powers of plain names and numbers are written without blanks.
_POWER = re.compile(r"(?<![\w.)\]])([\w.]+) \*\* (-?[\w.]+)(?![\w.(\[])")
# What stands for a string while an expression is written.
_MARK = re.compile(r"__text_(\d+)__")

# The name in the code of a param; None for one that cannot stand there.
PythonNames = Callable[[str], str | None]


def translated(raw: Any, value: Any, params: Mapping[str, Any], names: PythonNames, longest: int = LONGEST) -> Any:
    """What a blueprint writes as an expression of Python, where it gives the value; else the value itself.

    Arguments:
        raw: what stands in the blueprint, expressions included.
        value: what became of it.
        params: the values of the params in scope.
        names: what they are called in the code.
        longest: how many characters an expression may have.

    Example:
        >>> translated("$(width // heads)", 64, {"width": 256, "heads": 4}, lambda name: name).text
        'width // heads'
        >>> translated("$width", 64, {"width": 256}, lambda name: name)
        64
    """
    found = _expression(raw, value, params, names, longest) if isinstance(raw, str) else None
    if found is not None:
        return found
    if isinstance(raw, list) and isinstance(value, (list, tuple)) and len(raw) == len(value):
        items = [translated(inner, item, params, names, longest) for inner, item in zip(raw, value, strict=True)]
        return tuple(items) if isinstance(value, tuple) else items
    return value


def unchanging(value: Any) -> Any:
    """A param's value as an argument: lists as tuples, which layers take as well and defaults can be."""
    return tuple(unchanging(item) for item in value) if isinstance(value, (list, tuple)) else value


def _expression(raw: str, value: Any, params: Mapping[str, Any], names: PythonNames, longest: int) -> Code | None:
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
    text = None if _joins_lists(tree, params) else _python(tree, names)
    return None if text is None or len(text) > longest else Code(text)


def _same(given: Any, value: Any) -> bool:
    """Whether two values are equal and of one type; a list of a blueprint is a tuple of the catalog."""
    if isinstance(given, list) and isinstance(value, (list, tuple)):
        return len(given) == len(value) and all(_same(one, other) for one, other in zip(given, value, strict=True))
    return type(given) is type(value) and bool(given == value)


def _joins_lists(tree: ast.expr, params: Mapping[str, Any]) -> bool:
    """Whether it computes with lists, which are tuples in the code."""
    return any(
        isinstance(inner, ast.List) or (isinstance(inner, ast.Name) and isinstance(params.get(inner.id), list))
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp)
        for inner in (node.left, node.right)
    )


def _python(tree: ast.expr, names: PythonNames) -> str | None:
    """The code of an expression; None where it holds what has no one way to be written."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple):
            return None
        if isinstance(node, ast.Name):
            known = node.id in _FUNCTIONS if id(node) in called else False
            name = node.id if known else names(node.id) or _CONSTANTS.get(node.id)
            if name is None:
                return None
            node.id = name
    texts = _Texts()
    written = _POWER.sub(r"\1**\2", ast.unparse(texts.visit(tree)))
    return _MARK.sub(lambda found: literal(texts.found[int(found[1])]), written)


class _Texts(ast.NodeTransformer):
    """Takes strings out of an expression, which Python would quote otherwise than formatters do."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not isinstance(node.value, str):
            return node
        self.found.append(node.value)
        return ast.Name(f"__text_{len(self.found) - 1}__", ast.Load())
