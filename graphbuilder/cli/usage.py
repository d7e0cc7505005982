"""A wrong command line, told as graphbuilder tells everything else."""

from __future__ import annotations

from typing import Any

import typer

from graphbuilder.errors import Diagnostic, suggestion

__all__ = ["usage_diagnostic"]


def usage_diagnostic(error: typer.TyperException) -> Diagnostic:
    """The diagnostic of a command line that typer refused.

    Arguments:
        error: what typer raised.

    Example:
        >>> str(usage_diagnostic(typer.TyperException("Missing argument 'FILE'.")))
        "graphbuilder: GB603 missing argument 'FILE'"
    """
    # What typer knows beside the message differs from error to error.
    context: Any = getattr(error, "ctx", None)
    option = getattr(error, "option_name", None)
    hint = f"`{context.command_path} --help` says how it is used" if context is not None else None
    message, near, told = error.format_message().rstrip(".?").partition("Did you mean")
    if option is not None and type(error).__name__ == "NoSuchOption":
        message = f"there is no option {option}"
        hint = suggestion(option, _options(context), listing=hint)
    elif near:
        hint = f"did you mean {told.strip().strip(chr(39))}?"
    message = " ".join(message.replace("Value error, ", "").split()).rstrip(". ")
    return Diagnostic("GB603", message[:1].lower() + message[1:], hint=hint)


def _options(context: Any) -> list[str]:
    """The options of the command that was called."""
    if context is None:
        return []
    return [name for param in context.command.get_params(context) for name in param.opts if name.startswith("--")]
