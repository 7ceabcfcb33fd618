"""The embedded simulator: a capsule arm over a table of plain, coloured things."""
