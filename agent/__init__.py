"""The agent: runs a policy, records episodes, judges them, and adapts between episodes."""
