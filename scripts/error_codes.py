"""Makes docs/errors.md: every code with its sentence, and an example from the tests where one has it."""

from __future__ import annotations

import re
from pathlib import Path

from graphbuilder.errors import CODES

__all__ = ["error_page"]

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "messages" / "cases"

_STAGES = {
    "GB1": "The text",
    "GB2": "The document",
    "GB3": "The graph",
    "GB4": "Budgets",
    "GB5": "Building",
    "GB6": "The command and its surroundings",
    "GB7": "Data and training",
    "GB8": "Compression",
    "GB9": "Bugs",
}

_HEAD = """\
# Error codes

Every message of graphbuilder has a place, a code and a sentence, and most have a hint:

```text
file:line:column: code node: what is wrong; what was expected
  another place that matters
  hint: how to mend it
```

Lines and columns count from 1. A warning has the word `warning` in front of its code, and fails `validate` and
`import` only with `--strict`. `--format json` prints the same facts for machines. A code never changes its meaning. The
stages run in the order of this page; all errors of one stage are told together, and the next one starts when there are
none.

| Exit code | Meaning |
|---|---|
| 0 | done |
| 1 | the blueprint, or the data given with it, is wrong |
| 2 | the command line is wrong |
| 3 | the environment lacks something |
| 4 | a bug in graphbuilder; please report it |
| 130 | interrupted |

The examples come from the blueprints in `tests/messages/cases`.
"""


def _examples() -> dict[str, str]:
    """The shortest message of each code among the golden messages."""
    found: dict[str, str] = {}
    for path in sorted(CASES.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        codes = re.findall(r"^\S+ (?:warning )?(GB\d{3})\b", text, re.MULTILINE)
        if len(codes) == 1 and len(text) < len(found.get(codes[0], text + " ")):
            found[codes[0]] = text
    return found


def error_page() -> str:
    """The text of docs/errors.md."""
    examples = _examples()
    parts = [_HEAD]
    for prefix, stage in _STAGES.items():
        codes = [code for code in CODES if code.startswith(prefix)]
        rows = [f"| [{code}](#{code.lower()}) | {CODES[code]} |" if code in examples else f"| {code} | {CODES[code]} |"
                for code in codes]  # fmt: skip
        parts.append("\n".join([f"## {stage}\n", "| Code | Meaning |", "|---|---|", *rows]) + "\n")
        parts += [f"### {code}\n\n```text\n{examples[code]}```\n" for code in codes if code in examples]
    return "\n".join(parts)
