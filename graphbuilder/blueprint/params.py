"""The values of params: defaults, what the user gives, and the limits they declare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphbuilder.blueprint.expressions import ExpressionError, evaluate, names_in, strings_in
from graphbuilder.blueprint.schema import Param
from graphbuilder.catalog.arguments import as_written
from graphbuilder.errors import nearest, suggestion

__all__ = ["ParamProblem", "resolve_params", "resolve_values"]

_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "an integer"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "str": ((str,), "a string"),
    "list": ((list,), "a list"),
    "mapping": ((dict,), "a mapping"),
}


class ParamProblem(Exception):
    """A param's value that is not accepted.

    Arguments:
        code: GB202, GB203, GB204, GB207 or GB208.
        param: its name.
        given: whether the user of the block gave the value, rather than the declaration.
        message: what is wrong and what was found.
        expected: what would be accepted.
        hint: how to mend it.
        fix: the text that would stand in the place of the value, or of the name where that is not known.
    """

    def __init__(
        self,
        code: str,
        param: str,
        given: bool,
        message: str,
        expected: str | None = None,
        hint: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.given = given
        self.message = message
        self.expected = expected
        self.hint = hint
        self.fix = fix


def resolve_params(
    declared: Mapping[str, Param], given: Mapping[str, Any], report: Callable[[ParamProblem], None]
) -> dict[str, Any] | None:
    """The value of every param.

    Arguments:
        declared: the params, in order; a default may refer to params above it.
        given: values for some of them, already free of expressions.
        report: told of everything that is wrong.

    Returns:
        The values in the order of the declarations, or None when something was reported.
    """
    values: dict[str, Any] = {}
    # Params without a value: what refers to one of them is not wrong itself.
    broken: set[str] = set()
    sound = True

    def problem(found: ParamProblem) -> None:
        nonlocal sound
        sound = False
        report(found)

    for wrong_name in _wrong_names(declared, given):
        problem(wrong_name)
        # A name misspelt is one fault: it is not told again that the right one is missing.
        broken.add(wrong_name.fix or "")
    for name, param in declared.items():
        if name in given:
            value = given[name]
        elif param.required:
            if name not in broken:
                problem(ParamProblem("GB202", name, True, f"{name} is missing", hint=param.about))
            broken.add(name)
            continue
        else:
            try:
                value = resolve_values(param.default, values)
            except ExpressionError as error:
                if not any(names_in(text) & broken for text in strings_in(param.default)):
                    problem(ParamProblem(error.code, name, False, error.message, hint=error.hint))
                broken.add(name)
                continue
        wrong = _check(name, param, value, name in given)
        if wrong is not None:
            problem(wrong)
            broken.add(name)
            continue
        values[name] = value
    return values if sound else None


def _wrong_names(declared: Mapping[str, Param], given: Mapping[str, Any]) -> Iterator[ParamProblem]:
    """What is given and not declared, each with the param that was probably meant."""
    if given.keys() <= declared.keys():
        return
    unknown = [name for name in given if name not in declared]
    free = [name for name in declared if name not in given]
    missing = [name for name in free if declared[name].required]
    if not declared:
        more = "" if len(unknown) == 1 else f", nor are {' and '.join(unknown[1:])}"
        message = f"{unknown[0]} is not a param{more}"
        yield ParamProblem("GB201", unknown[0], True, message, hint="there are no params here")
        return
    for name in unknown:
        meant = nearest(name, declared)
        fix = meant if meant in free else None
        hint = f"{meant} stands beside it already" if meant in given else suggestion(name, free)
        if fix is None and len(unknown) == len(missing) == 1:
            fix = missing[0]
            hint = f"did you mean {fix}, which is missing?"
        yield ParamProblem("GB201", name, True, f"{name} is not a param", hint=hint, fix=fix)


def resolve_values(value: Any, params: Mapping[str, Any]) -> Any:
    """A nested value with every expression in it evaluated.

    Raises:
        ExpressionError: one of them cannot be.
    """
    if isinstance(value, str):
        return evaluate(value, params) if "$" in value else value
    if isinstance(value, list):
        return [resolve_values(item, params) for item in value]
    if isinstance(value, dict):
        # What is written for people is left as it is.
        return {key: item if key == "about" else resolve_values(item, params) for key, item in value.items()}
    return value


def _kind_of(param: Param) -> str:
    """The declared kind, or the default's; "any" where a default says nothing."""
    if param.type is not None:
        return param.type
    default = param.default
    if isinstance(default, str) and "$" in default:
        return "any"
    for kind in ("bool", "int", "float", "str", "list", "mapping"):
        if isinstance(default, _KINDS[kind][0]):
            return kind
    return "any"


def _check(name: str, param: Param, value: Any, given: bool) -> ParamProblem | None:
    written = as_written(value)
    nullable = not param.required and param.default is None
    if value is None and nullable:
        return None
    kind = _kind_of(param)
    if kind != "any":
        types, phrase = _KINDS[kind]
        if not isinstance(value, types) or (isinstance(value, bool) and kind != "bool"):
            return ParamProblem("GB204", name, given, f"{name} is {written}", phrase)
    if param.choices is not None and value not in param.choices:
        words = [choice for choice in param.choices if isinstance(choice, str)]
        near = suggestion(value, words) if isinstance(value, str) else None
        fix = nearest(value, words) if isinstance(value, str) else None
        phrase = "one of " + ", ".join(as_written(choice) for choice in param.choices)
        return ParamProblem("GB203", name, given, f"{name} is {written}", phrase, near, fix)
    amount = len(value) if isinstance(value, (str, list, dict)) else value
    what = "a length of " if isinstance(value, (str, list, dict)) else ""
    if isinstance(amount, (int, float)):
        if param.min is not None and amount < param.min:
            return ParamProblem("GB203", name, given, f"{name} is {written}", f"{what}at least {param.min:g}")
        if param.max is not None and amount > param.max:
            return ParamProblem("GB203", name, given, f"{name} is {written}", f"{what}at most {param.max:g}")
    return None
