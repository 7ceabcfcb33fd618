import numpy as np
import pytest

from agent.episode import Action
from agent.errors import UsageError
from agent.settings import RobotSettings
from sim.shifting.cards import table
from sim.shifting.frame import frame_of
from sim.tabletop.catalog import WISHES
from sim.tabletop.robot import Tabletop
from sim.tabletop.shifts import SHIFTS, Shifts, shifts_of

AHEAD = Action(np.array([0.6, 0, 0, 0, 0, 0], np.float32), 1.0)


def travelled(task, **shift):
    robot = Tabletop(RobotSettings(shift=shift), cameras=())
    before = robot.reset(task()).proprio[:3]
    reading = robot.step([AHEAD] * 4)
    robot.close()
    assert np.array_equal(reading.applied[0].delta, AHEAD.delta)
    assert reading.executed.all()
    return reading.observation.proprio[:3] - before


def shown(task, start=0, **shift):
    robot = Tabletop(RobotSettings(shift=shift, image_px=48))
    view = robot.reset(task(start=start))
    robot.close()
    return view


def test_neutral_strengths_are_the_unshifted_world():
    assert shifts_of({card.name: card.neutral for card in SHIFTS}) == Shifts() == shifts_of({})


def test_an_unknown_shift_is_told_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'rotate'"):
        shifts_of({"rotat": 0.1})


@pytest.mark.parametrize("shift", [{"gain": 0.0}, {"distractors": 1.5}, {"paraphrase": 1.1}])
def test_an_impossible_strength_is_refused(shift):
    with pytest.raises(UsageError, match=next(iter(shift))):
        shifts_of(shift)


def test_every_shift_is_in_the_table():
    assert all(f"| `{card.name}` |" in table(SHIFTS) for card in SHIFTS)


def test_a_quarter_turn_makes_ahead_left(task):
    plain, turned = travelled(task), travelled(task, rotate=np.pi / 2)
    # x goes to y; the arm's inertia differs a little by direction
    assert turned[1] == pytest.approx(plain[0], rel=0.1)
    assert abs(turned[0]) < 0.1 * plain[0]


def test_gain_lengthens_the_way(task):
    assert travelled(task, gain=1.5)[0] == pytest.approx(1.5 * travelled(task)[0], rel=0.05)


def test_a_delayed_arm_stands_still_at_first(task):
    assert abs(travelled(task, delay=4.0)[0]) < 1e-3


def test_drift_carries_the_arm_aside(task):
    # 0.3 of full scale along y beside 0.6 along x: half the way
    course = travelled(task, drift=0.3)
    assert course[1] == pytest.approx(0.5 * course[0], rel=0.15)


def test_an_offset_moves_what_is_felt_and_nothing_else(task):
    plain, offset = shown(task), shown(task, offset=0.02)
    # 0.02 m along the diagonal: 0.02 / sqrt 2 = 0.01414 on each axis
    assert offset.proprio[:2] - plain.proprio[:2] == pytest.approx([0.01414, 0.01414], abs=1e-5)
    assert np.array_equal(offset.images["agentview"], plain.images["agentview"])


@pytest.mark.parametrize(
    "shift",
    [{"camera": 0.1}, {"colour": 0.3}, {"size": 1.2}, {"distractors": 2.0}, {"noise": 10.0}],
)
def test_what_is_seen_changes_and_what_is_felt_does_not(task, shift):
    plain, other = shown(task), shown(task, **shift)
    assert not np.array_equal(other.images["agentview"], plain.images["agentview"])
    assert np.array_equal(other.proprio, plain.proprio)


def test_half_the_light_makes_half_as_bright(task):
    plain = shown(task).images["agentview"].mean()
    # a little above one half: lit faces that were cut off at white are no longer
    assert shown(task, light=0.5).images["agentview"].mean() == pytest.approx(plain / 2, rel=0.1)


def test_pixel_noise_has_the_sigma_asked_for(task):
    plain, noisy = shown(task).images, shown(task, noise=6.0).images
    middle = (plain["agentview"] > 40) & (plain["agentview"] < 215)
    error = noisy["agentview"][middle].astype(float) - plain["agentview"][middle]
    assert error.std() == pytest.approx(6.0, rel=0.1)
    assert abs(error.mean()) < 0.5


