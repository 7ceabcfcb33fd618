"""Format `mp4`: one film an episode and camera, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.episode import ScoredEpisode
from agent.export import film
from agent.export.caption import captioned
from agent.export.part import Part, Receipt
from agent.export.rows import rows_of, views
from agent.store.summary import Summary


class Clips:
    """Films at the robot's own pace: one frame a control step."""

    name = "mp4"

    def __init__(self, fps: float, *, caption: bool) -> None:
        self._fps = fps
        self._caption = caption

    @property
    def options(self) -> Mapping[str, Any]:
        """Everything that shapes the files."""
        return {"fps": self._fps, "caption": self._caption, "codec": film.codec()}

    def part(self, scored: ScoredEpisode, row: Summary, before: Sequence[Receipt]) -> Part:  # noqa: ARG002  each clip stands alone
        """<id>-<camera>.mp4 for each camera."""
        steps = len(rows_of(scored))
        shown = captioned if self._caption else views
        cameras = scored.episode.steps[0].observation.images
        files = {
            f"{row.id}-{camera}.mp4": film.encode(shown(scored, camera), self._fps)
            for camera in cameras
        }
        return Part(files, {"frames": steps})

    def closing(self, receipts: Sequence[Receipt]) -> Mapping[str, bytes]:  # noqa: ARG002
        """Nothing: the clips are all there is."""
        return {}
