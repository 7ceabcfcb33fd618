"""Looks after each episode whether cameras and arm are still as they were when the run began."""
