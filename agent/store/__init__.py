"""Keeps every episode: recorded durably, committed whole, read back exact to the bit."""
