"""Blueprints that mean harm: each asks for more than there is, or for what is not its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

__all__ = ["HOSTILE", "write"]

_HEAD = "blueprint: 1\ninputs: {x: {shape: [8]}}\nnodes:\n"


def _bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "blueprint: 1\n" + "\n".join(lines) + "\n"


def _deep_expression() -> str:
    return f'{_HEAD}  a: {{layer: Dense, units: "$({"(" * 400}1{")" * 400})"}}\n'


def _nested_blocks() -> str:
    blocks = "".join(
        f"  b{n}: {{inputs: [x], nodes: {{in: {{block: b{n + 1}, repeat: 100}}, out: {{block: b{n + 1}}}}}}}\n"
        for n in range(9)
    )
    last = "  b9: {inputs: [x], nodes: {a: {layer: Dense, units: 8}}}\n"
    return (
        f"blueprint: 1\ninputs: {{x: {{shape: [8]}}}}\nblocks:\n{blocks}{last}nodes:\n  a: {{block: b0, repeat: 100}}\n"
    )


# By name: the text, and the code with which it is refused.
TEXTS: dict[str, tuple[Callable[[], str], str]] = {
    "alias_bomb": (_bomb, "GB107"),
    "wide_dense": (lambda: f"{_HEAD}  a: {{layer: Dense, units: 1000000000}}\n", "GB402"),
    "wide_dense_by_param": (
        lambda: f"params: {{w: 1000000000}}\n{_HEAD}  a: {{layer: Dense, units: $w}}\n",
        "GB402",
    ),
    "million_repeats": (
        lambda: "blueprint: 1\ninputs: {x: {shape: [8]}}\nblocks:\n"
        "  b: {inputs: [x], nodes: {a: {layer: Dense, units: 8}}}\nnodes:\n  a: {block: b, repeat: 1000000}\n",
        "GB404",
    ),
    "repeats_of_repeats": (_nested_blocks, "GB401"),
    "repeats_by_params": (
        lambda: "blueprint: 1\ninputs: {x: {shape: [8]}}\nblocks:\n"
        "  a: {params: {n: {type: int}}, inputs: [x], nodes: {a: {block: b, repeat: $n, n: $n}}}\n"
        "  b: {params: {n: {type: int}}, inputs: [x], nodes: {a: {block: c, repeat: $n}}}\n"
        "  c: {inputs: [x], nodes: {a: {layer: Dense, units: 8}}}\n"
        "nodes:\n  a: {block: a, repeat: 10000, n: 10000}\n",
        "GB401",
    ),
    "python_object": (lambda: 'blueprint: 1\nname: !!python/object/apply:os.system ["touch executed"]\n', "GB106"),
    "python_module": (lambda: "blueprint: 1\nname: !!python/module:antigravity x\n", "GB106"),
    "deep_nesting": (lambda: "blueprint: 1\nabout: " + "[" * 10_000 + "]" * 10_000 + "\n", "GB108"),
    "deep_nesting_in_blocks": (lambda: "blueprint: 1\n" + "".join(f"{' ' * n}a:\n" for n in range(3_000)), "GB108"),
    "power_of_power": (lambda: f"{_HEAD}  a: {{layer: Dense, units: $(9**9**9)}}\n", "GB407"),
    "long_repetition": (lambda: f"{_HEAD}  a: {{layer: Dense, units: $('x' * 999999999)}}\n", "GB407"),
    "long_expression": (lambda: f"{_HEAD}  a: {{layer: Dense, units: \"$({'1+' * 100_000}1)\"}}\n", "GB407"),
    "deep_expression": (_deep_expression, "GB208"),
    "long_number": (lambda: f"{_HEAD}  a: {{layer: Dense, units: {'9' * 100_000}}}\n", "GB113"),
    "import_of_a_system_file": (
        lambda: "blueprint: 1\nimports: {it: ../../../../../../../../etc/passwd}\ninputs: {x: {shape: [8]}}\n"
        "nodes:\n  a: {layer: Dense, units: 1}\n",
        "GB210",
    ),
    "import_through_a_link": (
        lambda: "blueprint: 1\nimports: {it: ./innocent.yaml}\ninputs: {x: {shape: [8]}}\n"
        "nodes:\n  a: {layer: Dense, units: 1}\n",
        "GB210",
    ),
    "lambda_layer": (
        lambda: f"{_HEAD}  a: {{layer: Lambda, function: \"__import__('os').system('touch executed')\"}}\n", "GB213",
    ),
    "called_expression": (
        lambda: f"{_HEAD}  a: {{layer: Dense, units: \"$(__import__('os').system('touch executed'))\"}}\n", "GB208",
    ),
    "attribute_of_an_expression": (
        lambda: f"{_HEAD}  a: {{layer: Dense, units: \"$(().__class__.__bases__[0].__subclasses__())\"}}\n", "GB208",
    ),
    "twenty_megabytes": (lambda: "blueprint: 1\nabout: " + "x" * (20 * 2**20) + "\n", "GB103"),
}  # fmt: skip

HOSTILE: dict[str, str] = {name: code for name, (_, code) in TEXTS.items()}


def write(name: str, folder: Path) -> Path:
    """Writes a hostile blueprint, and what it wants to reach.

    Arguments:
        name: a key of `HOSTILE`.
        folder: an empty folder.
    """
    path = folder / f"{name}.yaml"
    path.write_text(TEXTS[name][0](), encoding="utf-8")
    if name == "import_through_a_link":
        (folder / "innocent.yaml").symlink_to("/etc/passwd")
    return path
