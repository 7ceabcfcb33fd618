from pathlib import Path

import numpy as np
import pytest

from agent.errors import UsageError
from sim.libero.shifts import SHIFTS, ActionShift, Shifts, shifts_of
from sim.shifting.cards import table

COMMAND = np.array([0.4, 0.0, 0.2, 0.0, 0.1, 0.0, 1.0])
PAGE = (Path(__file__).parents[3] / "docs" / "libero.md").read_text()


def shifted(**strengths):
    return ActionShift(shifts_of(strengths)).apply(COMMAND)


def test_neutral_strengths_are_libero_as_it_is():
    neutral = {card.name: card.neutral for card in SHIFTS}
    assert shifts_of(neutral) == Shifts() == shifts_of({})
    np.testing.assert_array_equal(shifted(**neutral), COMMAND)


def test_a_quarter_turn_makes_x_into_y_and_leaves_height_and_hand():
    # (x, y) turned by 90 degrees is (-y, x): move (0.4, 0) -> (0, 0.4), turn (0, 0.1) -> (-0.1, 0)
    turned = shifted(rotate=np.pi / 2)
    np.testing.assert_allclose(turned, [0.0, 0.4, 0.2, -0.1, 0.0, 0.0, 1.0], atol=1e-12)


def test_gain_scales_the_deltas_and_stays_in_range():
    # 3 * 0.4 = 1.2 is cut to 1; 3 * 0.2 = 0.6; 3 * 0.1 = 0.3
    np.testing.assert_allclose(shifted(gain=3.0), [1.0, 0.0, 0.6, 0.0, 0.3, 0.0, 1.0], atol=1e-12)


def test_drift_comes_before_the_frame_and_a_turned_hand_opens_to_close():
    # y becomes 0 + 0.2, swap makes (0.4, 0.2) into (0.2, 0.4); a reflection turns turns round:
    # swapped (0, 0.1) -> (0.1, 0), reversed
    np.testing.assert_allclose(
        shifted(drift=0.2, swap=1.0, gripper=-1.0),
        [0.2, 0.4, 0.2, -0.1, 0.0, 0.0, -1.0],
        atol=1e-12,
    )


def test_a_delayed_command_takes_effect_two_steps_later_and_is_forgotten_at_reset():
    shift = ActionShift(Shifts(delay=2.0))
    still = [0, 0, 0, 0, 0, 0, -1]
    assert shift.apply(COMMAND).tolist() == still
    assert shift.apply(COMMAND * 0).tolist() == still
    assert shift.apply(COMMAND * 0).tolist() == COMMAND.tolist()
    shift.apply(COMMAND)
    shift.reset()
    assert [shift.apply(COMMAND * 0).tolist() for _ in range(2)] == [still, still]


@pytest.mark.parametrize(
    "strengths", [{"size": 1.2}, {"poses": 0.5}, {"light": -1.0}], ids=["unknown", "far", "dark"]
)
def test_what_is_unknown_or_too_strong_is_an_error_that_lists_the_known_ones(strengths):
    with pytest.raises(UsageError, match=r"known: rotate, gain, delay.*texture.*paraphrase"):
        shifts_of(strengths)


@pytest.mark.parametrize("strengths", [{"delay": 0.5}, {"distractors": 1.5}, {"paraphrase": 0.3}])
def test_half_a_step_or_thing_or_wording_is_refused(strengths):
    with pytest.raises(UsageError, match="whole number"):
        shifts_of(strengths)


def test_the_page_has_the_table_of_shifts():
    assert table(SHIFTS) in PAGE
