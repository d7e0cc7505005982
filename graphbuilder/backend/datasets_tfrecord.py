"""Samples of TFRecord files: each a `tf.train.Example` whose features bear the names of inputs and outputs."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.backend.datasets import decode_image, tensorflow
from graphbuilder.data import Batch, Data, IndexedPart, Pixels, Spec, Wanted, Wants
from graphbuilder.data.checks import check_names, converted, offences
from graphbuilder.data.faults import Faults, counted

if TYPE_CHECKING:
    import numpy

__all__ = ["open_tfrecord"]

# How many bytes of records are read through before the first step; of more, that many.
_LOOKED_THROUGH = 2**30
_IMAGES = (b"\x89PNG", b"\xff\xd8", b"BM")


@dataclass(frozen=True, slots=True)
class _Record:
    """Where one record stands.

    Arguments:
        file: the number of its file.
        start: where its bytes begin.
        length: how many they are.
    """

    file: int
    start: int
    length: int


class _Unfit(ValueError):
    """A feature that does not hold what the graph needs."""


@dataclass(frozen=True, slots=True, eq=False)
class _RecordSource:
    """Records that are read and parsed when their batch is due.

    Arguments:
        paths: the files.
        records: where each record stands.
        wants: what the graph needs.
        names: the feature by the wanted name.
        pixels: how the brightness of images is told.
    """

    paths: Sequence[Path]
    records: Sequence[_Record]
    wants: Wants
    names: dict[str, str]
    pixels: Pixels

    @property
    def count(self) -> int:
        """How many samples there are."""
        return len(self.records)

    def read(self, indices: numpy.ndarray) -> Batch:
        """The samples of these records.

        Raises:
            BlueprintError: one does not hold what the graph needs.
        """
        faults = Faults(str(self.paths[0].parent if len(self.paths) > 1 else self.paths[0]))
        arrays = self.arrays_of([int(at) for at in indices], faults)
        faults.stop()
        inputs = {wanted.name: arrays[wanted.name] for wanted in self.wants.inputs}
        return inputs, {wanted.name: arrays[wanted.name] for wanted in self.wants.outputs}

    def arrays(self) -> Batch | None:
        """None: records are not held in memory."""
        return None

    def arrays_of(self, numbers: Sequence[int], faults: Faults) -> dict[str, Any]:
        """The arrays of some records, in the shape and dtype that the model takes."""
        import numpy as np

        tf = tensorflow()
        gathered: dict[str, list[Any]] = {wanted.name: [] for wanted in self.wants}
        for number in numbers:
            example = tf.train.Example.FromString(self._content(self.records[number]))
            for wanted in self.wants:
                try:
                    gathered[wanted.name].append(self._value(example, wanted))
                except _Unfit as error:
                    message = f"record {number}: the feature {self.names[wanted.name]} {error}"
                    faults.add("GB705", message, node=wanted.name, expected=str(wanted))
        if faults.errors:
            return {}
        ready = {}
        for wanted in self.wants:
            made = converted(np.stack(gathered[wanted.name]), wanted, faults, self.names[wanted.name])
            for offence in [] if made is None else offences(made, wanted):
                faults.add(
                    offence.code,
                    f"record {numbers[offence.sample]} {offence.what}",
                    node=wanted.name,
                    expected=offence.expected,
                    hint=offence.hint,
                )
            ready[wanted.name] = made
        return ready

    def _content(self, record: _Record) -> bytes:
        with self.paths[record.file].open("rb") as file:
            file.seek(record.start)
            return file.read(record.length)

    def _value(self, example: Any, wanted: Wanted) -> Any:
        import numpy as np

        feature = example.features.feature[self.names[wanted.name]]
        kind = feature.WhichOneof("kind")
        shape = tuple(int(str(dim)) for dim in wanted.shape or ())
        if kind is None:
            raise _Unfit("is missing or empty")
        if kind == "bytes_list":
            return self._of_bytes(list(feature.bytes_list.value), wanted, shape)
        values = feature.float_list.value if kind == "float_list" else feature.int64_list.value
        array = np.array(values, dtype="float32" if kind == "float_list" else "int64")
        if array.size != prod(shape):
            raise _Unfit(f"holds {counted(array.size, 'number')} and must hold {prod(shape)}")
        return array.reshape(shape)

    def _of_bytes(self, items: list[bytes], wanted: Wanted, shape: tuple[int, ...]) -> Any:
        """The value of bytes: text, an image file, or the numbers themselves."""
        import numpy as np

        if wanted.dtype == "string":
            if len(items) != prod(shape):
                raise _Unfit(f"holds {counted(len(items), 'text')} and must hold {prod(shape)}")
            return np.array([item.decode("utf-8", "replace") for item in items]).reshape(shape)
        if len(items) != 1:
            raise _Unfit(f"holds {len(items)} strings of bytes and must hold one")
        content = items[0]
        if len(shape) in (2, 3) and content.startswith(_IMAGES):
            try:
                image = decode_image(content, shape[0], shape[1], shape[2] if len(shape) == 3 else 1)
            except ValueError as error:
                raise _Unfit(f"cannot be decoded: {' '.join(str(error).split())[:120]}") from error
            scaled = {"0..1": image / 255, "-1..1": image / 127.5 - 1}.get(self.pixels, image)
            return (np.rint(scaled) if "int" in wanted.dtype else scaled).reshape(shape)
        raw = np.dtype(wanted.dtype if wanted.dtype != "bfloat16" else "float32")
        if len(content) != prod(shape) * raw.itemsize:
            needed = counted(prod(shape) * raw.itemsize, "byte")
            raise _Unfit(f"holds {counted(len(content), 'byte')}, neither an image nor the {needed} of its numbers")
        return np.frombuffer(content, raw).reshape(shape)


def open_tfrecord(spec: Spec, wants: Wants, pixels: Pixels) -> Data:
    """The samples of TFRecord files. They are read through once before the first step, up to 1 GiB.

    Arguments:
        spec: the files.
        wants: what the graph needs.
        pixels: how the brightness of images is told.

    Raises:
        BlueprintError: with everything that does not fit.
    """
    faults = Faults(spec.name)
    records: list[_Record] = []
    digest = hashlib.sha256()
    for number, path in enumerate(spec.paths):
        records += _records(path, number, faults, digest)
    for wanted in wants:
        if wanted.shape is None or not all(isinstance(dim, int) for dim in wanted.shape):
            hint = "write the sizes in the blueprint, or give the data as .npz"
            faults.add("GB705", f"records hold fixed sizes, and it takes {wanted}", node=wanted.name, hint=hint)
    if not records and not faults.errors:
        faults.add("GB710", "it holds no record", expected="at least one sample")
    faults.stop()
    tf = tensorflow()
    first = _RecordSource(spec.paths, records, wants, {}, pixels)
    try:
        features = tf.train.Example.FromString(first._content(records[0])).features.feature
    except Exception as error:
        faults.add("GB701", f"its records are no tf.train.Example: {' '.join(str(error).split())[:200]}")
        faults.stop()
        raise AssertionError from error
    names = check_names(sorted(features), wants, faults, "feature")
    faults.stop()
    source = _RecordSource(spec.paths, records, wants, names, pixels)
    facts = [f"{spec.name}: {counted(len(records), 'record')}"]
    seen = _look_through(source, faults)
    faults.stop()
    if seen < len(records):
        facts.append(f"the first {counted(seen, 'record')} were checked, which are 1 GiB")
    part = IndexedPart(source)
    return Data(spec.name, wants, part, fingerprint=digest.hexdigest(), facts=tuple(facts), warnings=faults.warnings)


def _records(path: Path, number: int, faults: Faults, digest: Any) -> list[_Record]:
    """Where the records of a file stand, by the lengths in front of them."""
    found: list[_Record] = []
    try:
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        with path.open("rb") as file:
            if file.read(2) == b"\x1f\x8b":
                faults.add("GB701", f"{path.name} is compressed", hint=f"unpack it: gunzip {path.name}")
                return []
            at = 0
            while at < size:
                file.seek(at)
                head = file.read(12)
                length = struct.unpack("<Q", head[:8])[0] if len(head) == 12 else size
                end = at + 12 + length + 4
                if end > size:
                    faults.add("GB701", f"{path.name} is cut off or no TFRecord file: record {len(found)} is not whole")
                    return []
                digest.update(head)
                found.append(_Record(number, at + 12, length))
                at = end
    except OSError as error:
        faults.add("GB701", f"{path.name} cannot be read: {error.strerror or error}")
    return found


def _look_through(source: _RecordSource, faults: Faults) -> int:
    """Checks records until something is wrong; gives how many were."""
    tf = tensorflow()
    try:
        # TensorFlow's reader compares every record with the checksum behind it.
        for path in source.paths[: 1 + _last_file(source.records)]:
            for _ in tf.data.TFRecordDataset(str(path)).batch(1024):
                pass
    except tf.errors.DataLossError as error:
        faults.add(
            "GB701", f"it is damaged: {' '.join(str(error.message).split())[:200]}", hint="write or copy it anew"
        )
        return 0
    seen = read = 0
    while seen < len(source.records) and read < _LOOKED_THROUGH:
        numbers = list(range(seen, min(seen + 256, len(source.records))))
        source.arrays_of(numbers, faults)
        if faults.errors:
            break
        read += sum(source.records[number].length for number in numbers)
        seen += len(numbers)
    return seen


def _last_file(records: Iterable[_Record]) -> int:
    """The number of the file in which the part that is read through ends."""
    read = last = 0
    for record in records:
        if read >= _LOOKED_THROUGH:
            break
        read += record.length
        last = record.file
    return last
