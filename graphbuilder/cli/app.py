"""Puts the commands together and turns every failure into its message and exit code."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from graphbuilder.cli import (
    analyze,
    compress,
    convert,
    diff,
    edit,
    explain,
    export,
    layers,
    merge,
    new,
    resolve,
    schema,
    show,
    train,
    validate,
)
from graphbuilder.cli import compile as compile_command
from graphbuilder.cli import import_ as import_command
from graphbuilder.cli.output import print_diagnostics, print_report, wanted_format
from graphbuilder.cli.usage import usage_diagnostic
from graphbuilder.errors import Diagnostic, GraphbuilderError
from graphbuilder.limits import VARIABLE

__all__ = ["app", "main"]

_INTERRUPTED = 130


def _epilog(examples: str) -> str:
    """A command's examples as they stand below its help, one on a line.

    Arguments:
        examples: "Examples: graphbuilder …; graphbuilder …".
    """
    _, _, commands = examples.partition(": ")
    # The mark keeps the help from being wrapped into one paragraph.
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands.split("; "))


app = typer.Typer(
    name="graphbuilder",
    help="Write a neural network as a YAML layer graph, check it in milliseconds, compile it to Keras.",
    epilog=_epilog(
        "Begin: graphbuilder new cnn; graphbuilder show cnn.yaml; graphbuilder compile cnn.yaml -o cnn.keras"
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
for module in (
    new,
    edit,
    validate,
    show,
    explain,
    analyze,
    diff,
    merge,
    compile_command,
    train,
    compress,
    layers,
    schema,
    convert,
    resolve,
    import_command,
    export,
):
    app.command(name=module.NAME, epilog=_epilog(module.EPILOG))(module.command)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"graphbuilder {version('graphbuilder')}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Write a neural network as a YAML layer graph, check it in milliseconds, compile it to Keras."""


def main(argv: list[str] | None = None) -> int:
    """Runs the command line.

    Arguments:
        argv: the arguments without the program's name; those of the process when left out.

    Returns:
        0 done, 1 the blueprint is wrong, 2 the command line is wrong, 3 the environment lacks something, 4 a bug,
        130 interrupted.
    """
    arguments = sys.argv[1:] if argv is None else argv
    # What `--limit` sets holds for this command and the processes that it starts.
    said = os.environ.get(VARIABLE)
    try:
        return _main(arguments)
    finally:
        if said is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = said


def _main(arguments: Sequence[str]) -> int:
    """Runs the command line, and turns every failure into its message and exit code."""
    _say_what_stdout_can()
    try:
        code = _run(arguments)
        # What is still to be written must fail here, where it can be told, and not when Python ends.
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except GraphbuilderError as error:
        print_report(error.diagnostics, wanted_format(arguments))
        code = error.exit_code
    except BrokenPipeError:
        # Whoever read our output has enough of it.
        _forget_stdout()
        code = 0
    except OSError as error:
        _forget_stdout()
        what = error.filename or "the output"
        _report(Diagnostic("GB602", f"{what}: {error.strerror or error}"))
        code = 3
    except Exception as error:
        if os.environ.get("GRAPHBUILDER_TRACEBACK"):
            raise
        hint = "run it again with GRAPHBUILDER_TRACEBACK=1, and report to the project what it prints"
        _report(Diagnostic("GB900", f"graphbuilder met a bug of its own: {type(error).__name__}: {error}", hint=hint))
        code = 4
    if code == _INTERRUPTED:
        print("interrupted; nothing was left half-written", file=sys.stderr)
    return code


def _run(arguments: Sequence[str]) -> int:
    """Runs the command; errors of the command line are told here.

    Raises:
        BrokenPipeError: nobody reads stdout any more.
    """
    try:
        code: Any = app(args=list(arguments), prog_name="graphbuilder", standalone_mode=False)
    except typer.TyperException as error:
        if not arguments:
            # Asked for nothing, typer answers with the help as an error.
            print(error.format_message(), file=sys.stderr)
        else:
            print_report([usage_diagnostic(error)], wanted_format(arguments))
        return error.exit_code
    except SystemExit as leaving:
        # Typer leaves so when it has completed a word for the shell, and when it met a broken pipe.
        if isinstance(leaving.__context__, BrokenPipeError):
            raise leaving.__context__ from None
        return leaving.code if isinstance(leaving.code, int) else 0
    return code if isinstance(code, int) else 0


def _report(diagnostic: Diagnostic) -> None:
    print_diagnostics([diagnostic])


def _say_what_stdout_can() -> None:
    """Lets characters that the terminal's encoding lacks become question marks, not failures."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and (stream.encoding or "").lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="replace")


def _forget_stdout() -> None:
    """Sends what Python still means to write to nowhere, so that it does not complain when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
