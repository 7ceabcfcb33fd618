"""Calibration that a person is led through, with a robot or a camera at hand."""
