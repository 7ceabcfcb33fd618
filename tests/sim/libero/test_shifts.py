import numpy as np
import pytest

from agent.errors import UsageError
from sim.libero.shifts import ActionShift

COMMAND = np.array([0.4, 0.0, 0.2, 0.0, 0.1, 0.0, 1.0])


def test_no_shift_changes_nothing():
    np.testing.assert_array_equal(ActionShift({}).apply(COMMAND), COMMAND)


def test_a_quarter_turn_makes_x_into_y_and_leaves_height_and_hand():
    # (x, y) turned by 90 degrees is (-y, x): move (0.4, 0) -> (0, 0.4), turn (0, 0.1) -> (-0.1, 0)
    turned = ActionShift({"rotate": np.pi / 2}).apply(COMMAND)
    np.testing.assert_allclose(turned, [0.0, 0.4, 0.2, -0.1, 0.0, 0.0, 1.0], atol=1e-12)


def test_gain_scales_the_deltas_and_stays_in_range():
    # 3 * 0.4 = 1.2 is cut to 1; 3 * 0.2 = 0.6; 3 * 0.1 = 0.3
    scaled = ActionShift({"gain": 3.0}).apply(COMMAND)
    np.testing.assert_allclose(scaled, [1.0, 0.0, 0.6, 0.0, 0.3, 0.0, 1.0], atol=1e-12)


def test_a_delayed_command_takes_effect_two_steps_later_and_is_forgotten_at_reset():
    shift = ActionShift({"delay": 2.0})
    still = [0, 0, 0, 0, 0, 0, -1]
    assert shift.apply(COMMAND).tolist() == still
    assert shift.apply(COMMAND * 0).tolist() == still
    assert shift.apply(COMMAND * 0).tolist() == COMMAND.tolist()
    shift.apply(COMMAND)
    shift.reset()
    assert [shift.apply(COMMAND * 0).tolist() for _ in range(2)] == [still, still]


def test_an_unknown_shift_is_an_error_that_lists_the_known_ones():
    with pytest.raises(UsageError, match="known: rotate, gain, delay"):
        ActionShift({"light": 0.5})


def test_half_a_step_of_delay_is_refused():
    with pytest.raises(UsageError, match="whole control steps"):
        ActionShift({"delay": 0.5})
