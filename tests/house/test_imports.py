"""What the command line's help costs to import."""

import subprocess
import sys
import time

import pytest

HEAVY = (
    "torch", "transformers", "peft", "numpy", "zarr", "rclpy", "libero", "robosuite", "mujoco",
    "cv2", "textual", "scipy", "pandas",
)  # fmt: skip

PROBE = """
import sys
sys.argv = ["vlarl-agent", {arguments}]
from agent.cli import main
try:
    main()
finally:
    loaded = sorted({{name.split(".")[0] for name in sys.modules}})
    sys.stderr.write("\\nLOADED " + " ".join(loaded))
"""


@pytest.mark.parametrize("arguments", ["'--help'", "'--version'", "'config', 'show'"])
def test_light_commands_import_nothing_heavy(arguments: str):
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(arguments=arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = done.stderr.split("LOADED ")[1].split()
    assert "agent" in loaded
    assert not set(HEAVY) & set(loaded)


def test_help_takes_less_than_half_a_second():
    # the best of five: a busy machine slows some of them, never all
    best_s = min(_help_s() for _ in range(5))
    assert best_s < 0.5


def _help_s() -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", PROBE.format(arguments="'--help'")], capture_output=True, check=True
    )
    return time.perf_counter() - start
