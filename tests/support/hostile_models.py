"""Models that are wrong, damaged, or made to do harm, in archives and as JSON."""

from __future__ import annotations

import base64
import io
import json
import marshal
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphbuilder.importers.reading_limits import MOST_BYTES
from tests.support.model_files import archive, dense_config, hdf5

__all__ = ["HOSTILE", "case", "content"]

# Each writes a file, or what stands in its place, at a path.
HOSTILE: dict[str, Callable[[Path], None]] = {}


def case(write: Callable[[Path], None]) -> Callable[[Path], None]:
    """A case that writes what it likes."""
    HOSTILE[write.__name__] = write
    return write


def content(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """A case that is the content of a file."""

    def write(path: Path) -> None:
        path.write_bytes(make())

    HOSTILE[make.__name__] = write
    return make


# Archives.


@content
def bomb_that_says_its_size() -> bytes:
    return archive({"config.json": b'{"a": "' + b"x" * (MOST_BYTES + 1) + b'"}'})


@content
def bomb_that_hides_its_size() -> bytes:
    found = archive({"config.json": b'{"a": "' + b"x" * (MOST_BYTES + 1) + b'"}'})
    size = struct.pack("<I", MOST_BYTES + 10)
    return found.replace(size, struct.pack("<I", 100))


@content
def bomb_in_another_method() -> bytes:
    return archive({"config.json": b"x" * MOST_BYTES}, zipfile.ZIP_LZMA)


@content
def bomb_of_entries() -> bytes:
    return archive({f"{number:060}": b"" for number in range(12_000)} | {"config.json": dense_config()})


@content
def entries_that_share_bytes() -> bytes:
    found = archive({"config.json": dense_config(), "model.weights.h5": b"1234"})
    end = found.rindex(b"PK\x01\x02")
    # Where the second entry begins, as the table of contents has it.
    return found[: end + 42] + struct.pack("<I", 0) + found[end + 46 :]


@content
def two_configurations() -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as file:
            file.writestr("config.json", dense_config())
            file.writestr("config.json", b"{}")
    return written.getvalue()


@content
def path_out_of_the_archive() -> bytes:
    return archive({"config.json": dense_config(), "../../escaped.txt": b"gone"})


@content
def absolute_path_in_the_archive() -> bytes:
    return archive({"config.json": dense_config(), "/tmp/escaped.txt": b"gone"})


@content
def windows_path_in_the_archive() -> bytes:
    return archive({"config.json": dense_config(), "assets\\..\\..\\escaped.txt": b"gone"})


@content
def drive_in_the_archive() -> bytes:
    return archive({"config.json": dense_config(), "C:/escaped.txt": b"gone"})


@content
def link_in_the_archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        file.writestr("config.json", dense_config())
        link = zipfile.ZipInfo("assets")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc")
    return written.getvalue()


@content
def encrypted_archive() -> bytes:
    found = bytearray(archive({"config.json": dense_config()}))
    found[6] |= 1
    found[found.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(found)


@content
def archive_of_something_else() -> bytes:
    return archive({"archive/data.pkl": b"\x80\x04."})


@content
def archive_that_ends_too_early() -> bytes:
    return archive({"config.json": dense_config()})[:-30]


@content
def archive_with_a_damaged_entry() -> bytes:
    found = bytearray(archive({"config.json": dense_config()}))
    found[60] ^= 0xFF
    return bytes(found)


# JSON.


@content
def nested_too_deep() -> bytes:
    return b'{"class_name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@content
def nested_a_little_too_deep() -> bytes:
    return b'{"class_name": ' + b"[" * 100 + b"]" * 100 + b"}"


@content
def number_of_a_million_digits() -> bytes:
    return b'{"class_name": ' + b"1" * 1_000_000 + b"}"


@case
def text_of_a_gigabyte(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'{"class_name": 1')
        # It takes no room on the disk.
        file.truncate(2**30)


@content
def too_many_lists() -> bytes:
    return b'{"class_name": [' + b"[]," * 1_000_000 + b"[]]}"


@content
def not_a_number() -> bytes:
    return dense_config(config={"name": "y", "units": float("nan")})


@content
def infinite_number() -> bytes:
    return dense_config(config={"name": "y", "units": float("inf")})


@content
def key_that_stands_twice() -> bytes:
    return dense_config().replace(b'"units": 3', b'"units": 3, "units": 4')


@content
def not_utf_8() -> bytes:
    return dense_config().replace(b'"units"', b'"\xff"')


@content
def a_list() -> bytes:
    return b"[1, 2]"


@content
def no_model() -> bytes:
    return b'{"blueprint": 1}'


@content
def nothing() -> bytes:
    return b""


@content
def half_a_configuration() -> bytes:
    return dense_config()[:-200]


@content
def pickle() -> bytes:
    return b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."


@content
def tflite() -> bytes:
    return b"\x1c\x00\x00\x00TFL3" + bytes(40)


# What would run code.


def _code() -> str:
    return base64.b64encode(marshal.dumps(compile("__import__('os').system('true')", "x", "eval"))).decode()


@content
def lambda_of_keras_3() -> bytes:
    function = {"class_name": "__lambda__", "config": {"code": _code(), "defaults": None, "closure": None}}
    return dense_config(class_name="Lambda", config={"name": "y", "function": function})


@content
def lambda_of_keras_2() -> bytes:
    config = {"name": "y", "function": [_code(), None, None], "function_type": "lambda", "module": "__main__"}
    layer = {"class_name": "Lambda", "config": config}
    start = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "x"}}
    saved = {"class_name": "Sequential", "config": {"name": "model", "layers": [start, layer]}}
    return hdf5({"model_config": json.dumps(saved), "keras_version": "2.12.0"})


