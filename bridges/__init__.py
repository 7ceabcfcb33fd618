"""Real robots and sensors behind the agent's Robot seam."""
