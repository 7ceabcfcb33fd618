"""Where the checkpoint lies that comes with this package; nothing is loaded for asking."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "policy" / "shipped" / "tabletop"
