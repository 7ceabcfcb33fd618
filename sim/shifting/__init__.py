"""Shifts that more than one simulated world has: their names, strengths and meanings."""
