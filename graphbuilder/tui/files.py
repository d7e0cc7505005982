"""A blueprint's file opened and saved without losing a byte, and its text kept whatever goes wrong."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from graphbuilder.errors import BlueprintError, CommandError, Diagnostic, MissingError
from graphbuilder.text import TextLimits
from graphbuilder.text.files import decode, read_bytes

__all__ = ["ChangedOnDisk", "FileStamp", "Opened", "open_file", "save_file", "stamp_of", "text_digest"]

_MARK = "\ufeff"
_LIMITS = TextLimits()

# Between the permission to write and the file system's refusal stands what the system calls these.
_REASONS = {
    errno.ENOSPC: ("the disk is full", "make room and save again, or save it elsewhere"),
    errno.EDQUOT: ("the quota is used up", "make room and save again, or save it elsewhere"),
    errno.EFBIG: ("the file would be larger than the system allows", "save it elsewhere"),
    errno.EROFS: ("the file system is read-only", "save it elsewhere"),
    errno.EACCES: ("the folder does not let new files be made in it", "save it elsewhere, or change its permissions"),
    errno.EPERM: ("the folder does not let the file be replaced", "save it elsewhere, or change its permissions"),
    errno.EBUSY: ("the file is mounted by itself and cannot be replaced", "save it elsewhere"),
    errno.ENOENT: ("the folder is gone", "make the folder again and save again, or save it elsewhere"),
    errno.ENOTDIR: ("a file stands where a folder was", "save it elsewhere"),
    errno.ELOOP: ("links lead in a circle", "save it elsewhere"),
}


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells whether a file is the one that was seen.

    Arguments:
        identity: the device, the inode, the size in bytes and the time of the last change in nanoseconds; they are
            compared first, because asking for them is cheap.
        digest: the SHA-256 of the content.
    """

    identity: tuple[int, int, int, int]
    digest: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A file as it stands on disk.

    Arguments:
        text: the whole content, line breaks and a byte order mark included; empty for a file that does not exist yet.
        stamp: what tells whether it is still the same, or None for a file that does not exist yet.
    """

    text: str
    stamp: FileStamp | None


class ChangedOnDisk(CommandError):
    """The file is no longer the one that was opened, so it was not replaced.

    Arguments:
        path: the file.
        disk: what stands there now; None where it cannot be read as text.
    """

    def __init__(self, path: Path, disk: Opened | None) -> None:
        what = "was changed on disk by somebody else"
        if disk is not None and disk.stamp is None:
            what = "was removed by somebody else"
        hint = "merge what changed, keep one of the two, or save it elsewhere"
        super().__init__(Diagnostic("GB605", f"{path} {what}", hint=hint))
        self.path = path
        self.disk = disk


def text_digest(text: str) -> str:
    """The SHA-256 of a text as it is saved.

    Example:
        >>> text_digest("")[:12]
        'e3b0c44298fc'
    """
    return hashlib.sha256(_encoded(text)).hexdigest()


def _encoded(text: str) -> bytes:
    # Half a surrogate pair can be typed but not saved; read again, the replacement is told as what it is.
    return text.encode("utf-8", "replace")


def open_file(path: Path, *, limits: TextLimits = _LIMITS) -> Opened:
    """Reads a file as text, whatever the text says; a file that does not exist is empty.

    Arguments:
        path: the file; links are followed.
        limits: the budget for its size.

    Raises:
        BlueprintError: GB101, it cannot be read, or neither it nor its folder exists; GB102, it is not UTF-8; GB103,
            it is too large.
    """
    name = str(path)
    identity = None
    # Whatever the system has against the file is told by reading it.
    with contextlib.suppress(OSError, ValueError):
        identity = _identity(path)
        if identity is None and Path(os.path.realpath(path)).parent.is_dir():
            return Opened("", None)
        if identity is not None and stat.S_IFMT(path.stat().st_mode) not in (stat.S_IFREG, stat.S_IFDIR):
            message = "this is a pipe or a device, not a file that can be saved"
            raise BlueprintError(Diagnostic("GB101", message, file=name, hint="copy what it gives to a file"))
    content = read_bytes(name, name, limits)
    text, marked = decode(content, name)
    stamp = FileStamp(identity or (0, 0, 0, 0), hashlib.sha256(content).hexdigest())
    return Opened((_MARK if marked else "") + text, stamp)


def _identity(path: Path) -> tuple[int, int, int, int] | None:
    """What can be asked of a file without reading it; None where there is none.

    Raises:
        OSError: it cannot be asked.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def stamp_of(path: Path, known: FileStamp | None = None) -> FileStamp | None:
    """The stamp of a file as it stands.

    Arguments:
        path: the file.
        known: an earlier stamp; where nothing speaks of a change since, the file is not read again.

    Returns:
        None where there is no such file.

    Raises:
        OSError: it is there and cannot be read.
    """
    identity = _identity(path)
    if identity is None or (known is not None and known.identity == identity):
        return known if identity is not None else None
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except FileNotFoundError:
        return None
    return FileStamp(identity, digest.hexdigest())


