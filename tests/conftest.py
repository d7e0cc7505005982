"""The surroundings in which every test runs, set before anything imports TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# One thread each, because the test processes share the cores, and because sums then come in one order.
os.environ.update(
    {
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": str(ROOT / "build" / "keras-home"),
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
    }
)
# Set by tensorflow_model_optimization and by some users for good; a test that needs the old Keras asks for it itself.
os.environ.pop("TF_USE_LEGACY_KERAS", None)

# The same examples every time, so that a run that passes here passes elsewhere; `make fuzz` draws new ones.
settings.register_profile("default", max_examples=50, deadline=None, derandomize=True)
# The same examples as anywhere else, so that what passes on a desk passes in CI; more of them is what make fuzz is for.
settings.register_profile("ci", settings.get_profile("default"), print_blob=True)
settings.register_profile(
    "fuzz",
    max_examples=int(os.environ.get("GRAPHBUILDER_FUZZ_EXAMPLES", "1000")),
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT
