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
none. One fault gives one message: what only follows from it is not told.

## Fixes

Where it is likely what was meant, a message knows the text that mends it: a near name, PyTorch's or an older
Keras's word for a layer or an argument, a colon or an indentation. `graphbuilder validate cnn.yaml --fix` carries
these fixes out and shows what changed. It keeps a fix only when what it was offered for is gone and nothing else
has become wrong; all other bytes of the file stay. With `--format json`, `fix` is that text, and `fix_position`
what it replaces.

## In CI

`graphbuilder validate` speaks two more formats, with the same exit codes. `--format github` prints annotations, which
GitHub shows at the lines of a pull request:

```text
# .github/workflows/blueprints.yml
on: [pull_request]
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: pip install graphbuilder
      - run: graphbuilder validate models/*.yaml --strict --format github
```

`--format sarif` prints one SARIF 2.1.0 log, for code scanning and editors: a rule for each code, places relative to
the folder in which the command ran, and the fixes:

```text
      - run: graphbuilder validate models/*.yaml --format sarif > blueprints.sarif
      - uses: github/codeql-action/upload-sarif@v3
        if: always()
        with: {sarif_file: blueprints.sarif}
```

## Exit codes

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
