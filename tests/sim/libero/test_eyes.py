"""What is left out of a picture: what nobody sees, and triangles smaller than a pixel."""

import mujoco
import numpy as np

from sim.libero.eyes import _in_sight, _mirrors
from sim.libero.thin import thinned

# The camera hangs 1 m above a mirror and looks down; a quarter turn of view is 45 degrees a side.
ROOM = """
<mujoco>
  <asset><material name="glass" reflectance="0.5"/></asset>
  <worldbody>
    <camera name="eye" pos="0 0 1" fovy="90"/>
    <geom name="mirror" type="box" size="0.2 0.2 0.01" pos="0 0 -0.01" material="glass"/>
    <geom name="ahead" type="sphere" size="0.1" pos="0.5 0 0.3"/>
    <geom name="beside" type="sphere" size="0.1" pos="1.2 0 0.9"/>
    <geom name="above" type="sphere" size="0.1" pos="0 0 1.5"/>
    <geom name="far above" type="sphere" size="0.1" pos="9 0 1.5"/>
    <geom name="floor" type="plane" size="0 0 1" pos="0 0 -3"/>
  </worldbody>
</mujoco>
"""


def _sheet(cells):
    """A square sheet of 2 cells^2 faces with its back, as the two walls of a pan are."""
    side = np.linspace(0, 0.3, cells + 1)
    points = [(x, y, z) for z in (0.0, 0.0005) for x in side for y in side]
    faces, row = [], cells + 1
    for front in (True, False):
        base = 0 if front else row * row
        for a in range(cells):
            for b in range(cells):
                c = [base + p for p in (a * row + b, a * row + b + 1, (a + 1) * row + b)]
                d = [c[1], c[1] + row, c[2]]
                faces += [c, d] if front else [c[::-1], d[::-1]]
    lines = [f"v {x} {y} {z}" for x, y, z in points]
    lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]
    return "\n".join(lines).encode()


def _names(model, seen):
    return {model.geom(number).name for number in np.flatnonzero(seen)}


def test_what_lies_beside_or_behind_the_view_is_left_out_unless_a_mirror_in_view_shows_it():
    model = mujoco.MjModel.from_xml_string(ROOM)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    mirrors = np.flatnonzero(_mirrors(model))
    assert _names(model, np.isin(np.arange(model.ngeom), mirrors)) == {"mirror"}
    directly = {"mirror", "ahead", "floor"}
    assert _names(model, _in_sight(model, data, 0, mirrors[:0])) == directly
    # The mirror is at z = 0: what is at 1.5 shows at -1.5, 2.5 m ahead and so within 2.5 m of the
    # middle; at 0.9 it shows at -0.9, within 1.9 m.
    assert _names(model, _in_sight(model, data, 0, mirrors)) == directly | {"above", "beside"}


def test_a_seen_mesh_is_thinned_on_both_its_sides_for_a_while_and_a_solid_one_never():
    files = {"seen.obj": _sheet(40), "solid.obj": _sheet(40)}
    model = mujoco.MjModel.from_xml_string(
        """<mujoco><asset><mesh name="seen" file="seen.obj" inertia="shell"/>
        <mesh name="solid" file="solid.obj" inertia="shell"/></asset><worldbody>
        <geom name="seen" type="mesh" mesh="seen" contype="0" conaffinity="0"/>
        <geom name="solid" type="mesh" mesh="solid" pos="1 0 0"/></worldbody></mujoco>""",
        files,
    )
    assert model.mesh_facenum.tolist() == [6400, 6400]
    before = model.mesh_face.copy()
    with thinned(model, cells=10):
        first, count = model.mesh_faceadr[0], model.mesh_facenum[0]
        faces = model.mesh_face[first : first + count]
        points = model.mesh_vert[faces]
        up = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
        area = 0.5 * np.linalg.norm(up, axis=1).sum()
        axis = np.abs(up).sum(axis=0).argmax()
        facing = np.sign(up[:, axis])
        solid = model.mesh_facenum[1]
    # 10 cells a side, front and back: some 2 x 2 x 11 x 11 faces, each side 0.3 x 0.3 m but for
    # the strip that its last cell loses.
    assert 350 < count < 600
    assert solid == 6400
    assert (facing > 0).sum() == (facing < 0).sum()
    assert 0.75 * 2 * 0.09 < area <= 2 * 0.09
    assert model.mesh_facenum.tolist() == [6400, 6400]
    np.testing.assert_array_equal(model.mesh_face, before)
