"""The guard: a process of its own between agent and controller, and the only one that commands."""
