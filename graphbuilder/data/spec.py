"""What kind of data a `--data` means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Literal, TypeAlias

from graphbuilder.data.digits import NAME as DIGITS
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic, nearest

__all__ = ["Kind", "Spec", "parse_columns", "parse_spec"]

Kind: TypeAlias = Literal["npz", "table", "images", "tfrecord", "digits", "function"]

_ENDINGS: dict[str, Kind] = {
    ".npz": "npz",
    ".csv": "table",
    ".tsv": "table",
    ".tfrecord": "tfrecord",
    ".tfrecords": "tfrecord",
}
_FUNCTION = re.compile(r"(?P<module>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):(?P<function>[A-Za-z_]\w*)")
_KINDS = (
    "a .npz, .csv, .tsv or .tfrecord file, a folder of images with one folder for each class, digits, or "
    "package.module:function"
)


@dataclass(frozen=True, slots=True)
class Spec:
    """Data that was asked for.

    Arguments:
        kind: what it is.
        name: what messages call it, as the user wrote it.
        paths: the files or the folder; empty for what is no file.
    """

    kind: Kind
    name: str
    paths: tuple[Path, ...] = ()


def parse_spec(written: str) -> Spec:
    """What a `--data` means.

    Arguments:
        written: as the user wrote it.

    Raises:
        BlueprintError: there is no such file, or it is of no kind that can be read.

    Example:
        >>> parse_spec("digits").kind, parse_spec("mine.data:faces").kind
        ('digits', 'function')
    """
    if written == DIGITS:
        return Spec("digits", written)
    path = Path(written)
    if path.is_dir():
        records = tuple(sorted(entry for entry in path.iterdir() if _ENDINGS.get(entry.suffix) == "tfrecord"))
        return Spec("tfrecord", written, records) if records else Spec("images", written, (path,))
    if path.exists():
        return Spec(_kind_of(path, written), written, (path,))
    if has_magic(written):
        paths = tuple(Path(found) for found in sorted(glob(written)))  # noqa: PTH207 - a path may begin anywhere
        kinds = {_kind_of(found, written) for found in paths}
        if kinds == {"tfrecord"}:
            return Spec("tfrecord", written, paths)
        if paths:
            raise _refusal(f"{written} names {len(paths)} files", "only TFRecord files are read together")
    if _FUNCTION.fullmatch(written):
        return Spec("function", written)
    close = nearest(written, [DIGITS])
    if close is not None:
        raise _refusal(f"there is no file {written}", f"did you mean {close}?")
    near = nearest(path.name, [entry.name for entry in path.parent.iterdir()]) if path.parent.is_dir() else None
    hint = f"did you mean {path.parent / near}?" if near else None
    raise BlueprintError(Diagnostic("GB701", f"there is no file {written}", file=written, expected=_KINDS, hint=hint))


def _kind_of(path: Path, written: str) -> Kind:
    kind = _ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise _refusal(f"{path.name} does not say by its ending what it holds", None, written)
    return kind


def _refusal(message: str, hint: str | None, file: str | None = None) -> BlueprintError:
    return BlueprintError(Diagnostic("GB702", message, file=file, expected=_KINDS, hint=hint))


def parse_columns(settings: list[str] | tuple[str, ...] | None) -> dict[str, tuple[str, ...]]:
    """The columns of `--columns name=column,column`, by input or output.

    Raises:
        CommandError: a setting is of another form.

    Example:
        >>> parse_columns(["row=age,income", "label=sold"])
        {'row': ('age', 'income'), 'label': ('sold',)}
    """
    found: dict[str, tuple[str, ...]] = {}
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        columns = tuple(column.strip() for column in value.split(","))
        if not equals or not name.strip() or not all(columns):
            raise CommandError(Diagnostic("GB603", f"--columns {setting} is not of the form NAME=COLUMN,COLUMN"))
        found[name.strip()] = columns
    return found
