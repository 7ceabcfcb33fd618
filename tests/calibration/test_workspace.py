import numpy as np
import pytest

from calibration.workspace import Box

BOX = Box((0.3, -0.2, 0.0), (0.7, 0.2, 0.5))


def test_walls_belong_to_the_box_and_what_lies_beyond_does_not():
    assert BOX.contains((0.3, -0.2, 0.0))
    assert BOX.contains((0.7, 0.2, 0.5))
    assert not BOX.contains((0.7, 0.2, np.nextafter(0.5, 1)))


def test_a_point_outside_is_moved_to_the_nearest_wall():
    assert BOX.project((0.9, 0.1, -0.4)).tolist() == [0.7, 0.1, 0.0]


def test_a_point_inside_stays_where_it_is():
    assert BOX.project((0.5, 0.1, 0.2)).tolist() == [0.5, 0.1, 0.2]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_point_that_is_not_finite_is_nowhere(bad):
    assert not BOX.contains((0.5, bad, 0.2))
    with pytest.raises(ValueError, match="finite"):
        BOX.project((0.5, bad, 0.2))
