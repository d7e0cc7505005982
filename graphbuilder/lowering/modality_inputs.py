"""What an input's own declaration says against its modality."""

from __future__ import annotations

from typing import NamedTuple

from graphbuilder.catalog import TensorType

__all__ = ["KNOWN", "Problem", "check_input"]

# The modalities that rules know; any other word is the author's own.
KNOWN = ("image", "text", "audio", "video", "tabular")

# The most axes that an input of a modality can sensibly have, the batch axis not counted: a spectrogram with channels
# in windows, a video in clips.
_MOST_AXES = {"audio": 4, "video": 5}


class Problem(NamedTuple):
    """What does not suit, what would, and how to mend it.

    Arguments:
        message: what is wrong, in one clause.
        expected: what would suit.
        hint: how to mend it.
        argument: the key of the input to point at, or none for its name.
        fix: the text that would stand there.
    """

    message: str
    expected: str | None
    hint: str
    argument: tuple[str, ...] = ()
    fix: str | None = None


def check_input(modality: str, declared: TensorType) -> Problem | None:
    """What an input's shape, or the word for its modality, is wrong about; None where nothing is.

    Arguments:
        modality: what the author says that it holds.
        declared: its type, the batch axis included.
    """
    if modality not in KNOWN:
        near = next((known for known in KNOWN if _one_edit_apart(modality.strip().casefold(), known)), None)
        if near is None:
            return None
        told = f"{modality} is no modality that graphbuilder knows of"
        return Problem(told, None, f"did you mean {near}?", ("modality",), near)
    axes = declared.rank - 1
    if declared.dtype == "string" or modality not in _SHAPES:
        return None
    if axes == 0:
        what = f"it is one number for each sample, which is no {_NOUNS[modality]}"
        return Problem(what, _SHAPES[modality], "give it a shape, or another modality, such as tabular")
    if axes > _MOST_AXES.get(modality, axes):
        what = f"it has {axes} axes besides the batch, more than a {_NOUNS[modality]} has"
        return Problem(what, _SHAPES[modality], "leave out the axes that do not belong to one sample")
    return None


_NOUNS = {"image": "image", "audio": "sound", "video": "video"}
_SHAPES = {
    "image": "(batch, height, width, channels)",
    "audio": "(batch, samples), (batch, time, features) or (batch, time, frequency, channels)",
    "video": "(batch, frames, height, width, channels)",
}


def _one_edit_apart(word: str, known: str) -> bool:
    """Whether one letter was left out, added, changed or swapped with its neighbour, or nothing at all.

    Example:
        >>> _one_edit_apart("imgae", "image"), _one_edit_apart("radio", "audio")
        (True, False)
    """
    start = 0
    while start < min(len(word), len(known)) and word[start] == known[start]:
        start += 1
    rest, wanted = word[start:], known[start:]
    return (
        rest[1:] == wanted[1:]
        or rest[1:] == wanted
        or rest == wanted[1:]
        or (rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:])
    )
