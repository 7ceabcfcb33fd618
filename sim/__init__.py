"""Simulated robots behind the agent's Robot seam."""
