import numpy as np
import pytest

from calibration.complaints import CalibrationError
from calibration.motion import Motion, change, respond, spread

PLAIN = np.diag([0.02, 0.02, 0.018])
LAG = 0.3


def motions(between=None, bias=(0, 0, 0), delay=0, episodes=4, noise=1e-4, seed=0):
    """What an arm makes of random commands: m a step, by the model that is fitted."""
    rng = np.random.default_rng(seed)
    matrix = PLAIN @ (np.eye(3) if between is None else between)
    found = []
    for _ in range(episodes):
        commands = rng.normal(0, 0.4, (60, 3))
        moves = np.zeros((60, 3))
        for step in range(60):
            late = commands[step - delay] if step >= delay else np.zeros(3)
            before = moves[step - 1] if step else np.zeros(3)
            pushed = matrix @ late + PLAIN @ np.array(bias)
            moves[step] = LAG * before + (1 - LAG) * pushed + rng.normal(0, noise, 3)
        found.append(Motion(commands, moves, np.ones(60, np.bool_)))
    return found


def turned(degrees):
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


@pytest.fixture(scope="module")
def before():
    return respond(motions(seed=1))


def test_the_response_of_an_arm_is_found(before):
    assert before.lag == pytest.approx(LAG, abs=0.01)
    assert before.steady == pytest.approx(PLAIN, abs=2e-4)
    assert before.delay_steps == 0


def test_an_arm_that_did_not_change_is_told_so(before):
    found = change(respond(motions()), before)
    assert found.turn_deg < 1.0
    assert found.gain == pytest.approx(1.0, abs=0.01)
    assert (found.mirrored, found.order, found.delay_steps) == (False, "xyz", 0)
    assert np.linalg.norm(found.bias) < 0.01


def test_a_turned_weaker_drifting_and_late_arm_is_told_in_figures(before):
    found = change(respond(motions(0.6 * turned(40), bias=(0, 0.2, 0), delay=3)), before)
    assert found.turn_deg == pytest.approx(40, abs=1.0)
    assert abs(found.axis[2]) > 0.99
    assert found.axis[2] > 0  # anticlockwise seen from above
    assert found.gain == pytest.approx(0.6, abs=0.01)
    assert found.bias == pytest.approx([0, 0.2, 0], abs=0.01)
    assert found.delay_steps == 3


def test_a_mirrored_axis_is_named_and_swapped_axes_are_told(before):
    mirrored = change(respond(motions(np.diag([1.0, -1.0, 1.0]))), before)
    assert mirrored.mirrored
    assert np.abs(mirrored.axis) == pytest.approx([0, 1, 0], abs=0.02)
    assert mirrored.turn_deg < 1.0
    swapped = change(respond(motions(np.eye(3)[[1, 0, 2]])), before)
    assert swapped.order == "yxz"
    # exchanging two axes is a mirror between them
    assert np.abs(swapped.axis) == pytest.approx([0.7071, 0.7071, 0], abs=0.02)


def test_half_a_turn_has_an_axis(before):
    found = change(respond(motions(turned(180), noise=0.0)), before)
    assert found.turn_deg == pytest.approx(180, abs=1.0)
    assert np.abs(found.axis) == pytest.approx([0, 0, 1], abs=0.02)


def test_steps_in_which_the_arm_was_held_do_not_count(before):
    held = motions(seed=3)
    for motion in held:
        motion.moves[20:45] = 0.0
        motion.free[20:46] = False
    assert change(respond(held), before).gain == pytest.approx(1.0, abs=0.01)


def test_the_doubt_grows_with_the_noise(before):
    sure, unsure = (spread(motions(noise=each), before, 8, 0) for each in (1e-4, 4e-3))
    assert 5 * sure[0] < unsure[0] < 15.0


def test_too_little_motion_is_refused():
    with pytest.raises(CalibrationError, match="60 control steps of free motion wanted, found 0"):
        respond([])


def test_episodes_of_a_few_steps_are_enough_where_there_are_many():
    rng = np.random.default_rng(3)
    motions = []
    for _ in range(12):  # of 7 steps: none is longer than the longest delay that is looked for
        commands = rng.normal(0, 1, (7, 3))
        moves = np.zeros((7, 3))
        for step in range(7):
            earlier = moves[step - 1] if step else np.zeros(3)
            moves[step] = 0.5 * earlier + 0.01 * commands[step]
        motions.append(Motion(commands, moves, np.ones(7, np.bool_)))
    found = respond(motions)
    # In the long run 0.01 / (1 - 0.5) a command, at once.
    np.testing.assert_allclose(found.steady, 0.02 * np.eye(3), atol=1e-9)
    assert found.delay_steps == 0
