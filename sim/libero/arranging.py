"""Start states in which things stand elsewhere, and further things beside them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.errors import UsageError
from sim.libero.goals import read_goals
from sim.libero.shifts import Shifts
from sim.libero.sight import Sight
from sim.libero.wording import tells_where, tells_which
from sim.libero.world import World

Float64Array = NDArray[np.float64]

_CELL_M = 0.01  # of the grid on which footprints are compared
_GAP_M = 0.02  # between what was moved and anything else
_ROOM_M = 0.05  # between a further thing and anything else, the way of the task's things included
_REACH_M = (0.42, 0.75)  # level, from the arm, folded or stretched out; or as far as it was
_ABOUT_M = (0.38, 0.9)  # ahead of the arm, where further things stand: they need not be reached
_ASIDE_M = 0.3  # to either side of the middle, likewise
_STANDS_M = 0.012  # no further above the table stands what stands on it
_ABOVE_M = 0.005  # from where it is looked whether there is table below
_LIFT_M = 0.002  # a further thing is set down from this high
_DIRECTIONS = 24
_SHARES = (1.0, 0.75, 0.5, 0.25)
_TRIES = 400


def arrange(
    world: World, state: Float64Array, shifts: Shifts, rng: np.random.Generator
) -> Float64Array:
    """Give a state, (1 + nq + nv,), with what is shifted in it. world: the same, settled.

    Raises UsageError for a `target` that the sentence tells by its place, and for no room.
    """
    table = _Table(world, state)
    for length_m, groups_of in ((shifts.poses, _all), (shifts.target, _target)):
        for group in groups_of(table) if length_m else []:
            table.move(group, length_m, rng)
    for name in world.extras:
        table.add(name, rng)
    return table.state()


def _all(table: _Table) -> list[list[str]]:
    """What moves, in lists of what moves together."""
    if any(table.sight.owner(goal[2]) is None for goal in table.carrying):
        # A patch of the table is named after what stands beside it: that stays.
        return table.stacks([goal[1] for goal in table.carrying])
    stacks = table.stacks(table.own)
    return [list(chain.from_iterable(stacks))] if tells_where(table.sentence) else stacks


def _target(table: _Table) -> list[list[str]]:
    """The first thing that is to be carried, with what stands on it or bears it."""
    if tells_which(table.sentence):
        raise UsageError(
            f"shift target wanted of {table.sentence!r}, which tells the thing by its place; "
            "take poses, which moves all together there"
        )
    return table.stacks([goal[1] for goal in table.carrying[:1]])


class _Table:
    """The things of a scene as clouds of points that can be pushed about."""

    def __init__(self, world: World, state: Float64Array) -> None:
        self.sight, self.sentence = Sight(world), world.pin.instruction
        env = world.official().env
        self._model: mujoco.MjModel = env.sim.model._model
        self._data: mujoco.MjData = env.sim.data._data
        self._objects = env.objects_dict
        self._base = world.base()[:2]
        self._before, self._qpos = state, state[1 : 1 + self._model.nq].copy()
        self._standing = self._data.qpos.copy()
        self.own = tuple(name for name in world.movables() if name not in world.extras)
        self._clouds = {name: self.sight.points(name) for name in self.own}
        self._floor = min(float(cloud[:, 2].min()) for cloud in self._clouds.values())
        self.carrying = [goal for goal in read_goals(self.sight) if goal[0] in ("in", "on")]
        self._furniture = _cells(self.sight.points(*world.fixtures()))
        self._fixed = _together([self._furniture, *self._drawers()])

    def state(self) -> Float64Array:
        """As it would stand now."""
        nq = len(self._qpos)
        return np.concatenate([self._before[:1], self._qpos, self._before[1 + nq :]])

    def stacks(self, names: Iterable[str]) -> list[list[str]]:
        """What stands on the table, each with what stands on it, such that these move."""
        standing = [name for name in self.own if self._stands(name)]
        found = [
            [name, *(each for each in self.own if self._bears(name, each))] for name in standing
        ]
        wanted = set(names)
        return [stack for stack in found if wanted & set(stack)]

    def move(self, group: list[str], length_m: float, rng: np.random.Generator) -> None:
        """Push things together a way's length, or less where there is no room for it."""
        others = [_cells(cloud) for name, cloud in self._clouds.items() if name not in group]
        around = _together([self._fixed, *others])
        mine = _together([_cells(self._clouds[name]) for name in group])
        angles = 2 * np.pi / _DIRECTIONS * rng.permutation(_DIRECTIONS) + rng.uniform(0, 2 * np.pi)
        for share in _SHARES:
            for angle in angles:
                way = share * length_m * np.array([np.cos(angle), np.sin(angle)])
                free = self._reached(group, way) and _gap(mine + way, around) > _GAP_M
                if free and self._borne(mine + way):
                    self._push(group, way)
                    return

    def add(self, name: str, rng: np.random.Generator) -> None:
        """Stand a further thing where nothing else stands, and nothing is to go."""
        cloud = self._upright(name, rng.uniform(0.0, 2 * np.pi))
        mine = _cells(cloud)
        around = _together([self._fixed, *map(_cells, self._clouds.values()), *self._ways()])
        near, far = _ABOUT_M
        spots = rng.uniform([near, -_ASIDE_M], [far, _ASIDE_M], (_TRIES, 2)) + self._base
        room = 0.0
        for spot in spots:
            if (gap := _gap(mine + spot, around)) > room and self._borne(mine + spot):
                best, room = spot, gap
            if room > _ROOM_M:
                break
        if room < _GAP_M:
            raise UsageError(f"no room on the table for {name}; fewer distractors wanted")
        self._clouds[name] = cloud
        self._push([name], best)

    def _stands(self, name: str) -> bool:
        cloud = self._clouds[name]
        inside = _gap(_cells(cloud), self._furniture) < _CELL_M
        return bool(cloud[:, 2].min() < self._floor + _STANDS_M) and not inside

    def _bears(self, name: str, other: str) -> bool:
        if name == other or self._stands(other):
            return False
        low, high = self._clouds[name][:, :2].min(axis=0), self._clouds[name][:, :2].max(axis=0)
        middle = self._clouds[other][:, :2].mean(axis=0)
        return bool((low < middle).all() and (middle < high).all())

    def _reached(self, group: list[str], way: Float64Array) -> bool:
        """Whether all stay on the table and within the arm's reach, or come no further out."""
        near, far = _REACH_M
        for name in group:
            was = self._place(name) - self._base
            off_was, off = float(np.linalg.norm(was)), float(np.linalg.norm(was + way))
            aside_was, aside = abs(float(was[1])), abs(float(was[1] + way[1]))
            if not min(near, off_was) <= off <= max(far, off_was):
                return False
            if aside > max(_ASIDE_M, aside_was):
                return False
        return True

    def _borne(self, cells: Float64Array) -> bool:
        """Whether the table is below the corners of a footprint."""
        (x, y), (far_x, far_y) = cells.min(axis=0), cells.max(axis=0)
        down, hit = np.array([0.0, 0.0, -1.0]), np.zeros(1, np.int32)
        return all(
            0.0
            <= mujoco.mj_ray(
                self._model, self._data, np.array([*corner, self._floor + _ABOVE_M]), down,
                None, 1, -1, hit,
            )
            < 2 * _ABOVE_M
            for corner in ((x, y), (x, far_y), (far_x, y), (far_x, far_y))
        )  # fmt: skip

    def _push(self, group: list[str], way: Float64Array) -> None:
        for name in group:
            self._clouds[name] = self._clouds[name] + np.append(way, 0.0)
            address = self._address(name)
            self._standing[address : address + 2] += way
            # From where it stands: one that is stored in the table would jump out of it.
            self._qpos[address : address + 7] = self._standing[address : address + 7]

    def _upright(self, name: str, turn: float) -> Float64Array:
        """Put a further thing over the table's origin, as LIBERO would; (n, 3) m, its points."""
        thing, address = self._objects[name], self._address(name)
        told = thing.rotation
        turns = told if isinstance(told, dict) else {thing.rotation_axis: told}
        stands = np.array([1.0, 0.0, 0.0, 0.0])
        for axis, angles in turns.items():
            stands = _turned(stands, axis, float(np.mean(angles)))
        # LIBERO's samplers have w last and MuJoCo takes it for the first: so things stand.
        stands = _turned(np.roll(stands, -1), "z", turn)
        self._standing[address : address + 7] = 0.0, 0.0, 0.0, *stands
        self._data.qpos[address : address + 7] = self._standing[address : address + 7]
        mujoco.mj_kinematics(self._model, self._data)
        cloud = self.sight.points(name)
        height = self._floor + _LIFT_M - float(cloud[:, 2].min())
        self._standing[address + 2] = height
        return np.asarray(cloud + np.array([0.0, 0.0, height]))

    def _place(self, name: str) -> Float64Array:
        """(2,) m: where a thing stands now, or a place."""
        owner = self.sight.owner(name)
        if owner in self._clouds:
            address = self._address(owner)
            return np.asarray(self._standing[address : address + 2])
        return self.sight.origin(name).position[:2]

    def _address(self, name: str) -> int:
        return int(self._model.joint(self._objects[name].joints[-1]).qposadr[0])

    def _drawers(self) -> list[Float64Array]:
        """Where the drawers that the task opens will be."""
        sight = self.sight
        regions = {goal[-1] for goal in read_goals(sight) if sight.has_drawer(goal[-1])}
        drawers = [sight.joint(sight.owner(region) or "", region) for region in sorted(regions)]
        return [
            _cells(drawer.points() + out * drawer.outward)
            for drawer in drawers
            for out in np.arange(0.0, drawer.length + _CELL_M, _CELL_M)
        ]

    def _ways(self) -> list[Float64Array]:
        """Straight from each thing that is carried to where it goes."""
        share = np.linspace(0.0, 1.0, 50)[:, None]
        return [
            (1 - share) * self._place(thing) + share * self._place(place)
            for _, thing, place in self.carrying
        ]


def _turned(quaternion: Float64Array, axis: str, angle: float) -> Float64Array:
    """(4,) w x y z, turned further about an axis of the world, rad."""
    step, after = np.zeros(4), np.zeros(4)
    mujoco.mju_axisAngle2Quat(step, np.eye(3)["xyz".index(axis)], angle)
    mujoco.mju_mulQuat(after, step, quaternion)
    return after


def _cells(cloud: Float64Array) -> Float64Array:
    """(m, 2) m: middles of the cells of the table that points are over."""
    return np.unique(np.rint(cloud[:, :2] / _CELL_M), axis=0) * _CELL_M


def _together(clouds: list[Float64Array]) -> Float64Array:
    return np.unique(np.concatenate([np.empty((0, 2)), *clouds]), axis=0)


def _gap(cells: Float64Array, others: Float64Array) -> float:
    """Smallest distance, m, between two sets of cells."""
    if not (len(cells) and len(others)):
        return np.inf
    return float(np.sqrt(((cells[:, None] - others) ** 2).sum(axis=2)).min())
