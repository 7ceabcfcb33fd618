"""A real, very simple judge: done where something red is held up before the camera in the hand."""

import numpy as np

from agent.reward.reader import Opinion


class RedReader:
    """Sees the share of red in the upper middle of `eye_in_hand`, where a held cube is."""

    id = "rule/red@000000000000"

    def read(self, frames):
        image = frames.images["eye_in_hand"].astype(np.float32) / 255.0
        _, height, width, _ = image.shape
        part = image[:, height // 8 : height // 2, width // 3 : 2 * width // 3]
        red = (part[..., 0] > 0.4) & (part[..., 1] < 0.3) & (part[..., 2] < 0.3)
        share = red.mean(axis=(1, 2)).astype(np.float32)
        asked = float("red" in frames.instruction.split())
        # a held cube fills 0.4 of this part, one on the table up to 0.15
        success = asked / (1.0 + np.exp(-20.0 * (share - 0.25)))
        return Opinion(success.astype(np.float32), share, np.zeros_like(share))