def save_file(path: Path, text: str, expected: FileStamp | None, *, force: bool = False) -> FileStamp:
    """Replaces a file by a text at one stroke: readers find the old or the new one, and so does the next start.

    Its mode, its extended attributes and, where that is allowed, its owner are kept. A link is followed. The text is
    written as it is: line breaks and a byte order mark are those it has, and nothing is added at its end.

    Arguments:
        path: the file; its folder must exist.
        text: the whole content.
        expected: the stamp of what is replaced, from opening or saving it; None for a new file.
        force: whether what somebody else has written meanwhile is replaced too.

    Returns:
        The new file's stamp.

    Raises:
        ChangedOnDisk: GB605, the file is another one than `expected`.
        MissingError: GB602, it cannot be written; what stands there is as it was.
    """
    place = Path(os.path.realpath(path))
    content = _encoded(text)
    beside: Path | None = None
    try:
        before = _replaceable(path, place)
        if not force:
            _refuse_changed(path, place, expected)
        beside = place.with_name(_hidden_name(place.name))
        _write(beside, place, content, before)
        if not force:
            # Asked again, because writing takes time on a slow disk.
            _refuse_changed(path, place, expected)
        beside.replace(place)
        _settle(place.parent)
        identity = _identity(place)
    except OSError as error:
        _refuse(path, error)
    finally:
        # Gone already when all went well; left over when anything went wrong, Ctrl-C included.
        if beside is not None:
            with contextlib.suppress(OSError):
                beside.unlink()
    return FileStamp(identity or (0, 0, 0, 0), hashlib.sha256(content).hexdigest())


def _hidden_name(name: str) -> str:
    """A name for the file beside it, which stays within what file systems allow (255 bytes)."""
    kept = name.encode("utf-8", "surrogateescape")[:200].decode("utf-8", "ignore")
    return f".{kept}.{secrets.token_hex(4)}"


def _replaceable(path: Path, place: Path) -> os.stat_result | None:
    """What stands there and may be replaced; None where nothing does.

    Raises:
        MissingError: it is read-only, or no file.
    """
    try:
        found = place.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise MissingError(Diagnostic("GB602", f"{path} is a folder", hint="save it under another name"))
    if not stat.S_ISREG(found.st_mode):
        raise MissingError(Diagnostic("GB602", f"{path} is no ordinary file", hint="save it under another name"))
    # Replacing needs no permission to write the file itself, but whoever made it read-only meant it. The administrator
    # may write everything, so the mode is asked too.
    if not found.st_mode & 0o222 or not os.access(place, os.W_OK):
        hint = f"`chmod u+w {path}` lets it be written, or save it under another name"
        raise MissingError(Diagnostic("GB602", f"{path} is read-only", hint=hint))
    return found


def _refuse_changed(path: Path, place: Path, expected: FileStamp | None) -> None:
    found = stamp_of(place, expected)
    if (found.digest if found else None) == (expected.digest if expected else None):
        return
    try:
        disk = open_file(place)
    except BlueprintError:
        disk = None
    raise ChangedOnDisk(path, disk)


def _write(beside: Path, place: Path, content: bytes, before: os.stat_result | None) -> None:
    """Writes the new file, to the disk itself, as its forerunner's twin."""
    # Nobody else may read it before it has its own mode.
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600 if before else 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        if before is not None:
            _copy_attributes(place, descriptor)
            _take_after(descriptor, before)
        os.fsync(descriptor)


def _copy_attributes(place: Path, descriptor: int) -> None:
    """Gives the new file the extended attributes, access lists among them, of the one that it replaces."""
    # Only Linux has these functions, and not every file system the attributes.
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):
            for name in os.listxattr(place):
                with contextlib.suppress(OSError):
                    os.setxattr(descriptor, name, os.getxattr(place, name))


def _take_after(descriptor: int, before: os.stat_result) -> None:
    """Gives the new file the owner, where that is allowed, and the mode of the one that it replaces."""
    own = os.fstat(descriptor)
    mode = stat.S_IMODE(before.st_mode)
    if (own.st_uid, own.st_gid) != (before.st_uid, before.st_gid):
        try:
            os.fchown(descriptor, before.st_uid, before.st_gid)
        except OSError:
            with contextlib.suppress(OSError):
                os.fchown(descriptor, -1, before.st_gid)
            # What runs under its owner's rights must not come to run under another's.
            mode &= 0o777
    os.fchmod(descriptor, mode)


def _settle(folder: Path) -> None:
    """Brings the new name to the disk; some file systems cannot, and then it comes in time."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refuse(path: Path, error: OSError) -> NoReturn:
    reason, hint = _REASONS.get(error.errno or 0, (error.strerror or str(error), "save it elsewhere"))
    message = f"{path} cannot be saved: {reason}; the text is still here"
    raise MissingError(Diagnostic("GB602", message, hint=hint)) from error
