"""`python -m benchmarks.editing`: how long each edit of a large file takes, without any screen."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.adding import AddNode, After
from graphbuilder.editing.commands.arguments import SetArgument
from graphbuilder.editing.commands.connecting import Connect
from graphbuilder.editing.commands.copying import Paste, copied
from graphbuilder.editing.commands.deleting import DeleteNodes
from graphbuilder.editing.commands.kinds import ChangeKind
from graphbuilder.editing.commands.renaming import RenameNode
from graphbuilder.editing.session import Session
from graphbuilder.text import parse, to_json

__all__ = ["main"]

_BLOCK = "  conv_{0}:\n    layer: Conv2D\n    filters: 32\n    kernel_size: [3, 3]\n    padding: same\n"
_FLOW = "  conv_{0}: {{layer: Conv2D, filters: 32, kernel_size: 3, padding: same, activation: relu}}  # {0}\n"


def _file(nodes: int, style: str) -> Session:
    """A chain of convolutions."""
    written = "".join((_FLOW if style == "flow" or number % 2 else _BLOCK).format(number) for number in range(nodes))
    text = f"blueprint: 1\ninputs:\n  x: {{shape: [32, 32, 3]}}\nnodes:\n{written}"
    if style == "json":
        return Session(to_json(parse(text).data), "chain.json")
    return Session(text, "chain.yaml")


def _commands(session: Session) -> Mapping[str, Callable[[int], Command]]:
    snippet = copied(session.document(), ["conv_5", "conv_6"])
    return {
        "set an argument": lambda number: SetArgument(f"conv_{10 + number}", ("filters",), 64),
        "add a node": lambda number: AddNode("layer", "Dropout", After(f"conv_{200 + number}")),
        "rename a node": lambda number: RenameNode(f"conv_{300 + number}", f"stage_{number}"),
        "delete a node": lambda number: DeleteNodes([f"conv_{400 + number}"]),
        "change a kind": lambda number: ChangeKind(f"conv_{500 + number}", "layer", "DepthwiseConv2D"),
        "connect": lambda number: Connect("x", f"conv_{600 + number}"),
        "paste two nodes": lambda number: Paste(snippet, f"conv_{700 + number}"),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measures and prints a table: milliseconds by the clock, and of the processor alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1000, help="nodes of the file, at least 800 (default 1000)")
    parser.add_argument("--repeats", type=int, default=20, help="edits of each kind (default 20)")
    arguments = parser.parse_args(argv)
    for style in ("mixed", "flow", "json"):
        session = _file(arguments.nodes, style)
        print(f"{style}, {arguments.nodes} nodes, {len(session.text):,} characters")
        for name, make in _commands(session).items():
            taken, worked = [], []
            for number in range(arguments.repeats):
                command = make(number)
                clock, processor = time.perf_counter(), time.process_time()
                session.run(command)
                taken.append((time.perf_counter() - clock) * 1000)
                worked.append((time.process_time() - processor) * 1000)
            times = f"median {median(taken):6.1f} ms, processor {median(worked):6.1f} ms, worst {max(taken):6.1f} ms"
            print(f"  {name:18} {times}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