def test_paraphrases_replace_about_the_share_asked_for(task):
    robot = Tabletop(RobotSettings(shift={"paraphrase": 0.5}), cameras=())
    wish = next(wish for wish in WISHES if wish.name == "pick-red-cube-basket")
    said = [robot.reset(task(start=n)).instruction for n in range(60)]
    other = [words for words in said if words != "as you like"]
    assert set(other) <= set(wish.paraphrases)
    # binomial(60, 0.5): 30 +- 4 sigma of 3.9
    assert 15 <= len(other) <= 45


def test_mass_and_size_reach_the_physics(task):
    robot = Tabletop(RobotSettings(shift={"mass": 3.0, "size": 1.2}), cameras=())
    robot.reset(task())
    # a cube of 0.06 kg and half 0.02 m
    body = robot.world.model.body("red-cube")
    assert body.mass[0] == pytest.approx(0.18)
    assert robot.world.model.geom("red-cube").size == pytest.approx([0.024] * 3)
    robot.step([AHEAD])
    assert robot.world.where("red-cube")[2] == pytest.approx(0.024, abs=1e-3)


def test_distractors_keep_away_from_everything(task):
    robot = Tabletop(RobotSettings(shift={"distractors": 4.0}), cameras=())
    for start in range(10):
        robot.reset(task(start=start))
        world = robot.world
        spots = np.array([world.where(name)[:2] for name in (*world.things, "button")])
        gaps = np.linalg.norm(spots[:, None] - spots, axis=2) + 9 * np.eye(len(spots))
        # a distractor's half width 0.018 and a block's 0.025
        assert gaps.min() > 0.045


def test_a_mirrored_frame_goes_the_other_way_and_a_swapped_one_aside(task):
    plain = travelled(task)
    assert travelled(task, mirror=1.0) == pytest.approx(plain, abs=1e-9)  # the move is along x
    swapped = travelled(task, swap=1.0)
    assert swapped[1] == pytest.approx(plain[0], rel=0.1)
    about, turning = frame_of(Shifts(mirror=1.0))
    assert about @ [1.0, 2.0, 3.0] == pytest.approx([1.0, -2.0, 3.0])
    # a turn about y seen in a mirror along y stays; those about x and z are reversed
    assert turning @ [1.0, 2.0, 3.0] == pytest.approx([-1.0, 2.0, -3.0])


@pytest.mark.parametrize(("gripper", "opening"), [(1.0, 1.0), (0.0, 0.5), (-1.0, 0.0)])
def test_a_gripper_that_is_told_to_open_opens_as_far_as_the_shift_lets_it(task, gripper, opening):
    robot = Tabletop(RobotSettings(shift={"gripper": gripper}), cameras=())
    robot.reset(task())
    # the fingers need eight control steps from one end to the other, and a little to settle
    felt = robot.step([Action(np.zeros(6, np.float32), 1.0)] * 14).observation.proprio
    assert felt[6] == pytest.approx(opening, abs=0.03)
    assert felt[7] == 1.0


@pytest.mark.parametrize(
    ("camera", "shift"),
    [("agentview", {"camera_pan": 3.0}), ("eye_in_hand", {"wrist": 0.01})],
)
def test_one_camera_moves_and_the_other_stays(task, camera, shift):
    plain, other = shown(task).images, shown(task, **shift).images
    moved = {name for name in plain if not np.array_equal(plain[name], other[name])}
    assert moved == {camera}


def test_a_camera_that_is_rolled_by_a_quarter_shows_the_picture_turned(task):
    plain, other = (
        shown(task).images["agentview"],
        shown(task, camera_roll=90.0).images["agentview"],
    )
    # the camera turns anticlockwise seen from behind it, so its picture turns clockwise
    off = np.abs(np.rot90(plain, -1).astype(float) - other)
    assert off.mean() < 0.1 * np.abs(plain.astype(float) - other).mean()
