"""Signs, order, frame, scale, drift, delay and gripper out of commanded and measured moves."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from calibration.axes import Pulse, axes_of, delay_steps, gripper, judged
from calibration.complaints import CalibrationError
from calibration.tables import Response

SWAPPED = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def pulses(matrix, drift_m=(0.0, 0.0, 0.0), steps=10):
    """To and fro by 5 cm along each axis through a matrix, with a drift each control step."""
    both = np.zeros((6, 6))
    both[:3, :3] = both[3:, 3:] = matrix
    pushes = [sign * 0.05 * axis for axis in np.eye(6) for sign in (1, -1)]
    extra = np.append(np.multiply(drift_m, steps), np.zeros(3))
    return [Pulse(push, both @ push + extra, steps) for push in pushes]


def amiss(matrix, late=0, was=None, **more):
    given = pulses(matrix, **more)
    told = judged(axes_of(given), axes_of(given, turns=True), late, was)
    return {each.name: each for each in told if not each.well}


def test_an_arm_that_does_what_it_is_told_is_well():
    assert amiss(0.8 * np.eye(3)) == {}


def test_swapped_axes_are_named_with_where_each_went():
    # +x went to +y, and +y to +x
    found = amiss(SWAPPED)
    assert set(found) == {"axes", "turning axes"}
    assert "+y +x +z" in found["axes"].found


def test_a_mirrored_axis_is_named():
    assert "+x -y +z" in amiss(np.diag([1.0, -1.0, 1.0]))["axes"].found


def test_a_turned_base_frame_is_told_by_angle_and_axis():
    turned = Rotation.from_euler("z", 20, degrees=True).as_matrix()
    axes = axes_of(pulses(0.7 * turned))
    assert axes.turn_deg == pytest.approx(20.0, abs=1e-6)
    assert axes.axis == pytest.approx([0.0, 0.0, 1.0], abs=1e-6)
    assert axes.gain == pytest.approx(0.7)
    assert set(amiss(turned)) == {"base frame", "turning frame"}


def test_a_wrong_scale_shows_against_an_earlier_test():
    # 0.8 then, 0.8 x 1.3 = 1.04 now: plausible in itself, not for this arm
    was = Response(gain=0.8, delay_steps=1)
    assert set(amiss(1.04 * np.eye(3), was=was)) == {"scale"}
    assert amiss(1.04 * np.eye(3)) == {}


def test_a_scale_that_no_arm_has_shows_without_one():
    assert set(amiss(0.15 * np.eye(3))) == {"scale"}


def test_a_drift_is_told_apart_from_a_turned_frame():
    found = amiss(np.eye(3), drift_m=(0.0, 0.003, 0.0))
    assert set(found) == {"drift"}
    assert "(0.0, 3.0, 0.0) mm" in found["drift"].found


def test_a_delay_is_counted_in_control_periods():
    rng = np.random.default_rng(0)
    asked = rng.normal(size=(60, 3))
    came = np.vstack([np.zeros((4, 3)), asked[:-4]])
    assert delay_steps(asked, came) == 4
    assert set(amiss(np.eye(3), late=4)) == {"delay"}
    assert set(amiss(np.eye(3), late=3, was=Response(gain=1.0, delay_steps=1))) == {"delay"}


@pytest.mark.parametrize(
    ("openings", "word"),
    [
        ((0.98, 0.02, 0.99, 0.01), "inverted"),
        ((0.5, 0.5, 0.5, 0.5), "stuck"),
        ((0.3, 0.75, 0.3, 0.75), "weak"),
    ],
)
def test_a_gripper_that_does_not_follow_is_told_by_its_kind(openings, word):
    told = gripper(np.array(openings), np.array([0.0, 1.0, 0.0, 1.0]))
    assert told.found.startswith(word)
    assert not told.well


def test_a_gripper_that_follows_is_well():
    assert gripper(np.array([0.02, 0.97, 0.02, 0.98]), np.array([0.0, 1.0, 0.0, 1.0])).well


def test_an_arm_that_does_not_move_is_refused():
    with pytest.raises(CalibrationError, match="is a controller active"):
        axes_of(pulses(0.01 * np.eye(3)))
