"""Pictures of a board in a scene whose every figure is known, through a lens that is known too.

MuJoCo draws without a lens, at twice the size; the distortion, blur and noise are laid on after.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import mujoco
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial.transform import Rotation

from calibration.board import Board, draw
from calibration.camera import Intrinsics
from calibration.rigid import Float64Array
from sim.tabletop.eyes import Eyes

TRUE = Intrinsics(
    width_px=640,
    height_px=480,
    matrix=np.array([[605.0, 0.0, 322.0], [0.0, 607.0, 236.5], [0.0, 0.0, 1.0]]),
    distortion=np.array([-0.11, 0.06, 0.0008, -0.0005, 0.0]),
    covariance=np.zeros((9, 9)),
)
FINER = 2
WIDER = 1.35  # drawn beyond the picture, so that the lens finds something at its rim
TEXTURE_PX = 96  # a square
MARGIN_PX = 48

SCENE = """
<mujoco>
  <visual><headlight ambient="0.55 0.55 0.55" diffuse="0.35 0.35 0.35" specular="0 0 0"/>
    <global offwidth="{side}" offheight="{side}"/><quality offsamples="4"/></visual>
  <asset>
    <texture name="board" type="2d" file="{file}"/>
    <material name="board" texture="board" texuniform="false" specular="0" reflectance="0"/>
    <texture name="floor" type="2d" builtin="checker" rgb1=".4 .42 .45" rgb2=".3 .32 .35"
      width="64" height="64"/>
    <material name="floor" texture="floor" texrepeat="9 9" specular="0"/>
  </asset>
  <worldbody>
    <geom type="plane" size="3 3 .1" pos="0 0 -.6" material="floor"/>
    <body name="board" mocap="true">
      <geom type="plane" size="{half_x} {half_y} .001" material="board"/>
    </body>
    <camera name="eye" fovy="{fovy}"/>
  </worldbody>
</mujoco>
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """What spoils a picture. noise: of 255. light: factor."""

    noise: float = 2.0
    blur_px: float = 0.5
    light: float = 1.0


class BoardScene:
    """Draws a board as the true camera sees it."""

    def __init__(self, board: Board, camera: Intrinsics = TRUE) -> None:
        self._board, self._camera = board, camera
        self._width, self._height = camera.width_px * FINER, camera.height_px * FINER
        self._side = self._width
        focal = FINER * camera.matrix[1, 1] / WIDER
        middle_px = self._side / 2 - 0.5
        self._pinhole = np.array([[focal, 0, middle_px], [0, focal, middle_px], [0, 0, 1]])
        drawn = draw(board, TEXTURE_PX, MARGIN_PX)
        margin_m = MARGIN_PX / TEXTURE_PX * board.square_m
        self._size_m = np.array([board.columns, board.rows]) * board.square_m
        half = self._size_m / 2 + margin_m
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "board.png"
            Image.fromarray(drawn).convert("RGB").save(file)
            self._model = mujoco.MjModel.from_xml_string(
                SCENE.format(
                    side=self._side, file=file, half_x=half[0], half_y=half[1],
                    fovy=np.degrees(2 * np.arctan(self._side / 2 / focal)),
                )
            )  # fmt: skip
        self._data = mujoco.MjData(self._model)
        self._eyes = Eyes(self._model, self._side, "egl")
        self._map = self._lens()

    def look(
        self, board_in_camera: Float64Array, rng: np.random.Generator, spoilt: Picture
    ) -> NDArray[np.uint8]:
        """One picture (h, w, 3). board_in_camera: (4, 4), from the first square's corner."""
        self._place(board_in_camera)
        drawn = self._eyes.look(self._data, "eye")
        seen = cv2.remap(drawn, *self._map, cv2.INTER_LINEAR)
        seen = cv2.GaussianBlur(seen, (0, 0), FINER * max(spoilt.blur_px, 0.3))
        small = cv2.resize(
            seen, (self._camera.width_px, self._camera.height_px), interpolation=cv2.INTER_AREA
        )
        noisy = small * spoilt.light + rng.normal(0, spoilt.noise, small.shape)
        return np.clip(np.round(noisy), 0, 255).astype(np.uint8)

    def close(self) -> None:
        """Let go of the drawing context."""
        self._eyes.close()

    def _place(self, board_in_camera: Float64Array) -> None:
        model, data = self._model, self._data
        # A camera of MuJoCo's looks along -z with y up, one of OpenCV's along z with y down; a
        # plane's texture has y up from its middle, a board's frame y down from its corner.
        flip = np.diag([1.0, -1.0, -1.0, 1.0])
        middle = np.eye(4)
        middle[:2, 3] = self._size_m / 2
        plane = flip @ board_in_camera @ middle @ flip
        data.mocap_pos[0] = plane[:3, 3]
        data.mocap_quat[0] = np.roll(Rotation.from_matrix(plane[:3, :3]).as_quat(), 1)
        model.cam_pos[0], model.cam_quat[0] = 0.0, (1.0, 0.0, 0.0, 0.0)
        mujoco.mj_forward(model, data)

    def _lens(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For each fine pixel of the picture, where the pinhole drawing shows it."""
        camera = self._camera
        rows, columns = np.mgrid[0 : self._height, 0 : self._width].astype(np.float64)
        # The middle of fine pixel u lies at (u + 0.5) / FINER - 0.5 of the picture's own pixels.
        places = np.stack([columns, rows], -1).reshape(-1, 1, 2)
        places = (places + 0.5) / FINER - 0.5
        rays = cv2.undistortPointsIter(
            places, camera.matrix, camera.distortion, np.eye(3), np.eye(3),
            (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 60, 1e-10),
        ).reshape(-1, 2)  # fmt: skip
        drawn = rays @ self._pinhole[:2, :2].T + self._pinhole[:2, 2]
        shape = (self._height, self._width)
        return (
            drawn[:, 0].reshape(shape).astype(np.float32),
            drawn[:, 1].reshape(shape).astype(np.float32),
        )


def looks_at(
    target_m: Float64Array, distance_m: float, rng: np.random.Generator, steepest_deg: float = 45.0
) -> Float64Array:
    """A camera pose (4, 4) in the board's frame that looks at a point of it from its front."""
    tilt, around = np.radians(rng.uniform(3, steepest_deg)), rng.uniform(0, 2 * np.pi)
    # The board's z points away from whoever reads it.
    off = np.array([np.sin(tilt) * np.cos(around), np.sin(tilt) * np.sin(around), -np.cos(tilt)])
    forward = -off
    side = np.cross(forward, rng.normal(size=3))
    side /= np.linalg.norm(side)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([side, np.cross(forward, side), forward], axis=1)
    pose[:3, 3] = target_m + distance_m * off
    return pose
