"""Writes files so that they appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from graphbuilder.errors import CommandError, Diagnostic, MissingError

__all__ = ["refuse_existing", "write_whole"]


def refuse_existing(path: Path, force: bool) -> None:
    """Refuses to replace what exists, unless asked to.

    Raises:
        CommandError: the path exists, or is a folder.
    """
    if path.is_dir():
        raise CommandError(
            Diagnostic("GB601", f"{path} is a folder", hint=f"name a file in it, such as {path / 'x.yaml'}")
        )
    if not force and (path.exists() or path.is_symlink()):
        raise CommandError(Diagnostic("GB601", f"{path} exists already", hint="--force replaces it"))


def write_whole(path: Path, content: bytes, *, force: bool = False) -> None:
    """Writes a file beside its place and then renames it, so that nobody ever sees it half-written.

    Folders above it are made. A link is followed: what it leads to is replaced. Without `force` a file that appears
    meanwhile is not replaced either.

    Arguments:
        path: where to.
        content: what to write.
        force: whether what stands there is replaced.

    Raises:
        CommandError: the path exists and `force` is not given, or it is a folder.
        MissingError: the file cannot be written.
    """
    refuse_existing(path, force)
    place = path.resolve()
    beside = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        _make_folder(place.parent)
        try:
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _put_in_place(beside, place, path, force)
        finally:
            # Gone already when all went well; left over when anything went wrong, Ctrl-C included.
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
    except OSError as error:
        raise MissingError(Diagnostic("GB602", f"{path} cannot be written: {error.strerror or error}")) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        # What mkdir says of a file in the way would read as if the output existed.
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def _put_in_place(beside: Path, place: Path, path: Path, force: bool) -> None:
    if force:
        with contextlib.suppress(OSError):
            beside.chmod(place.stat().st_mode & 0o7777)
        beside.replace(place)
        return
    try:
        os.link(beside, place)
    except FileExistsError:
        refuse_existing(path, force)
        raise
    except OSError:
        # Some file systems have no links; there the check above must do.
        refuse_existing(path, force)
        beside.replace(place)
