"""A camera's picture as the policy wants it: cut, turned and resized."""

from __future__ import annotations

import numpy as np

from agent.episode import Uint8Array
from agent.errors import RobotFault
from calibration.profile import Camera as CameraSpec


def prepared(picture: Uint8Array, camera: CameraSpec) -> Uint8Array:
    """The picture (h, w, 3) cut to the profile's crop, turned clockwise, and resized.

    A copy, so that nobody writes to it any more. Raises RobotFault where the crop lies outside.
    """
    if camera.crop is not None:
        left, top, width, height = camera.crop
        if left + width > picture.shape[1] or top + height > picture.shape[0]:
            raise RobotFault(
                f"camera {camera.name}: crop {camera.crop} wanted, found a picture of "
                f"{picture.shape[1]}x{picture.shape[0]} px; set the profile's crop or the driver"
            )
        picture = picture[top : top + height, left : left + width]
    picture = np.rot90(picture, -camera.rotate_deg // 90)
    if picture.shape[:2] == (camera.height_px, camera.width_px):
        return np.array(picture, order="C")
    from PIL import Image

    # Pillow's bilinear filter widens when it shrinks, so that nothing is skipped.
    source = Image.fromarray(np.ascontiguousarray(picture))
    resized = source.resize((camera.width_px, camera.height_px), Image.Resampling.BILINEAR)
    return np.array(resized)
