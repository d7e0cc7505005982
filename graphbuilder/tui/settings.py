"""The user's settings: the theme, keys, what is shown. A YAML file that is only read, and told where it is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphbuilder.blueprint import diagnose
from graphbuilder.catalog.refusals import refusals
from graphbuilder.errors import BlueprintError, Diagnostic, suggestion
from graphbuilder.text import Source, read

__all__ = ["Settings", "read_settings", "settings_path"]


class Settings(BaseModel):
    """What a user has set.

    Example:
        >>> Settings(theme="nord").density
        'normal'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    theme: str = Field("textual-dark", description="the name of a theme; `T` lists them")
    density: Literal["dense", "normal", "full"] = Field("normal", description="how much of each node is drawn")
    journal: bool = Field(True, description="whether work is kept until it is saved, to be recovered after a crash")
    keys: dict[str, str] = Field(
        default_factory=dict, description="keys by the ids that `?` shows, with commas between: {add: 'a,insert'}"
    )


def settings_path() -> Path:
    """Where the settings are: `graphbuilder/editor.yaml` in the user's configuration folder.

    Source: https://specifications.freedesktop.org/basedir-spec/latest/
    """
    root = os.environ.get("XDG_CONFIG_HOME") or ""
    # The specification has relative paths ignored.
    folder = Path(root) if Path(root).is_absolute() else Path.home() / ".config"
    return folder / "graphbuilder" / "editor.yaml"


def read_settings(path: Path, ids: list[str], themes: list[str]) -> Settings:
    """The settings of a file; those of nobody where there is none.

    Arguments:
        path: the file.
        ids: the ids of all keys that can be set.
        themes: the names of all themes.

    Raises:
        BlueprintError: with everything that is wrong with the file, located.
    """
    if not path.exists():
        return Settings()
    try:
        source = read(path)
    except BlueprintError as error:
        if error.diagnostics[0].code == "GB111":
            # An empty file sets nothing.
            return Settings()
        raise
    known = list(Settings.model_fields)
    try:
        settings = Settings.model_validate(source.data)
    except ValidationError as error:
        found = refusals(error, source.data, lambda where: [] if where else known)
        raise BlueprintError([diagnose(each, source, ()) for each in found]) from None
    wrong = list(_wrong_keys(source, settings, ids))
    if settings.theme not in themes:
        hint = suggestion(settings.theme, themes, listing=f"themes are {', '.join(themes)}")
        wrong.append(_diagnostic(source, "GB203", f"there is no theme {settings.theme}", ("theme",), None, hint))
    if wrong:
        raise BlueprintError(wrong)
    return settings


# Terminals send these for Tab, Enter and Backspace, so that nobody could tell them apart.
_SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace"}


def _wrong_keys(source: Source, settings: Settings, ids: list[str]) -> list[Diagnostic]:
    found = []
    for name, keys in settings.keys.items():
        path = ("keys", name)
        if name not in ids:
            hint = suggestion(name, ids, listing="`?` in the editor lists what can be done")
            found.append(
                _diagnostic(source, "GB201", f"there is nothing called {name} to set keys for", path, None, hint)
            )
        for key in (each.strip() for each in keys.split(",")):
            if key in _SAME:
                message = f"a terminal sends {_SAME[key]} for {key}"
                found.append(_diagnostic(source, "GB203", message, path, "another key", None))
            elif not key:
                found.append(
                    _diagnostic(source, "GB203", f"{name} has a key without a name", path, "such as a or ctrl+s", None)
                )
    return found


def _diagnostic(
    source: Source, code: str, message: str, path: tuple[Any, ...], expected: str | None, hint: str | None
) -> Diagnostic:
    return Diagnostic(
        code,
        message,
        file=source.name,
        position=source.position(path, key=code == "GB201"),
        expected=expected,
        hint=hint,
    )
