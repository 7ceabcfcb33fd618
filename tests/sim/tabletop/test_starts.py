import json
import subprocess
import sys

import numpy as np
import pytest

from agent.errors import UsageError
from sim.tabletop.catalog import CARDS, PLACED, WISHES
from sim.tabletop.starts import draw, start_of

NAMES = [wish.name for wish in WISHES]


def test_what_is_stored_is_what_its_seed_draws():
    for wish in WISHES:
        word = int.from_bytes(_crc(wish.name), "big")
        drawn = draw(wish, np.random.default_rng([word, 17]))
        stored = start_of(wish.name, 17)
        # stored as float32: 1e-7 of numbers below 4
        assert stored.joints == pytest.approx(drawn.joints, abs=1e-6)
        assert stored.placed == pytest.approx(drawn.placed, abs=1e-6)


def _crc(name):
    import zlib

    return zlib.crc32(name.encode()).to_bytes(4, "big")


@pytest.mark.parametrize("name", NAMES)
def test_things_never_overlap(name):
    loose = [n for n, place in enumerate(PLACED) if place not in {"basket", "plate", "zone"}]
    for number in range(100):
        spots = start_of(name, number).placed[loose, :2]
        gaps = np.linalg.norm(spots[:, None] - spots, axis=2) + 9 * np.eye(len(loose))
        # the widest pair is button (half diagonal 0.042) and block (half diagonal 0.032)
        # on the axes, where they are 0.03 and 0.025 wide: 0.066 leaves room
        assert gaps.min() > 0.0659


def test_all_hundred_starts_differ():
    for name in NAMES:
        assert len({start_of(name, n).placed.tobytes() for n in range(100)}) == 100


def test_train_gate_and_held_out_share_no_start():
    for card in CARDS:
        # 40 + 10 + 50 of the numbers 0 .. 99
        assert (len(card.train), len(card.gate), len(card.held_out)) == (40, 10, 50)
        assert set(card.train) | set(card.gate) | set(card.held_out) == set(range(100))


def test_an_unknown_task_is_told_the_known_ones():
    with pytest.raises(UsageError, match="press-button"):
        start_of("juggle", 0)


def test_the_tasks_are_listed_without_loading_a_simulator():
    code = (
        "import sys, json; from agent.settings import RobotSettings;"
        "from sim.tabletop.robot import Tabletop;"
        "names = [card.name for card in Tabletop(RobotSettings()).tasks()];"
        "print(json.dumps([names, 'mujoco' in sys.modules, 'OpenGL' in sys.modules]))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert json.loads(told.stdout) == [NAMES, False, False]
