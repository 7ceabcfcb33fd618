"""A run's figures for other tools: JSON lines always, the rest by name."""
