"""A run as one page to hand on: plots, tables and clips in a single file that needs no network."""
