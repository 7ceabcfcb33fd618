"""What the first episodes of a run show, kept until there is enough to say how all should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.episode import Episode, Uint8Array
from agent.sentinel.arm import motion_of
from calibration.motion import Motion

UNDER_WAY = " under way"


@dataclass(slots=True)
class Begun:
    """Pictures by camera and moment, and motions, of the episodes so far."""

    episodes: int = 0
    pictures: dict[str, list[Uint8Array]] = field(default_factory=dict)
    motions: list[Motion] = field(default_factory=list)

    def take(self, episode: Episode, every_views: int, place: Sequence[int]) -> None:
        """Keep what one more episode shows."""
        self.episodes += 1
        for name, views in pictures_of(episode, every_views).items():
            # One of each episode: views of one alone would hide how they differ from day to day.
            self.pictures.setdefault(name, []).append(views[len(views) // 2])
        if place:
            self.motions.append(motion_of(episode, place))


def pictures_of(episode: Episode, every_views: int) -> dict[str, list[Uint8Array]]:
    """Pictures to look at, by camera: the first view, and every so many-th while under way."""
    if not episode.steps:
        return {}
    found = {name: [image] for name, image in episode.steps[0].observation.images.items()}
    for step in episode.steps[every_views::every_views] if every_views else ():
        for name, image in step.observation.images.items():
            found.setdefault(name + UNDER_WAY, []).append(image)
    return found
