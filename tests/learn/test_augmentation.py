"""Pictures changed while cloning: how far, and by which numbers."""

import torch

from agent.learn.augmentation import augmented


def pictures(count=64):
    """A grey square on a darker ground, alike in all."""
    one = torch.full((1, 2, 24, 24, 3), 80, dtype=torch.uint8)
    one[:, :, 8:16, 8:16] = 150
    return one.repeat(count, 1, 1, 1, 1)


def test_the_same_numbers_change_pictures_alike_and_others_otherwise():
    once = augmented(pictures(4), 0.7, (0, 5, 1))
    assert torch.equal(once, augmented(pictures(4), 0.7, (0, 5, 1)))
    assert not torch.equal(once, augmented(pictures(4), 0.7, (0, 6, 1)))
    assert not torch.equal(once, augmented(pictures(4), 0.7, (0, 5, 0)))
    assert once.shape == (4, 2, 24, 24, 3)
    assert once.dtype == torch.uint8


def test_light_reaches_from_a_third_to_three_times_and_no_further():
    # Where nothing is clipped the mean of a corner, 80, times 1/3 to 3, and contrast adds to that
    # 0.5 light (1 - contrast), contrast from 2/3 to 3/2: 80 / 255 becomes at least
    # (0.314 x 1.5 - 0.25) / 3 = 0.074, and at most 3 x (0.314 x 2/3 + 0.167) = 1.13, clipped to 1.
    seen = augmented(pictures(256), 1.0, (0, 0, 0)).float()[:, 0, :3, :3].mean((1, 2, 3)) / 255
    assert 0.06 < float(seen.min()) < 0.15
    assert float(seen.max()) > 0.75


def test_a_little_strength_changes_little():
    gone = augmented(pictures(), 0.01, (0, 0, 0)).float() - pictures().float()
    assert 0.0 < float(gone.abs().mean()) < 3.0


def test_cameras_of_one_view_share_their_light_but_not_their_place():
    seen = augmented(pictures(), 1.0, (0, 0, 0)).float()
    corner = seen[:, :, :3, :3].mean((2, 3, 4))
    torch.testing.assert_close(corner[:, 0], corner[:, 1], atol=8.0, rtol=0.1)
    edge = (seen.mean(-1) > seen.mean((2, 3, 4))[:, :, None, None]).float()
    assert float((edge[:, 0] - edge[:, 1]).abs().mean()) > 0.01
