"""Exports are the same bytes each time, whatever the seed of Python's hashes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
import hashlib, pathlib, sys
from graphbuilder.api import load, lower
from graphbuilder.export import dot, mermaid, python_source, svg
for name in sys.argv[1:]:
    document = load(name)
    graph = lower(document)
    texts = [python_source(graph, document), python_source(graph), dot(graph), mermaid(graph)]
    texts += [svg(graph, 1, document), svg(graph, None), dot(graph, 2, document), mermaid(graph, 1)]
    for text in texts:
        print(hashlib.sha256(text.encode()).hexdigest())
"""


def test_texts_do_not_depend_on_the_hash_seed() -> None:
    names = ["image_text", "resnet50", "transformer", "siamese", "three_way_sentiment"]
    paths = [str(ROOT / "blueprints" / f"{name}.yaml") for name in names]
    said = []
    for seed in ("0", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *paths], env=env, capture_output=True, text=True, check=True
        )
        said.append(done.stdout)
    assert said[0].count("\n") == 8 * len(names)
    assert said[0] == said[1]
