"""Puts the commands together and turns every failure into its message and exit code."""

from __future__ import annotations

import os
import sys
from typing import Any

import click
import typer

from graphbuilder.cli import compile as compile_command
from graphbuilder.cli import convert, layers, new, schema, show, validate
from graphbuilder.cli.output import print_diagnostics, wants_json
from graphbuilder.errors import GraphbuilderError

__all__ = ["app", "main"]


app = typer.Typer(
    name="graphbuilder",
    help="Write a neural network as a YAML layer graph, check it in milliseconds, compile it to Keras.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
for module in (new, validate, show, compile_command, layers, schema, convert):
    app.command(name=module.NAME, epilog=module.EPILOG)(module.command)


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
    try:
        code: Any = app(args=arguments, prog_name="graphbuilder", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("interrupted; nothing was left half-written", file=sys.stderr)
        return 130
    except GraphbuilderError as error:
        print_diagnostics(error.diagnostics, as_json=wants_json(arguments))
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has enough of it; Python must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("GRAPHBUILDER_TRACEBACK"):
            raise
        print(f"GB900 graphbuilder met a bug of its own: {type(error).__name__}: {error}", file=sys.stderr)
        print(f"  hint: run it again with GRAPHBUILDER_TRACEBACK=1, and report to the project what it prints", file=sys.stderr)
        return 4
