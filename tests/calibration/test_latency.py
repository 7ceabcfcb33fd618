"""A delay is found again, finer than the samples; what does not follow is refused."""

import numpy as np
import pytest

from calibration.complaints import CalibrationError
from calibration.latency import Signal, delay


def swing(times):
    """A swing that quickens, as the arm is told to make."""
    return np.sin(2 * np.pi * (0.6 + 0.08 * times) * times)


@pytest.mark.parametrize("late_s", [0.0, 0.037, 0.25])
def test_a_delay_is_found_within_five_milliseconds_at_20_hz(late_s):
    rng = np.random.default_rng(1)
    ours, theirs = np.arange(0, 6, 0.05), np.arange(0.013, 6, 0.05)
    noisy = swing(theirs - late_s) + rng.normal(0, 0.01, len(theirs))
    found = delay(Signal(ours, swing(ours)), Signal(theirs, noisy))
    assert found.seconds == pytest.approx(late_s, abs=0.005)
    assert found.correlation > 0.95
    assert found.deviation_s < 0.01


def test_the_sign_of_what_follows_does_not_matter():
    times = np.arange(0, 6, 0.05)
    found = delay(Signal(times, swing(times)), Signal(times, -swing(times - 0.1)))
    assert found.seconds == pytest.approx(0.1, abs=0.005)


def test_noise_follows_nothing():
    times = np.arange(0, 6, 0.05)
    noise = np.cumsum(np.random.default_rng(0).normal(size=len(times)))
    with pytest.raises(CalibrationError, match="follows its cause"):
        delay(Signal(times, swing(times)), Signal(times, noise))


def test_an_arm_that_stands_still_is_refused():
    times = np.arange(0, 6, 0.05)
    with pytest.raises(CalibrationError, match="nothing measured moved"):
        delay(Signal(times, swing(times)), Signal(times, np.zeros(len(times))))


def test_half_a_second_is_too_little():
    times = np.arange(0, 0.5, 0.05)
    with pytest.raises(CalibrationError, match="2 s of both signals"):
        delay(Signal(times, swing(times)), Signal(times, swing(times)))
