"""A correction of pictures: what it does to them, and what it refuses."""

import dataclasses

import pytest
import torch

from agent.errors import DataError
from agent.policy import correction
from agent.policy.correction import unchanged

CAMERAS = ("agentview", "wrist")


def pictures():
    return torch.rand(2, 2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_the_correction_that_changes_nothing_gives_the_same_bits():
    assert torch.equal(unchanged(CAMERAS)(pictures()), pictures())


def test_what_went_two_pixels_right_is_brought_back_and_the_edge_is_repeated():
    # Half a picture of 8 px is 1, so 2 px are 0.5: the corrected pixel x is found at x + 2.
    place = unchanged(CAMERAS).place.clone()
    place[1, 0, 2] = 0.5
    found = dataclasses.replace(unchanged(CAMERAS), place=place)
    seen, was = found(pictures()), pictures()
    torch.testing.assert_close(seen[:, 1, :, :, :6], was[:, 1, :, :, 2:], atol=1e-6, rtol=0)
    torch.testing.assert_close(seen[:, 1, :, :, 7], was[:, 1, :, :, 7], atol=1e-6, rtol=0)
    assert torch.equal(seen[:, 0], was[:, 0])
    # The two columns on the right come from beyond the picture: 6 of 8 are truly seen.
    assert found.reach(1, 8, 8).sum() == 48


def test_colours_are_mapped_camera_by_camera_and_stay_within_the_range():
    colours, bias = unchanged(CAMERAS).colours.clone(), torch.zeros(2, 3)
    colours[0], bias[0] = 3.0 * torch.eye(3), torch.tensor([-1.0, 0.0, 1.0])
    seen = dataclasses.replace(unchanged(CAMERAS), colours=colours, bias=bias)(pictures())
    # 3 x - 1, 3 x and 3 x + 1, held between 0 and 1; of the last nothing is left but 1.
    torch.testing.assert_close(seen[:, 0, 0], (3 * pictures()[:, 0, 0] - 1).clamp(0, 1))
    assert bool((seen[:, 0, 2] == 1.0).all())
    torch.testing.assert_close(seen[:, 1], pictures()[:, 1])


def test_what_was_written_is_read_back_and_another_number_has_another_name(tmp_path):
    made = dataclasses.replace(unchanged(CAMERAS), bias=torch.full((2, 3), 0.1))
    made.save(tmp_path)
    found = correction.read(tmp_path, CAMERAS)
    assert found is not None
    assert found.name == made.name != unchanged(CAMERAS).name
    assert torch.equal(found.bias, made.bias)
    assert correction.read(tmp_path / "none", CAMERAS) is None


def test_a_changed_bit_a_torn_file_and_other_cameras_are_refused(tmp_path):
    unchanged(CAMERAS).save(tmp_path)
    with pytest.raises(DataError, match="looks through wrist"):
        correction.read(tmp_path, ("wrist",))
    file = tmp_path / correction.FILE
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(DataError, match="is damaged"):
        correction.read(tmp_path, CAMERAS)
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        correction.read(tmp_path, CAMERAS)
