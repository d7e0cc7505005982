"""Diagnostics in the formats of CI: commands of GitHub's workflows, and SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any

from graphbuilder.errors import CODES, Diagnostic, Position, Severity

__all__ = ["github_lines", "sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def github_lines(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """Workflow commands that make GitHub show each diagnostic at its line of a change.

    Example:
        >>> found = Diagnostic("GB203", "filters is 0", file="a,b.yaml", position=Position(3, 7, 3, 8), node="c")
        >>> github_lines([found])
        ['::error file=a%2Cb.yaml,line=3,endLine=3,col=7,endColumn=8,title=GB203 c::filters is 0']
    """
    return [_github(item) for item in diagnostics]


def _github(item: Diagnostic) -> str:
    properties: dict[str, object] = {}
    if item.file is not None:
        properties["file"] = _posix(item.file)
    if item.position is not None:
        place = item.position
        properties |= {"line": place.line, "endLine": place.end_line}
        # GitHub takes columns only of stretches of one line.
        if place.line == place.end_line:
            properties |= {"col": place.column, "endColumn": place.end_column}
    properties["title"] = f"{item.code} {item.node}" if item.node else item.code
    written = ",".join(f"{key}={_escaped_property(str(value))}" for key, value in properties.items())
    return f"::{item.severity} {written}::{_escaped(_text(item))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _text(item: Diagnostic) -> str:
    """What a diagnostic says, without its place, its code and its node, which are told apart from it."""
    expected = f"; expected {item.expected}" if item.expected else ""
    return "\n".join([f"{item.message}{expected}", *item.details])


def _posix(file: str) -> str:
    return PurePath(file).as_posix()


def sarif(diagnostics: Sequence[Diagnostic], version: str) -> dict[str, Any]:
    """The diagnostics as one run of a SARIF log, with the fixes that they offer.

    Arguments:
        diagnostics: what was found.
        version: graphbuilder's own.
    """
    used = sorted({item.code for item in diagnostics})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": CODES[code]},
            "help": {"text": f"{CODES[code]} docs/errors.md has an example under {code}."},
            "defaultConfiguration": {"level": "error"},
        }
        for code in used
    ]
    driver = {"name": "graphbuilder", "semanticVersion": version, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, used.index(item.code)) for item in diagnostics],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(item: Diagnostic, rule: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": rule,
        "level": "error" if item.severity is Severity.ERROR else "warning",
        "message": {"text": f"{item.node}: {_text(item)}" if item.node else _text(item)},
    }
    place = _place(item.file, item.position)
    if place is not None:
        location: dict[str, Any] = {"physicalLocation": place}
        if item.node:
            location["logicalLocations"] = [{"fullyQualifiedName": item.node, "kind": "element"}]
        found["locations"] = [location]
    related = [
        {"id": number, "message": {"text": other.message}, "physicalLocation": there}
        for number, other in enumerate(item.related)
        if other.position is not None and (there := _place(other.file or item.file, other.position)) is not None
    ]
    if related:
        found["relatedLocations"] = related
    fix = _fix(item)
    if fix is not None:
        found["fixes"] = [fix]
    return found


def _fix(item: Diagnostic) -> dict[str, Any] | None:
    from graphbuilder.text.fixing import fix_text

    place = item.fix_position or item.position
    file = _artifact(item.file)
    if item.fix is None or place is None or file is None:
        return None
    text = fix_text(item, json=(item.file or "").lower().endswith(".json"))
    change = {"deletedRegion": _region(place), "insertedContent": {"text": text}}
    changes = [{"artifactLocation": file, "replacements": [change]}]
    return {"description": {"text": item.hint or f"write {text}"}, "artifactChanges": changes}


def _place(file: str | None, position: Position | None) -> dict[str, Any] | None:
    artifact = _artifact(file)
    if artifact is None:
        return None
    return {"artifactLocation": artifact} | ({} if position is None else {"region": _region(position)})


def _region(position: Position) -> dict[str, int]:
    return {
        "startLine": position.line,
        "startColumn": position.column,
        "endLine": position.end_line,
        "endColumn": position.end_column,
    }


def _artifact(file: str | None) -> dict[str, str] | None:
    """Where a file is: relative to the folder of the sources if it was named so. Shipped blocks are in no folder."""
    from urllib.parse import quote

    if file is None or file.startswith("<"):
        return None
    if Path(file).is_absolute():
        return {"uri": Path(file).as_uri()}
    return {"uri": quote(_posix(file)), "uriBaseId": "%SRCROOT%"}
