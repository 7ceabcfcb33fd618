"""Views taken by hand: what is kept, what is hinted, and that nothing is lost."""

import contextlib

import numpy as np
import pytest
from PIL import Image

from agent.errors import DataError
from agent.guided.folder import CaptureFolder
from agent.guided.live import collect
from agent.protocols import Glance
from benchmarks.board_scene import BoardScene, Picture, looks_at
from calibration.board import Board, find
from calibration.rigid import inverse
from tests.calibration.views import MIDDLE


@pytest.fixture(scope="module")
def pictures():
    """Twelve views of the board, and one of nothing, one blurred, one dark."""
    scene, rng = BoardScene(Board()), np.random.default_rng(3)
    try:
        places = [
            looks_at(MIDDLE + np.append(rng.uniform(-0.08, 0.08, 2), 0.0), away, rng)
            for away in np.linspace(0.26, 0.45, 12)
        ]
        seen = [scene.look(inverse(place), rng, Picture()) for place in places]
        dark = scene.look(inverse(places[0]), rng, Picture(light=0.15))
        blurred = scene.look(inverse(places[0]), rng, Picture(blur_px=6.0, noise=0.3))
    finally:
        scene.close()
    nothing = rng.integers(90, 160, seen[0].shape, np.uint8)
    return seen, {"out of view": nothing, "too dark": dark, "blurred": blurred}


class Shown:
    """A camera that shows given pictures one after the other, each as often as it is told."""

    def __init__(self, pictures, times=2):
        self._all = [each for picture in pictures for each in [picture] * times]
        self._number = 0

    def look(self):
        if self._number == len(self._all):
            raise KeyboardInterrupt
        self._number += 1
        return Glance(self._all[self._number - 1], float(self._number), None)

    def close(self):
        pass


def taken(folder, shown, **more):
    told = []
    kept = CaptureFolder(folder, Board(), posed=False)
    kept.open()
    with contextlib.suppress(KeyboardInterrupt):
        collect(shown, kept, Board(), told.append, **more)
    return told, kept


def test_every_new_view_is_kept_once_and_ctrl_c_loses_none(pictures, tmp_path):
    told, kept = taken(tmp_path, Shown(pictures[0], times=3))
    files = sorted(tmp_path.glob("*.png"))
    assert sum(look.kept for look in told) == kept.views == len(files)
    assert kept.views >= 10
    # What is on disk is what was shown, to the last bit.
    assert np.array_equal(np.asarray(Image.open(files[0])), pictures[0][0])


def test_a_board_on_its_way_is_waited_for(pictures, tmp_path):
    told, kept = taken(tmp_path, Shown(pictures[0], times=1))
    assert kept.views == 0
    assert {look.hint for look in told} == {"hold still"}


@pytest.mark.parametrize("what", ["out of view", "too dark", "blurred"])
def test_what_cannot_be_used_is_named(pictures, tmp_path, what):
    told, kept = taken(tmp_path, Shown([pictures[1][what]]))
    assert kept.views == 0
    assert what in told[-1].hint


def test_a_capture_goes_on_where_it_was(pictures, tmp_path):
    _, first = taken(tmp_path, Shown(pictures[0][:4]))
    _, second = taken(tmp_path, Shown(pictures[0]))
    assert first.views == 4
    assert second.views > 8
    numbers = sorted(int(file.stem) for file in tmp_path.glob("*.png"))
    assert numbers == list(range(second.views))


def test_it_ends_with_as_many_views_as_were_wanted_twice(pictures, tmp_path):
    _, kept = taken(tmp_path, Shown(pictures[0]), count=2)
    assert kept.views == 4


def test_pictures_of_another_size_are_not_mixed_in(pictures, tmp_path):
    taken(tmp_path, Shown(pictures[0][:1]))
    kept = CaptureFolder(tmp_path, Board(), posed=False)
    kept.open()
    with pytest.raises(DataError, match="pictures of 640 x 480 px wanted"):
        kept.add(pictures[0][1][:400], find(Board(), pictures[0][1]), None)


def test_a_picture_without_its_pose_is_refused(pictures, tmp_path):
    taken(tmp_path, Shown(pictures[0][:1]))
    with pytest.raises(DataError, match="has none; delete it"):
        CaptureFolder(tmp_path, Board(), posed=True).open()
