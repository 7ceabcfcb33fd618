import numpy as np
import pytest

from agent.episode import Action, Task, Terminated, Truncated
from agent.errors import DataError, UsageError
from agent.settings import RobotSettings
from sim.libero.landmarks import LANDMARKS
from sim.libero.robot import Libero

pytestmark = [pytest.mark.libero, pytest.mark.slow]

STILL = Action(np.zeros(6, dtype=np.float32), 1.0)


def _moves(count: int, seed: int) -> list[Action]:
    rng = np.random.default_rng(seed)
    deltas = rng.uniform(-1, 1, (count, 6)).astype(np.float32)
    return [Action(delta, float(rng.integers(2))) for delta in deltas]


def test_a_view_has_upright_pictures_and_eight_numbers(libero, task):
    view = libero.reset(task())
    assert {name: image.shape for name, image in view.images.items()} == {
        "agentview": (84, 84, 3),
        "eye_in_hand": (84, 84, 3),
    }
    assert view.proprio.shape == (8,)
    assert view.proprio.dtype == np.float32
    # The hand begins above the floor, pointing down: half a turn about a horizontal axis.
    assert 0.2 < view.proprio[2] < 0.3
    assert np.linalg.norm(view.proprio[3:6]) == pytest.approx(np.pi, abs=0.1)


def test_the_same_task_gives_the_same_views_and_states_whatever_came_before(libero, task):
    def run():
        first = libero.reset(task())
        reading = libero.step(_moves(8, seed=1))
        return first, reading.observation, libero.world.state()

    once = run()
    libero.reset(task(start=7))
    libero.step([Action(np.ones(6, dtype=np.float32), 0.0)] * 12)
    again = run()
    for before, after in zip(once[:2], again[:2], strict=True):
        for camera, image in before.images.items():
            np.testing.assert_array_equal(image, after.images[camera])
        np.testing.assert_array_equal(before.proprio, after.proprio)
    np.testing.assert_array_equal(once[2], again[2])


def test_an_opening_of_one_opens_the_hand_and_zero_closes_it(libero, task):
    libero.reset(task())
    closed = libero.step([Action(np.zeros(6, dtype=np.float32), 0.0)] * 12).track[-1, 6:]
    opened = libero.step([STILL] * 12).track[-1, 6:]
    # Each finger goes 0 .. 0.04 m.
    assert np.abs(closed).max() < 0.01
    assert np.abs(opened).min() > 0.035


def test_a_chunk_stops_at_the_horizon_and_says_what_was_done(libero, task):
    libero.reset(task(horizon_steps=3))
    reading = libero.step([STILL] * 5)
    assert reading.ending == Truncated("timeout")
    assert len(reading.applied) == 3
    assert reading.executed.tolist() == [True, True, True, False, False]
    assert reading.track.shape == (3, 8)
    with pytest.raises(UsageError, match="reset"):
        libero.step([STILL])


def test_a_delta_beyond_full_scale_is_clipped_and_not_marked_as_executed(libero, task):
    libero.reset(task())
    reading = libero.step([Action(np.array([2, 0, 0, 0, 0, 0], dtype=np.float32), 1.0), STILL])
    assert reading.applied[0].delta.tolist() == [1, 0, 0, 0, 0, 0]
    assert reading.executed.tolist() == [False, True]


@pytest.mark.parametrize(
    "bad",
    [
        Action(np.full(6, np.nan, dtype=np.float32), 1.0),
        Action(np.zeros(6, dtype=np.float32), float("inf")),
        Action(np.zeros(7, dtype=np.float32), 1.0),
    ],
    ids=["nan", "infinite gripper", "seven numbers"],
)
def test_a_malformed_action_is_refused_before_any_motion(libero, task, bad):
    libero.reset(task())
    before = libero.world.state()
    with pytest.raises(UsageError):
        libero.step([STILL, bad])
    np.testing.assert_array_equal(libero.world.state(), before)


def test_the_soup_set_in_the_basket_is_a_success(libero, task):
    libero.reset(task())
    env = libero.world._env.env
    basket = env.sim.data.get_site_xpos("basket_1_contain_region")
    joint = env.objects_dict["alphabet_soup_1"].joints[-1]
    env.sim.data.set_joint_qpos(joint, [*basket, 1, 0, 0, 0])
    reading = libero.step([STILL] * 3)
    assert reading.ending == Terminated("success")
    assert len(reading.applied) == 1


def test_a_step_before_reset_is_refused():
    with pytest.raises(UsageError, match="reset"):
        Libero(RobotSettings(name="libero")).step([STILL])


def test_an_unknown_start_or_task_is_refused(libero, task):
    with pytest.raises(UsageError, match="starts 0 to 49"):
        libero.reset(task(start=50))


def test_starts_from_a_thousand_on_are_drawn_by_libero_each_by_its_number(libero, task):
    def state(start: int, seed: int = 0) -> np.ndarray:
        libero.reset(task(start=start, seed=seed))
        return libero.world.state()

    once = state(1000)
    assert not np.array_equal(state(1001), once)
    state(3)
    # The number alone says where everything is, the furniture too.
    np.testing.assert_array_equal(state(1000, seed=5), once)
    soup = libero.world.movables().index("alphabet_soup_1")
    stored, drawn = (_where(libero, task(start=start))[soup] for start in (3, 1002))
    assert np.abs(stored - drawn).max() < 0.1  # in the region that the task file names


def test_what_is_drawn_on_furniture_stands_on_it(libero):
    def bowl(start: int) -> np.ndarray:
        words = "pick up the black bowl in the top drawer of the wooden cabinet"
        task = Task(
            "libero_spatial/4", f"{words} and place it on the plate", start, 220, seed=start
        )
        return libero.reset(task).privileged[3:6]

    # The cabinet itself stands a centimetre here or there.
    for start in (1000, 1001):
        assert bowl(start) == pytest.approx(bowl(0), abs=0.04)


def _where(libero, task) -> np.ndarray:
    libero.reset(task)
    env = libero.world.official().env
    return np.stack([env.sim.data.body_xpos[env.obj_body_id[name]] for name in env.objects_dict])


def test_privileged_positions_are_those_of_the_landmarks(libero, task):
    view = libero.reset(task())
    named = dict(zip(LANDMARKS, view.privileged.reshape(len(LANDMARKS), 3), strict=True))
    env = libero.world.official().env
    soup = env.sim.data.body_xpos[env.obj_body_id["alphabet_soup_1"]]
    basket = env.sim.data.get_site_xpos("basket_1_contain_region")
    assert named["target"] == pytest.approx(soup, abs=1e-6)
    assert named["place"] == pytest.approx(basket, abs=1e-6)
    # The hand's own sensor looked a substep or two earlier.
    assert named["tool"] == pytest.approx(view.proprio[:3], abs=2e-3)


@pytest.mark.usefixtures("libero")
def test_an_assets_folder_that_lacks_a_file_is_an_error_that_names_it(tmp_path, task):
    (tmp_path / "scenes").mkdir()
    robot = Libero(RobotSettings(name="libero", assets=str(tmp_path)))
    with pytest.raises(DataError, match=r"libero_floor_base_style\.xml"):
        robot.reset(task())


def test_closing_twice_is_safe():
    robot = Libero(RobotSettings(name="libero"))
    robot.close()
    robot.close()
