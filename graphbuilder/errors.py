"""What can go wrong, as data: positions, diagnostics with stable codes, and the one exception root."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

__all__ = [
    "CODES",
    "BlueprintError",
    "CommandError",
    "Diagnostic",
    "GraphbuilderError",
    "Hint",
    "InternalError",
    "MissingError",
    "Position",
    "Related",
    "Severity",
    "nearest",
    "suggestion",
]


class Severity(StrEnum):
    """How grave a diagnostic is: an error stops the next stage, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Position:
    """A stretch of a file's text.

    Lines and columns count from 1, as editors do; columns count characters. The end is exclusive.
    """

    line: int
    column: int
    end_line: int
    end_column: int


class Hint(str):
    """How to mend a fault, in one sentence, with the text that mends it in the place of what is at fault.

    Arguments:
        sentence: what is said.
        fix: the text.

    Example:
        >>> hint = Hint("write null", "null")
        >>> hint.fix, Diagnostic("GB203", "the size is 'None'", hint=hint).fix
        ('null', 'null')
    """

    fix: str

    def __new__(cls, sentence: str, fix: str) -> Hint:
        hint = super().__new__(cls, sentence)
        hint.fix = fix
        return hint


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a diagnostic speaks of, such as the first of two equal keys.

    Arguments:
        message: what stands there.
        file: the file's name as the user gave it, or None when it is the diagnostic's own file.
        position: where, or None when only the message is known.
    """

    message: str
    file: str | None = None
    position: Position | None = None


# Every code that a user can meet, with the sentence that `graphbuilder` prints for it in the documentation. A code is
# never reused for another meaning. The hundreds are the stages, in the order in which they run.
CODES: dict[str, str] = {
    # The text.
    "GB101": "The file cannot be read.",
    "GB102": "The file is not UTF-8 text.",
    "GB103": "The file is larger than the limit.",
    "GB104": "The text is not valid YAML or JSON.",
    "GB105": "A key stands twice in one mapping.",
    "GB106": "A YAML tag asks for a type that plain data does not have.",
    "GB107": "Aliases expand to more values than the limit.",
    "GB108": "Values are nested deeper than the limit.",
    "GB109": "A key is not a string.",
    "GB110": "The file holds more than one YAML document.",
    "GB111": "The file is empty.",
    "GB112": "An alias names no anchor.",
    "GB113": "A number is too large to be read.",
    # The document.
    "GB201": "A key is not known here.",
    "GB202": "A required key is missing.",
    "GB203": "A value is not one that is accepted.",
    "GB204": "A value has the wrong type.",
    "GB205": "A layer, op, fusion, block or pass of that name is not known.",
    "GB206": "A name is not a legal name.",
    "GB207": "A param of that name is not known.",
    "GB208": "An expression is wrong.",
    "GB209": "A node is of no kind, or of several.",
    "GB210": "An import cannot be resolved.",
    "GB211": "Imports or blocks refer to each other in a circle.",
    "GB212": "The file is of another format version.",
    "GB213": "A layer is refused because it would run foreign code.",
    # The graph.
    "GB301": "A reference names no value.",
    "GB302": "Nodes feed each other in a circle.",
    "GB303": "A node has the wrong inputs.",
    "GB304": "A shape does not fit.",
    "GB305": "A dtype does not fit.",
    "GB306": "A node feeds no output.",
    "GB307": "An input feeds no output.",
    "GB308": "A block is never used.",
    "GB309": "A param is never used.",
    "GB310": "A layer cannot be called again this way.",
    "GB311": "A layer does not suit the modality of what it is given.",
    "GB312": "An input's shape or dtype does not suit its modality.",
    "GB313": "Pretrained weights cannot be used here.",
    # Budgets.
    "GB401": "The graph has more nodes than the limit.",
    "GB402": "A tensor has more elements than the limit.",
    "GB403": "The model has more parameters than the limit.",
    "GB404": "A block is repeated more often than the limit.",
    "GB405": "Imports or blocks are nested deeper than the limit.",
    "GB406": "The model costs more than its budget allows.",
    "GB407": "An expression goes beyond a limit.",
    # Building.
    "GB501": "The backend refused to build the model.",
    "GB502": "A layer, op or argument does not exist in the chosen Keras.",
    "GB503": "A custom layer is not trusted.",
    "GB504": "A custom layer's output is not what the node states.",
    "GB505": "Weights do not fit the model.",
    "GB506": "A model cannot be saved or loaded.",
    # The command and its surroundings.
    "GB601": "The output exists already.",
    "GB602": "The output cannot be written.",
    "GB603": "The command line is wrong.",
    "GB604": "A package is missing.",
    "GB605": "The file was changed by somebody else.",
    "GB606": "Published weights cannot be downloaded.",
    # Data and training.
    "GB701": "The data cannot be read.",
    "GB702": "It cannot be told what kind of data is meant.",
    "GB703": "The data lacks something that the blueprint needs.",
    "GB704": "The data holds something that the blueprint has no use for.",
    "GB705": "The shape of the data does not fit.",
    "GB706": "The dtype of the data does not fit.",
    "GB707": "The data holds values that are missing or not finite.",
    "GB708": "A label, a target or an id is out of range.",
    "GB709": "Parts of the data have unequal numbers of samples.",
    "GB710": "There are too few samples.",
    "GB711": "The code that makes the data is not trusted.",
    "GB721": "The blueprint does not say how to train, or not in a way that can be done.",
    "GB722": "The loss is no longer a number.",
    "GB723": "A training cannot be resumed.",
    "GB724": "The workers of a distributed training are described wrongly.",
    # Compression: worker processes, conversion, measuring.
    "GB801": "A worker process was killed by a fault in a library.",
    "GB802": "A worker process ran out of memory, or something outside killed it.",
    "GB803": "A worker process took longer than its time limit.",
    "GB804": "The work was stopped.",
    "GB805": "A worker process ended without a result.",
    "GB811": "The model cannot be converted to TFLite under this scheme.",
    "GB812": "The converted model needs operators that TFLite does not have.",
    "GB813": "The converted model computes something else than the model it was made from.",
    "GB814": "The representative samples do not fit.",
    "GB815": "A TFLite model cannot be read or run.",
    "GB816": "The data does not fit the TFLite model.",
    "GB817": "A compression report cannot be read.",
    "GB818": "A written plan of a compression cannot be read.",
    "GB819": "A compression is planned otherwise than in the plan that was written.",
    "GB821": "tensorflow-model-optimization refuses to compress a layer.",
    "GB823": "A node is computed differently by the two Kerases.",
    # Compression: what passes are declared for.
    "GB831": "A pass names what no layer is.",
    "GB832": "A pass would have no effect on a node that it names.",
    "GB833": "A pass cannot be done to a node that it names.",
    "GB834": "A pass cannot stand behind an earlier one.",
    "GB835": "A pass has no effect on any layer.",
    "GB836": "A pass that has the whole model converted names only some of its layers.",
    # Compression: budgets and the search for settings.
    "GB841": "A compressed model misses its budget.",
    "GB842": "There are no settings to search, or none that could meet the budget.",
    "GB843": "No settings that were tried meet the budget.",
    "GB900": "graphbuilder met a bug of its own.",
    # Models from elsewhere.
    "GB851": "The file holds no Keras model that can be read.",
    "GB852": "A model file is damaged, or larger than the limits.",
    "GB853": "Something in a model cannot be carried into a blueprint.",
    "GB854": "Something in a model was not carried into the blueprint.",
}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing found wrong, located and with a way to mend it.

    Arguments:
        code: a key of `CODES`.
        message: what is wrong and what was found, in one sentence without a full stop.
        severity: error or warning.
        file: the file's name as the user gave it.
        position: where in the file.
        node: the path of the node at fault (`encoder.2.attention`), if there is one.
        found: what stands there, as text.
        expected: what would be accepted, as text.
        hint: how to mend it, in one sentence.
        fix: the text that would replace `position` and mend it, where one is likely; the hint's own when left out.
        fix_position: what the fix replaces, where that is not `position`.
        related: other places worth reading, such as the chain of nodes that a shape came from.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    file: str | None = None
    position: Position | None = None
    node: str | None = None
    found: str | None = None
    expected: str | None = None
    hint: str | None = None
    fix: str | None = None
    related: tuple[Related, ...] = field(default=())
    fix_position: Position | None = None

    def __post_init__(self) -> None:
        if self.fix is None and isinstance(self.hint, Hint):
            object.__setattr__(self, "fix", self.hint.fix)
        if self.code not in CODES:
            raise ValueError(f"{self.code} is not in graphbuilder.errors.CODES")

    @property
    def place(self) -> str:
        """`file:line:column`, as far as it is known."""
        parts = [self.file or "graphbuilder"]
        if self.position is not None:
            parts += [str(self.position.line), str(self.position.column)]
        return ":".join(parts)

    def __str__(self) -> str:
        """The diagnostic as its lines of text, without colour.

        Example:
            >>> print(Diagnostic("GB203", "filters is 0", file="stem.yaml", position=Position(14, 7, 14, 8),
            ...                  node="conv2", found="0", expected="at least 1"))
            stem.yaml:14:7: GB203 conv2: filters is 0; expected at least 1
        """
        kind = "warning " if self.severity is Severity.WARNING else ""
        who = f" {self.node}:" if self.node else ""
        expected = f"; expected {self.expected}" if self.expected else ""
        first = f"{self.place}: {kind}{self.code}{who} {self.message}{expected}"
        return "\n".join([first, *(f"  {line}" for line in self.details)])

    @property
    def details(self) -> tuple[str, ...]:
        """What is said below the first line: other places, and how to mend it."""
        lines = []
        for other in self.related:
            where = ""
            if other.position is not None:
                where = f"{other.file or self.file}:{other.position.line}:{other.position.column}: "
            lines.append(f"{where}{other.message}")
        return (*lines, f"hint: {self.hint}") if self.hint else tuple(lines)

    def to_json(self) -> dict[str, Any]:
        """The diagnostic as plain data, for machines. Absent facts are None."""

        def place(position: Position | None) -> dict[str, int] | None:
            if position is None:
                return None
            return {
                "line": position.line,
                "column": position.column,
                "end_line": position.end_line,
                "end_column": position.end_column,
            }

        return {
            "code": self.code,
            "severity": str(self.severity),
            "message": self.message,
            "file": self.file,
            "position": place(self.position),
            "node": self.node,
            "found": self.found,
            "expected": self.expected,
            "hint": self.hint,
            "fix": self.fix,
            "fix_position": place(self.fix_position if self.fix_position or self.fix is None else self.position),
            "related": [
                {"message": other.message, "file": other.file or self.file, "position": place(other.position)}
                for other in self.related
            ],
        }


class GraphbuilderError(Exception):
    """The root of every error that graphbuilder raises on purpose.

    Arguments:
        diagnostics: what was found, at least one; their text is the error's message.
    """

    exit_code = 1

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic]) -> None:
        found = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = found
        super().__init__("\n".join(str(diagnostic) for diagnostic in found))


class BlueprintError(GraphbuilderError):
    """The blueprint, a file it imports, or data given with it is wrong."""

    exit_code = 1


class CommandError(GraphbuilderError):
    """What was asked for cannot be done as asked: a wrong option, an output that exists."""

    exit_code = 2


class MissingError(GraphbuilderError):
    """The environment lacks something: a package, a permission, room on the disk."""

    exit_code = 3


class InternalError(GraphbuilderError):
    """graphbuilder contradicted itself; a bug worth reporting."""

    exit_code = 4


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be, or None.

    Example:
        >>> nearest("Conv2d", ["Conv1D", "Conv2D"])
        'Conv2D'
    """
    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(candidate.casefold(), candidate)
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def suggestion(name: str, known: Sequence[str], *, listing: str | None = None) -> str | None:
    """The hint for a name that is not known: the nearest name, or where to find the list.

    Arguments:
        name: what was written.
        known: the names that would be accepted.
        listing: the hint when nothing is near, such as "`graphbuilder layers` lists them".
    """
    close = nearest(name, known)
    if close is not None:
        return Hint(f"did you mean {close}?", close)
    if listing is not None:
        return listing
    return f"one of: {', '.join(known)}" if 0 < len(known) <= 12 else None
