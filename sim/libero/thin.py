"""Fewer triangles for pictures: meshes thinned while OpenGL reads them, and put back afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import mujoco
import numpy as np
from numpy.typing import NDArray

FEW = 500  # a mesh of no more faces is left as it is
CELLS = 32  # a mesh's vertices are gathered on a grid of so many cells along its longest side
LEAST_M = 0.005  # of a cell: half a pixel at the far camera, 128 px


@contextlib.contextmanager
def thinned(model: mujoco.MjModel, cells: int = CELLS) -> Iterator[None]:
    """Within it, each mesh that is only seen has one vertex a cell.

    Rossignac and Borrel (1993), Multi-resolution 3D approximations for rendering complex scenes.
    What things collide with is untouched.
    """
    arrays = (model.mesh_face, model.mesh_facenormal, model.mesh_facetexcoord)
    before = [array.copy() for array in arrays]
    counts = model.mesh_facenum.copy()
    for mesh in _only_seen(model):
        if model.mesh_facenum[mesh] > FEW:
            _thin(model, int(mesh), cells)
    try:
        yield
    finally:
        model.mesh_facenum[:] = counts
        for array, was in zip(arrays, before, strict=True):
            array[:] = was


def _only_seen(model: mujoco.MjModel) -> NDArray[np.int64]:
    shown = model.geom_type == int(mujoco.mjtGeom.mjGEOM_MESH)
    solid = shown & ((model.geom_contype != 0) | (model.geom_conaffinity != 0))
    return np.setdiff1d(model.geom_dataid[shown & ~solid], model.geom_dataid[solid])


def _thin(model: mujoco.MjModel, mesh: int, cells: int) -> None:
    first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
    begin, faces = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
    points = model.mesh_vert[first : first + count]
    low = points.min(axis=0)
    cell_m = max(float((points.max(axis=0) - low).max()) / cells, LEAST_M)
    cell = np.floor((points - low) / cell_m).astype(np.int64) @ (1, 1 << 16, 1 << 32)
    _, chosen, group = np.unique(cell, return_index=True, return_inverse=True)
    block = slice(begin, begin + faces)
    corners = chosen[group[model.mesh_face[block]]]
    flat = (corners == np.roll(corners, 1, axis=1)).any(axis=1)
    # A thin wall falls together with its back: both are kept, for a face is seen from one side.
    least = corners.argmin(axis=1)[:, None]
    turned = np.take_along_axis(corners, (least + np.arange(3)) % 3, axis=1).astype(np.int64)
    _, once = np.unique(turned @ (1, int(count), int(count) ** 2), return_index=True)
    kept = once[~flat[once]]
    kept.sort()
    end = begin + len(kept)
    for array, values in (
        (model.mesh_face, corners),
        (model.mesh_facenormal, model.mesh_facenormal[block].copy()),
        (model.mesh_facetexcoord, model.mesh_facetexcoord[block].copy()),
    ):
        array[begin:end] = values[kept]
    model.mesh_facenum[mesh] = len(kept)
