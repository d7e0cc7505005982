"""Finding things by a few of their letters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

__all__ = ["best", "score"]

Thing = TypeVar("Thing")


@lru_cache(maxsize=64)
def _pattern(typed: str) -> re.Pattern[str]:
    # The letters in order, as close together as they can be found from the left.
    return re.compile(".*?".join(f"({re.escape(letter)})" for letter in typed), re.DOTALL)


def score(typed: str, text: str) -> int:
    """How well a text fits what was typed: 0 not at all, the more the better.

    All letters must occur in order, whatever their case. The whole text, a beginning, and a stretch that begins a word
    are best; then any stretch; then letters apart, the closer the better. Of equals, shorter texts are better.

    Example:
        >>> score("c2", "Conv2D") > score("c2", "GlobalMaxPooling2D"), score("x", "Dense")
        (True, 0)
    """
    if not typed:
        return 1
    wanted, folded = typed.casefold(), text.casefold()
    at = folded.find(wanted)
    short = max(200 - len(text), 0)
    if at == 0:
        return (4000 if len(folded) == len(wanted) else 3000) + short
    if at > 0:
        begins = not text[at - 1].isalnum() or (text[at].isupper() and not text[at - 1].isupper())
        return (2500 if begins else 2000) + short
    found = _pattern(wanted).search(folded)
    if found is None:
        return 0
    gaps = found.end() - found.start() - len(wanted)
    starts = sum(
        1 for group in range(1, len(wanted) + 1)
        if (at := found.start(group)) == 0 or not text[at - 1 : at].isalnum() or text[at : at + 1].isupper()
    )  # fmt: skip
    return max(1000 + 40 * starts - 10 * gaps, 1) + short // 10


def best(typed: str, things: Iterable[tuple[Thing, Sequence[str]]], most: int = 200) -> list[Thing]:
    """The things that fit what was typed, the best first; all of them, in their order, where nothing was typed.

    Arguments:
        typed: some letters; words of which each must fit one of a thing's texts.
        things: each with the texts by which it can be found, the first of which counts more.
        most: how many are given at most, where something was typed.
    """
    words = typed.split()
    if not words:
        return [thing for thing, _ in things]
    found: list[tuple[int, int, Thing]] = []
    for number, (thing, texts) in enumerate(things):
        total = 0
        for word in words:
            one = 0
            for place, text in enumerate(texts):
                if text and (fits := score(word, text)):
                    one = max(one, fits if place == 0 else fits // 3)
            if not one:
                break
            total += one
        else:
            found.append((-total, number, thing))
    found.sort(key=lambda each: each[:2])
    return [thing for _, _, thing in found[:most]]
