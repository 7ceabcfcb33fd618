"""Hands episodes and adapters to other tools, each in the format that the tool reads."""
