"""What of a model cannot be carried into a blueprint."""

from __future__ import annotations

from graphbuilder.errors import BlueprintError, Diagnostic, Severity

__all__ = ["NotCarried", "Problems"]


class NotCarried(Exception):
    """Something that a blueprint has no words for.

    Arguments:
        message: what it is, in one sentence without a full stop.
        hint: what to do about it.
        code: the diagnostic's code.
        layer: where it is, if whoever catches it cannot know.
    """

    def __init__(self, message: str, hint: str | None = None, *, code: str = "GB853", layer: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.layer = layer


class Problems:
    """What was found while one model is read.

    Arguments:
        file: what messages call it.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.errors: list[Diagnostic] = []
        self.lost: list[Diagnostic] = []

    def refuse(self, layer: str | None, problem: NotCarried) -> None:
        """Notes something without which there is no model."""
        self.errors.append(Diagnostic(problem.code, problem.message, file=self.file, node=layer, hint=problem.hint))

    def lose(self, layer: str | None, message: str, hint: str | None = None) -> None:
        """Notes something that the model does without."""
        self.lost.append(Diagnostic("GB854", message, file=self.file, node=layer, hint=hint, severity=Severity.WARNING))

    def raise_if_any(self) -> None:
        """Refuses the model if something of it cannot be carried.

        Raises:
            BlueprintError: with all of it.
        """
        if self.errors:
            raise BlueprintError(self.errors)
