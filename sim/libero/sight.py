"""What an expert sees of a LIBERO scene: shapes, contacts, joints and which goals hold."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.libero.world import Pose, World

Float64Array = NDArray[np.float64]

_SPACING_M = 0.025  # between points, so that nothing as wide as a finger slips through
_SPARSEST = 4  # sides of a small box's lattice
_SPHERE, _CAPSULE, _CYLINDER = 2, 3, 5


class Sight:
    """One task's scene, read where it stands; nothing here moves or changes it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._env: Any = world.official().env
        self._model: Any = self._env.sim.model._model
        self._data: Any = self._env.sim.data._data
        self._half = _half_extents(self._model)
        self._geoms: dict[str, NDArray[np.intp]] = {}
        self._clouds: dict[tuple[int, ...], tuple[NDArray[np.intp], Float64Array]] = {}

    @property
    def tool(self) -> Pose:
        """Pose of the point between the fingertips."""
        return self.world.tool()

    @property
    def tool_speed(self) -> Float64Array:
        """(3,) m/s, of the point between the fingertips."""
        return np.array(self._env.sim.data.get_site_xvelp(self._env.robots[0].controller.eef_name))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All things and furniture that have a shape."""
        return (*self.world.movables(), *self.world.fixtures())

    def holds(self, predicate: tuple[str, ...]) -> bool:
        """Whether one predicate of LIBERO's holds now."""
        return bool(self._env._eval_predicate(list(predicate)))

    def points(self, *names: str) -> Float64Array:
        """(n, 3) m: points spread over the collision shapes of things and furniture."""
        geoms = np.concatenate([np.zeros(0, np.intp), *(self._geoms_of(name) for name in names)])
        return self._spread(geoms)

    def others(self, *names: str) -> Float64Array:
        """(n, 3) m: points of all things and furniture but these."""
        return self.points(*(name for name in self.names if name not in names))

    def origin(self, name: str) -> Pose:
        """Pose of a thing's own frame, which LIBERO's predicates go by, or of a region."""
        if name in self._env.obj_body_id:
            body = self._env.obj_body_id[name]
            return Pose(self._data.xpos[body].copy(), self._data.xmat[body].reshape(3, 3).copy())
        site = self._env.sim.model.site_name2id(name)
        rotation = self._data.site_xmat[site].reshape(3, 3)
        return Pose(self._data.site_xpos[site].copy(), rotation.copy())

    def owner(self, target: str) -> str | None:
        """The thing or furniture that a place belongs to; None for a patch of the table."""
        if target in self.names:
            return target
        mine = [name for name in self.names if target.startswith(f"{name}_")]
        return max(mine, key=len, default=None)

    def has_drawer(self, region: str) -> bool:
        """Whether a region moves on a joint of furniture that can be opened."""
        sites = self._env.object_sites_dict
        owner = self.owner(region)
        return bool(
            region in sites
            and sites[region].joints
            and owner in self.world.fixtures()
            and self._env.get_object(owner)
            .object_properties["articulation"]
            .get("default_open_ranges")
        )

    def extent(self, region: str) -> Float64Array | None:
        """(3,) m: half sides of a region along the world's axes; None for a thing."""
        sites = self._env.object_sites_dict
        if region not in sites:
            return None
        size = np.array(sites[region].size, dtype=np.float64)
        return np.asarray(np.abs(self.origin(region).rotation @ size))

    def gap(self) -> float:
        """Distance between the fingers, m: 0.08 open."""
        return float(np.abs(self._data.qpos[self._fingers[0]]).sum())

    def gap_speed(self) -> float:
        """How fast the fingers move, m/s."""
        return float(np.abs(self._data.qvel[self._fingers[1]]).sum())

    def touching(self, *names: str) -> tuple[bool, bool]:
        """Whether each of the two fingers touches any of the things."""
        wanted = np.concatenate([self._geoms_of(name) for name in names])
        count = self._data.ncon
        pairs = self._data.contact.geom[:count]
        first, second = (
            bool(
                (
                    (np.isin(pairs[:, 0], finger) & np.isin(pairs[:, 1], wanted))
                    | (np.isin(pairs[:, 1], finger) & np.isin(pairs[:, 0], wanted))
                ).any()
            )
            for finger in self._finger_geoms
        )
        return first, second

    def joint(self, owner: str, region: str) -> Joint:
        """The joint of furniture that moves a region, or its only one."""
        env = self._env
        names = (
            env.object_sites_dict[region].joints
            if region in env.object_sites_dict and env.object_sites_dict[region].joints
            else env.get_object(owner).joints
        )
        return Joint(self, self._model, self._data, self._model.joint(names[0]).id)

    def _geoms_of(self, name: str) -> NDArray[np.intp]:
        if name not in self._geoms:
            self._geoms[name] = _solid(self._model, self._env.obj_body_id[name])
        return self._geoms[name]

    def _spread(self, geoms: NDArray[np.intp]) -> Float64Array:
        """(n, 3) m: points on the boxes around some geoms."""
        key = tuple(geoms.tolist())
        if key not in self._clouds:
            shells = [_shell(self._half[geom]) for geom in key]
            owners = np.repeat(geoms, [len(shell) for shell in shells])
            self._clouds[key] = owners, np.concatenate([np.empty((0, 3)), *shells])
        owners, local = self._clouds[key]
        turned = self._data.geom_xmat[owners].reshape(-1, 3, 3)
        return np.asarray(np.einsum("nij,nj->ni", turned, local) + self._data.geom_xpos[owners])

    @cached_property
    def _fingers(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        robot = self._env.robots[0]
        return (
            np.array(robot._ref_gripper_joint_pos_indexes),
            np.array(robot._ref_gripper_joint_vel_indexes),
        )

    @cached_property
    def _finger_geoms(self) -> tuple[list[int], list[int]]:
        important = self._env.robots[0].gripper.important_geoms
        left, right = (
            [self._model.geom(name).id for name in important[side]]
            for side in ("left_finger", "right_finger")
        )
        return left, right


class Joint:
    """A hinge or slide of furniture: a drawer, a door, a knob."""

    def __init__(self, sight: Sight, model: Any, data: Any, number: int) -> None:  # noqa: ANN401
        self._sight, self._model, self._data, self._number = sight, model, data, number

    @property
    def value(self) -> float:
        """Where it stands, rad or m."""
        return float(self._data.qpos[self._model.jnt_qposadr[self._number]])

    @property
    def share(self) -> float:
        """How far it is out, 0 .. 1 of its range."""
        low, high = self._model.jnt_range[self._number]
        return abs(self.value) / float(max(abs(low), abs(high)))

    @property
    def outward(self) -> Float64Array:
        """(3,) the way its values grow in size: out, for a drawer."""
        low, high = self._model.jnt_range[self._number]
        sign = 1.0 if high > -low else -1.0
        return np.asarray(sign * self._data.xaxis[self._number])

    @property
    def length(self) -> float:
        """How far it can go, rad or m."""
        return float(np.abs(self._model.jnt_range[self._number]).max())

    def points(self) -> Float64Array:
        """(n, 3) m, spread over what it moves."""
        return self._sight._spread(self._moved)

    def foremost(self) -> Float64Array:
        """(3,) m, middle of the part that stands out furthest: a drawer's handle."""
        middles = self._data.geom_xpos[self._moved]
        return np.array(middles[np.argmax(middles @ self.outward)])

    @property
    def _moved(self) -> NDArray[np.intp]:
        return _solid(self._model, int(self._model.jnt_bodyid[self._number]))


def _shell(half: Float64Array) -> Float64Array:
    """(n, 3) m: points on the surface of a box about the origin."""
    counts = np.maximum(_SPARSEST, np.ceil(2 * half / _SPACING_M).astype(int) + 1)
    axes = [np.linspace(-1.0, 1.0, count) for count in counts]
    lattice = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 3)
    return np.asarray(lattice[np.abs(lattice).max(axis=1) == 1.0] * half)


def _solid(model: Any, root: int) -> NDArray[np.intp]:  # noqa: ANN401
    found = np.zeros(model.nbody, dtype=bool)
    found[root] = True
    for body in range(root + 1, model.nbody):  # a parent comes before its children
        found[body] |= found[model.body_parentid[body]]
    touchable = (model.geom_contype > 0) | (model.geom_conaffinity > 0)
    return np.flatnonzero(found[model.geom_bodyid] & touchable & (model.geom_group == 0))


def _half_extents(model: Any) -> Float64Array:  # noqa: ANN401
    size = np.array(model.geom_size, dtype=np.float64)
    round_ = np.isin(model.geom_type, (_CAPSULE, _CYLINDER))
    size[round_] = size[round_][:, [0, 0, 1]]
    sphere = model.geom_type == _SPHERE
    size[sphere] = size[sphere][:, [0, 0, 0]]
    return size
