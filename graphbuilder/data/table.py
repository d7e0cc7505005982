"""Rows of a CSV or TSV file, with columns for inputs and targets."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.data.checks import converted, offences
from graphbuilder.data.faults import Faults, as_others, counted, listed
from graphbuilder.data.parts import ArraySource, Data, IndexedPart
from graphbuilder.data.table_columns import assign
from graphbuilder.data.targets import class_targets
from graphbuilder.data.wants import Values, Wanted, Wants

if TYPE_CHECKING:
    import numpy

__all__ = ["open_table"]

# How many wrong cells of one column are told before the rest is only counted.
_TOLD = 3
_ABSENT = {"", "na", "n/a", "null", "none", "?"}


@dataclass(slots=True)
class _Rows:
    """The cells of the columns that are used.

    Arguments:
        header: the names of all columns.
        assigned: the columns of each input and output, by their indices.
        cells: the texts of each used column, by its index.
        lines: the line of each row.
    """

    header: list[str]
    assigned: dict[str, list[int]]
    cells: dict[int, list[str]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)


def open_table(
    path: Path,
    name: str,
    wants: Wants,
    columns: Mapping[str, Sequence[str]] | None = None,
    vocabularies: Mapping[str, tuple[str, ...]] | None = None,
) -> Data:
    """The samples of a table, a row each.

    Arguments:
        path: a `.csv` or `.tsv` file, UTF-8, whose first line names the columns.
        name: what messages call it.
        wants: what the graph needs.
        columns: the columns of an input or output, where their names do not say it.
        vocabularies: the words behind ids that other data fixed already.

    Raises:
        BlueprintError: with everything that does not fit, each at its line.
    """
    faults = Faults(name)
    digest = hashlib.sha256()
    rows = _read(path, wants, columns, faults, digest)
    assigned = rows.assigned
    if not rows.lines:
        faults.add("GB710", "the table has no row below its header", expected="at least one sample")
        faults.stop()
    table = _Table(rows, faults, dict(vocabularies or {}), wants)
    inputs = {wanted.name: table.array(wanted, assigned[wanted.name]) for wanted in wants.inputs}
    outputs = {wanted.name: table.array(wanted, assigned[wanted.name]) for wanted in wants.outputs}
    faults.stop()
    source = ArraySource(_present(inputs), _present(outputs))
    facts = [f"{name}: {counted(len(rows.lines), 'row')}"]
    facts += [
        f"{wanted.name}: {listed(rows.header[at] for at in assigned[wanted.name])}"
        for wanted in wants
        if [rows.header[at] for at in assigned[wanted.name]] != [wanted.name]
    ]
    facts += [
        f"{held}: " + listed(f"{word} = {number}" for number, word in enumerate(words))
        for held, words in table.vocabularies.items()
    ]
    return Data(
        name,
        wants,
        IndexedPart(source),
        vocabularies=table.vocabularies,
        fingerprint=digest.hexdigest(),
        facts=tuple(facts),
        warnings=faults.warnings,
    )


def _present(arrays: Mapping[str, numpy.ndarray | None]) -> dict[str, numpy.ndarray]:
    return {name: array for name, array in arrays.items() if array is not None}


def _read(path: Path, wants: Wants, columns: Mapping[str, Sequence[str]] | None, faults: Faults, digest: Any) -> _Rows:
    """The header, and the cells of the columns that are used.

    Raises:
        BlueprintError: it is no table, or rows are of other lengths than the header.
    """
    rows = _Rows([], {})
    try:
        with path.open("rb") as file:
            lines = _decoded(file, digest, faults)
            reader = csv.reader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            if not header:
                faults.add("GB710", "the table is empty", expected="a line with the columns' names, and rows below it")
                faults.stop()
            _check_header(header, faults)
            rows = _Rows(header, assign(header, wants, faults, columns))
            faults.stop()
            rows.cells = {at: [] for at in sorted({at for found in rows.assigned.values() for at in found})}
            wrong = 0
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    wrong += 1
                    if wrong <= _TOLD:
                        faults.add(
                            "GB705",
                            f"the row has {counted(len(cells), 'cell')}",
                            line=reader.line_num,
                            expected=f"{len(header)}, as the header has",
                            hint="put text that holds commas in quotes" if len(cells) > len(header) else None,
                        )
                    continue
                rows.lines.append(reader.line_num)
                for at, held in rows.cells.items():
                    held.append(cells[at])
            if wrong > _TOLD:
                faults.add("GB705", f"{counted(wrong - _TOLD, 'more row')} of other lengths than the header")
    except OSError as error:
        faults.add("GB701", f"it cannot be read: {error.strerror or error}")
    except csv.Error as error:
        faults.add("GB701", f"it is no table: {error}", hint="quotes must be closed, and doubled inside quotes")
    faults.stop()
    return rows


def _decoded(file: Any, digest: Any, faults: Faults) -> Iterator[str]:
    """The lines as text, each added to the digest."""
    for number, line in enumerate(file, 1):
        digest.update(line)
        text = ""
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            faults.add("GB701", "the table is not UTF-8 text", line=number, column=error.start + 1)
            faults.stop()
        if "\0" in text:
            faults.add("GB701", "the table holds a zero byte, so it is no text", line=number)
            faults.stop()
        yield text


def _check_header(header: Sequence[str], faults: Faults) -> None:
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        faults.add("GB701", f"columns stand twice in the header: {listed(twice)}", line=1)
    elif all(_number(cell) is not None for cell in header):
        hint = "put a first line on top that names the columns"
        faults.add("GB701", "the first line holds numbers and no names of columns", line=1, hint=hint)
    faults.stop()


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


class _Table:
    """Cells becoming arrays.

    Arguments:
        rows: the cells.
        faults: takes what does not fit.
        vocabularies: the words behind ids; grows.
        wants: what the graph needs.
    """

    def __init__(self, rows: _Rows, faults: Faults, vocabularies: dict[str, tuple[str, ...]], wants: Wants) -> None:
        self.rows = rows
        self.faults = faults
        self.vocabularies = vocabularies
        self.wants = wants

    def array(self, wanted: Wanted, columns: Sequence[int]) -> numpy.ndarray | None:
        """The array of an input or an output, in the shape and dtype that the model takes."""
        import numpy as np

        before = len(self.faults.errors)
        if wanted.dtype == "string":
            made = [np.array(self.rows.cells[at], dtype=str) for at in columns]
        elif self._is_worded(wanted, columns):
            return self._classes(wanted, columns[0])
        else:
            made = [self._numbers(wanted, at) for at in columns]
        if len(self.faults.errors) > before:
            return None
        shape = tuple(dim if isinstance(dim, int) else len(columns) for dim in wanted.shape or ())
        if wanted.shape is None or prod(shape) != len(columns):
            shape = () if len(columns) == 1 else (len(columns),)
        stacked = np.stack(made, axis=1).reshape(len(self.rows.lines), *shape)
        ready = converted(stacked, wanted, self.faults, listed(self.rows.header[at] for at in columns))
        for offence in [] if ready is None else offences(ready, wanted):
            column = self.rows.header[columns[0]] if len(columns) == 1 else wanted.name
            self.faults.add(
                offence.code,
                f"the column {column} {offence.what}{as_others(offence.count)}",
                line=self.rows.lines[offence.sample],
                node=wanted.name,
                expected=offence.expected,
                hint=offence.hint,
            )
        return ready

    def _is_worded(self, wanted: Wanted, columns: Sequence[int]) -> bool:
        """Whether a column holds words for classes or ids, which become numbers."""
        if len(columns) != 1:
            return False
        if wanted.name in self.vocabularies:
            return True
        classes = wanted.role == "output" and wanted.rule.values in (Values.CLASSES, Values.ONE_HOT, Values.UNIT)
        ids = wanted.role == "input" and wanted.rule.values is Values.IDS
        if not classes and not ids:
            return False
        cells = self.rows.cells[columns[0]]
        if wanted.rule.values is Values.ONE_HOT:
            return True
        return not any(_number(cell) is not None for cell in cells) and any(cell.strip() for cell in cells)

    def _classes(self, wanted: Wanted, column: int) -> numpy.ndarray | None:
        """The numbers of a column's words, in the words' alphabetical order."""
        import numpy as np

        cells = [cell.strip() for cell in self.rows.cells[column]]
        absent = [row for row, cell in enumerate(cells) if not cell]
        if absent:
            self._absent(wanted, column, absent)
            return None
        fixed = self.vocabularies.get(wanted.name)
        words = fixed or tuple(sorted(set(cells), key=_word_order))
        known = {word: number for number, word in enumerate(words)}
        strange = [row for row, cell in enumerate(cells) if cell not in known]
        if strange:
            self.faults.add(
                "GB708",
                f"the column {self.rows.header[column]} holds {cells[strange[0]]!r}, which was not trained on",
                line=self.rows.lines[strange[0]],
                node=wanted.name,
                expected=listed(words),
            )
            return None
        self.vocabularies[wanted.name] = words
        numbers = np.array([known[cell] for cell in cells], dtype="int64")
        if wanted.role == "output":
            return class_targets(numbers, words, self.wants, self.faults).get(wanted.name)
        if wanted.rule.size is not None and len(words) > wanted.rule.size:
            self.faults.add(
                "GB708",
                f"the column {self.rows.header[column]} holds {len(words)} different words: {listed(words)}",
                node=wanted.name,
                expected=f"at most {wanted.rule.size}, for {wanted.rule.because}",
            )
        shape = (len(cells), *(1 for _ in wanted.shape or ()))
        return numbers.reshape(shape).astype(wanted.dtype)

    def _numbers(self, wanted: Wanted, column: int) -> numpy.ndarray:
        """The numbers of a column; a cell that is none is noted."""
        import numpy as np

        cells = self.rows.cells[column]
        name = self.rows.header[column]
        whole = wanted.dtype.startswith(("int", "uint"))
        absent: list[int] = []
        strange: list[int] = []
        endless: list[int] = []
        numbers: list[float] = []
        for row, cell in enumerate(cells):
            number = _number(cell)
            if number is None:
                (absent if cell.strip().lower() in _ABSENT else strange).append(row)
            elif math.isnan(number):
                absent.append(row)
            elif math.isinf(number):
                endless.append(row)
            numbers.append(number if number is not None else 0.0)
        if absent:
            self._absent(wanted, column, absent)
        if endless:
            self.faults.add(
                "GB707",
                f"the column {name} holds {cells[endless[0]].strip()}{as_others(len(endless))}",
                line=self.rows.lines[endless[0]],
                node=wanted.name,
                expected="finite numbers",
            )
        for row in strange[:_TOLD]:
            self.faults.add(
                "GB706",
                f"the column {name} holds {cells[row][:40]!r}",
                line=self.rows.lines[row],
                node=wanted.name,
                expected="a number",
                hint=f"--columns {wanted.name}=… names the columns to take" if row == strange[0] else None,
            )
        if len(strange) > _TOLD:
            more = counted(len(strange) - _TOLD, "more row")
            self.faults.add("GB706", f"the column {name} holds text in {more}", node=wanted.name)
        array = np.array(numbers, dtype="float64")
        return array.astype("int64") if whole and bool((array == np.floor(array)).all()) else array

    def _absent(self, wanted: Wanted, column: int, rows: Sequence[int]) -> None:
        more = f", as in {counted(len(rows) - 1, 'other row')}" if len(rows) > 1 else ""
        self.faults.add(
            "GB707",
            f"the column {self.rows.header[column]} has no value{more}",
            line=self.rows.lines[rows[0]],
            node=wanted.name,
            expected="a value in every row",
            hint="fill it in, or leave the row out",
        )


def _word_order(word: str) -> tuple[int, float, str]:
    """Words in alphabetical order, and numbers before them in theirs."""
    number = _number(word)
    return (1, 0.0, word) if number is None else (0, number, word)
