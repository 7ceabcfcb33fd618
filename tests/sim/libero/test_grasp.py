import numpy as np
import pytest

from sim.libero.grasp import find_grasps


def _box(middle, half) -> np.ndarray:
    lattice = np.stack(np.meshgrid(*[np.linspace(-1, 1, 9)] * 3), axis=-1).reshape(-1, 3)
    return np.array(middle) + lattice * np.array(half)


NOTHING = np.empty((0, 3))
BASE = np.array([-0.6, 0.0, 0.0])


def test_a_box_is_held_across_its_narrow_side():
    # 4 cm along x, 12 cm along y: only fingers closing within some 30 degrees of x fit around it.
    best = find_grasps(_box([0.1, 0.2, 0.03], [0.02, 0.06, 0.03]), NOTHING, BASE)[0]
    assert abs(np.cos(best.angle)) > np.cos(np.deg2rad(30))
    np.testing.assert_allclose(best.point[:2], [0.1, 0.2], atol=1e-9)
    # 3 cm below its top of 6 cm
    assert best.point[2] == pytest.approx(0.03)


def test_a_flat_thing_is_held_as_low_as_the_fingers_go():
    # 1.6 cm high: the fingers reach 1.2 cm below the tool point and stay 1 mm off the table.
    best = find_grasps(_box([0, 0, 0.008], [0.02, 0.02, 0.008]), NOTHING, BASE)[0]
    assert best.point[2] == pytest.approx(0.013)


def test_a_neighbour_beside_a_box_makes_the_fingers_close_the_other_way():
    thing = _box([0, 0, 0.03], [0.02, 0.02, 0.03])
    wall = _box([0, 0.05, 0.03], [0.02, 0.01, 0.03])  # 2 cm off along y: no room for a finger
    free, beside = find_grasps(thing, NOTHING, BASE)[0], find_grasps(thing, wall, BASE)[0]
    assert abs(np.sin(free.angle)) == pytest.approx(1.0, abs=0.01)
    assert abs(np.sin(beside.angle)) < 0.75
    assert beside.cost < 10


def test_a_ring_too_wide_for_the_hand_is_held_by_its_rim():
    turns = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    ring = np.concatenate(
        [
            np.stack([0.06 * np.cos(turns), 0.06 * np.sin(turns), np.full(120, height)], axis=1)
            for height in (0.01, 0.03, 0.05)
        ]
    )
    best = find_grasps(ring, NOTHING, BASE)[0]
    assert np.linalg.norm(best.point[:2]) == pytest.approx(0.056, abs=0.001)
    # The fingers' axis points along the radius: one finger inside, one outside.
    outward = best.point[:2] / np.linalg.norm(best.point[:2])
    assert abs(outward @ [np.cos(best.angle), np.sin(best.angle)]) == pytest.approx(1.0)


def test_a_ring_at_the_end_of_the_arms_reach_is_held_by_its_near_rim():
    turns = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    flat = np.stack([0.15 + 0.06 * np.cos(turns), 0.06 * np.sin(turns)], axis=1)
    ring = np.concatenate([np.column_stack([flat, np.full(120, z)]) for z in (0.01, 0.03, 0.05)])
    # The middle is 0.15 + 0.6 = 0.75 m from the base, the near rim 0.69, the far one 0.81.
    best = find_grasps(ring, NOTHING, BASE)[0]
    assert np.linalg.norm(best.point[:2] - BASE[:2]) < 0.73


def test_a_wide_pot_with_a_knob_on_its_lid_is_held_by_the_knob():
    # 10 cm wide and 13 cm high; the knob is 1 cm wide and stands out by 1.6 cm, up to 14.6 cm.
    pot = np.concatenate(
        [_box([0, 0, 0.065], [0.05, 0.05, 0.065]), _box([0, 0, 0.138], [0.005, 0.005, 0.008])]
    )
    best = find_grasps(pot, NOTHING, BASE)[0]
    np.testing.assert_allclose(best.point[:2], [0, 0], atol=1e-9)
    # The fingers reach 1.2 cm below the tool point and stay 1 mm off the lid: 13 + 1.3 cm.
    assert best.point[2] == pytest.approx(0.143)


def test_a_plate_is_held_by_its_rim_without_the_fingers_meeting_the_table():
    turns = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    rim = np.column_stack([0.07 * np.cos(turns), 0.07 * np.sin(turns), np.full(120, 0.018)])
    best = find_grasps(np.concatenate([rim, rim * [0.5, 0.5, 0.0]]), NOTHING, BASE)[0]
    assert np.linalg.norm(best.point[:2]) == pytest.approx(0.066, abs=0.001)
    # 1.2 cm of finger below the tool point, and 2 mm of air above the table at 0
    assert best.point[2] == pytest.approx(0.014)
