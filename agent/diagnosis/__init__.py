"""Which rung a failing deployment is on, before anything is learned from it."""
