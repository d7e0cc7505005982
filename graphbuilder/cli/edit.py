"""`graphbuilder edit`: a blueprint as a graph in the terminal, to be edited."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from graphbuilder.cli.options import FileArgument, LimitOption, SetOption, parse_set
from graphbuilder.cli.output import note
from graphbuilder.errors import CommandError, Diagnostic

__all__ = ["command"]

NAME = "edit"
EPILOG = (
    "Examples: graphbuilder edit cnn.yaml; graphbuilder edit resnet50.yaml --set classes=10; "
    "graphbuilder edit cnn.yaml --web"
)

# What textual-serve sets in the processes that it starts, whose screens go to a browser.
_DRIVER = "TEXTUAL_DRIVER"


def command(
    file: FileArgument,
    settings: SetOption = None,
    limits: LimitOption = None,
    theme: Annotated[
        str | None, typer.Option("--theme", metavar="NAME", show_default=False, help="The colours; T lists themes.")
    ] = None,
    web: Annotated[bool, typer.Option("--web", help="Show it in a browser, at an address that is printed.")] = False,
    host: Annotated[
        str, typer.Option("--host", help="Where --web listens; others reach only what is not loopback.")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port of --web; 0 takes a free one.")] = 0,
) -> int:
    """Edit a blueprint as a graph in the terminal, by keyboard or mouse.

    The file need not exist yet. Nothing is written until it is saved, and then only what was edited changes. `?` lists
    what can be done.
    """
    params = parse_set(settings)
    if web:
        return _serve(file, settings or (), theme, host, port)
    # What is drawn is written to where errors are.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not os.environ.get(_DRIVER) and not all(stream.isatty() for stream in streams):
        hint = "run it in a terminal; over ssh, with `ssh -t`; or with --web, in a browser"
        raise CommandError(Diagnostic("GB603", "the editor needs a terminal", hint=hint))
    return _edit(file, params, theme)


def _edit(file: Path, params: dict[str, Any], theme: str | None) -> int:
    # Textual gathers what changes and draws it so many times a second at most; it reads this when it is imported.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    from graphbuilder.tui.app import EditorApp

    app = EditorApp(file, params, theme)
    if theme is not None and theme not in app.available_themes:
        names = ", ".join(sorted(app.available_themes))
        raise CommandError(Diagnostic("GB603", f"there is no theme {theme}", hint=f"themes are {names}"))
    app.run()
    return app.return_code or 0


def _serve(file: Path, settings: Sequence[str], theme: str | None, host: str, port: int) -> int:
    from graphbuilder.tui.files import open_file
    from graphbuilder.tui.web import is_loopback, serve

    # What cannot be opened is told here, and not in a browser.
    open_file(file)
    if not is_loopback(host):
        note(f"whoever reaches {host} and knows the address can edit {file}; nothing on the way is encrypted")
    # -P: a file named json.py in the user's folder must not be imported for the standard library's.
    program = [sys.executable, "-P", "-m", "graphbuilder", NAME, str(file)]
    program += [f"--set={setting}" for setting in settings]
    program += [] if theme is None else [f"--theme={theme}"]
    serve(program, file.name, host=host, port=port, announce=lambda address: note(f"open {address}"))
    return 0
