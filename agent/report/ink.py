"""How every plot looks: colours that the colour-blind can tell apart, and plots as bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from agent.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette (2008).
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#777777"
_STYLE: dict[Any, Any] = {  # keys are a closed set that not every version types
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "white",
    "svg.hashsalt": "vlarl",  # the same run gives the same bytes
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in this style, without a screen. Raises UsageError where matplotlib is absent."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise UsageError(
            "plots want matplotlib, which is not installed: pip install 'vlarl-agent[report]'"
        ) from error
    with mpl.rc_context(_STYLE):
        yield


def figure(
    width: float, height: float, rows: int = 1, columns: int = 1
) -> tuple[Figure, list[Axes]]:
    """An empty figure, inches, and its axes row by row."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    axes = made.subplots(rows, columns, squeeze=False)
    return made, [each for row in axes for each in row]


def image(made: Figure, kind: Literal["svg", "png"]) -> bytes:
    """The figure as a file's content."""
    out = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    made.savefig(out, format=kind, dpi=144, metadata=metadata)
    return out.getvalue()
