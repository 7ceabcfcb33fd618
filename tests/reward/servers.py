"""What tests of served judges share: a small random VLM, and a process that serves it."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from agent.reward.line import Line
from agent.reward.reader import Frames
from agent.reward.tiny import TinySizes, build_tiny
from agent.reward.vlm_folder import save_vlm

ROOT = Path(__file__).parents[2]
CAMERAS = ("agentview", "wrist")


def save_small(folder):
    """Write a fresh VLM that has opinions and no reason for them."""
    sizes = TinySizes(image_px=32, patch_px=16, vision_width=32, vision_layers=1, hidden=32)
    save_vlm(*build_tiny(sizes), folder)
    return folder


@contextmanager
def serving(folder):
    """Start the server on a port of its own; gives its address."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.reward.served", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        port = server.stdout.readline().strip()
        assert port, "the server did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def line(address, timeout_s=30.0, retries=0, token=""):
    return Line(address, timeout_s, retries, token)


def frames_of(views, seed=0):
    """Views of noise through both cameras."""
    rng = np.random.default_rng(seed)
    images = {name: rng.integers(0, 256, (views, 32, 32, 3), np.uint8) for name in CAMERAS}
    return Frames(images, "lift the red cube")