@content
def lambda_in_a_wrapper() -> bytes:
    inner = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "inner", "function": _code()}}
    return dense_config(class_name="TimeDistributed", config={"name": "y", "layer": inner})


@content
def class_that_is_os_system() -> bytes:
    return dense_config(module="os", class_name="system", config={"name": "y", "command": "true"})


@content
def class_that_is_posix_system() -> bytes:
    return dense_config(module="posix", class_name="system", config={"name": "y", "command": "true"})


@content
def class_that_is_eval() -> bytes:
    return dense_config(module="builtins", class_name="eval", config={"name": "y"})


@content
def dense_of_os() -> bytes:
    return dense_config(module="os")


@content
def registered_as_os_system() -> bytes:
    return dense_config(module=None, class_name="system", registered_name="os>system")


@content
def dense_registered_as_os_system() -> bytes:
    return dense_config(registered_name="os>system")


@content
def class_that_is_a_statement() -> bytes:
    return dense_config(module="mine", class_name="A; import os")


@content
def initializer_that_is_os_system() -> bytes:
    made = {"module": "os", "class_name": "system", "config": {"command": "true"}, "registered_name": None}
    return dense_config(config={"name": "y", "units": 3, "kernel_initializer": made})


@content
def subclass_of_model() -> bytes:
    return json.dumps({"module": "mine", "class_name": "Net", "config": {"width": 3}}).encode()


# Layers that do not fit together.


def _given(*history: Any) -> dict[str, Any]:
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": list(history)}}
    return {"inbound_nodes": [{"args": [tensor], "kwargs": {}}]}


@content
def layer_that_is_not_there() -> bytes:
    return dense_config(**_given("nowhere", 0, 0))


@content
def call_that_is_not_there() -> bytes:
    return dense_config(**_given("x", 1, 0))


@content
def layer_that_feeds_itself() -> bytes:
    return dense_config(**_given("y", 0, 0))


@content
def two_layers_of_one_name() -> bytes:
    return dense_config(name="x")


@content
def output_that_is_not_there() -> bytes:
    return dense_config().replace(b'"output_layers": ["y", 0, 0]', b'"output_layers": ["z", 0, 0]')


@content
def input_that_is_no_input() -> bytes:
    return dense_config().replace(b'"input_layers": ["x", 0, 0]', b'"input_layers": ["y", 0, 0]')


@content
def input_of_no_shape() -> bytes:
    return dense_config().replace(b'"batch_shape": [null, 4]', b'"batch_shape": "wide"')


@content
def calls_that_are_a_number() -> bytes:
    return dense_config(inbound_nodes=7)
