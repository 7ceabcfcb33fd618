"""A judge is taught: LoRA or every weight, one-token answers, resumed to the bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from agent.errors import DataError, Interrupted, UsageError
from agent.reward.asking import Asker
from agent.reward.course import Course, teach
from agent.reward.lessons import Deck, Exercise, Lessons, pictures_of
from agent.reward.reader import Frames
from agent.reward.training import Trainer, TrainSettings
from agent.reward.vlm import VlmReader
from agent.reward.vlm_folder import load_vlm
from tests.reward.small_models import PX, idefics3, llava

ASK = "lift the red cube"
QUICK = TrainSettings(steps=30, views=8, questions=2, learning_rate=1e-2, vary=False)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    llava(folder / "llava")
    idefics3(folder / "idefics3")
    for each in folder.iterdir():
        given_a_voice(each / "model.safetensors")
    return folder


def given_a_voice(path):
    """Let the head say something: drawn afresh its logits end near 0.6, whatever is before it."""
    weights = load_file(path)
    (head,) = (name for name in weights if "lm_head" in name)
    weights[head] *= 0.5 / weights[head].std()
    save_file(weights, path, metadata={"format": "pt"})


def lessons(count=8, seed=0):
    """Bright views are done and far, dark ones are neither; marks say how bright they are."""
    rng = np.random.default_rng(seed)
    light = (np.arange(count) % 2).astype(np.float32)
    looks = (light[:, None, None, None] * 200 + rng.integers(0, 40, (count, PX, PX, 3))).astype(
        np.uint8
    )
    asked = [
        Exercise(view, 0, kind, ASK, float(light[view]))
        for view in range(count)
        for kind in ("success", "progress")
    ]
    return Lessons({"front": looks}, tuple(asked), light[:, None].copy())


def taught(models, out, settings, name="llava"):
    said = []
    teach(lessons(), lessons(seed=1), Course(out, models / name, training=settings), said.append)
    return said


@pytest.mark.parametrize("name", ["llava", "idefics3"])
def test_lora_teaches_what_bright_and_dark_mean_and_touches_the_language_model_alone(
    models, tmp_path, name
):
    looks = lessons(seed=2).images
    untaught = VlmReader(models / name).read(Frames(looks, ASK))
    said = taught(models, tmp_path / "judge", QUICK, name)
    assert said[-1].step == 30
    opinion = VlmReader(tmp_path / "judge").read(Frames(looks, ASK))
    # Views that were never learned from. Untaught it says the same of all: half of it is right.
    assert len(set((untaught.success > 0.5).tolist())) == 1
    assert opinion.success[1::2].min() > 0.99
    assert opinion.success[::2].max() < 0.01
    assert opinion.progress[1::2].min() > 0.95
    assert opinion.progress[::2].max() < 0.05
    # In nats a question: the right answer has e^-0.5, 0.6 of the probability among all tokens, or
    # more, where a guess has 1 of 704.
    assert said[-1].held_out < 0.5
    before, after = (load_file(folder / "model.safetensors")
                     for folder in (models / name, tmp_path / "judge"))  # fmt: skip
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert before.keys() == after.keys()
    assert changed
    assert all("proj" in key and "vision" not in key and "multi_modal" not in key
               for key in changed), changed  # fmt: skip


def test_a_training_that_was_stopped_ends_as_one_that_was_not(models, tmp_path):
    settings = replace(QUICK, steps=6, full=True)

    def trainer():
        return Trainer(Asker(*load_vlm(models / "llava")), lessons(), None, settings)

    whole = trainer()
    whole.run(lambda _: None, lambda: None)
    first = Trainer(whole.asker.__class__(*load_vlm(models / "llava")), lessons(), None,
                    replace(settings, until=3))  # fmt: skip
    first.run(lambda _: None, lambda: first.save(tmp_path / "state"))
    second = trainer()
    second.resume(tmp_path / "state")
    second.run(lambda _: None, lambda: None)
    for other, one in (
        (second.asker.model.state_dict(), whole.asker.model.state_dict()),
        (second._average, whole._average),
    ):
        assert all(torch.equal(one[name], other[name]) for name in one)
    with pytest.raises(DataError, match="belongs to another training"):
        Trainer(Asker(*load_vlm(models / "llava")), lessons(6), None, settings).resume(
            tmp_path / "state"
        )
    (tmp_path / "state").write_bytes(b"torn")
    with pytest.raises(DataError, match="is damaged"):
        trainer().resume(tmp_path / "state")


def test_a_stopped_training_is_taken_up_by_the_same_command_and_ends_in_the_same_judge(
    models, tmp_path
):
    settings = replace(QUICK, steps=5)
    steps = iter([False, True])

    def course(name, **told):
        return Course(tmp_path / name, models / "llava", training=replace(settings, **told))

    teach(lessons(), None, course("whole"))
    with pytest.raises(Interrupted, match="stopped on request after step 2 of 5"):
        teach(lessons(), None, course("halved"), stop_wanted=lambda: next(steps))
    assert not (tmp_path / "halved").exists()
    other = replace(lessons(), exercises=lessons().exercises[::-1])
    for taught_by, told in ((lessons(), {"rank": 4}), (lessons(), {"learning_rate": 1e-3}),
                            (other, {})):  # fmt: skip
        with pytest.raises(DataError, match="belongs to another training"):
            teach(taught_by, None, course("halved", **told))
    teach(lessons(), None, course("halved"))
    one, two = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "halved")
    )
    assert one == two
    assert {each.name for each in tmp_path.iterdir()} == {"whole", "halved"}


def test_a_training_that_diverges_ends_with_an_error_and_leaves_no_judge(models, tmp_path):
    with pytest.raises(DataError, match=r"a finite loss wanted, found nan .* at step 2"):
        taught(models, tmp_path / "judge", replace(QUICK, learning_rate=float("inf")))
    assert not (tmp_path / "judge").exists()


def test_more_held_out_views_than_learned_ones_are_measured_where_landmarks_are_learned_too(models):
    settings = replace(QUICK, steps=1, full=True)
    trainer = Trainer(Asker(*load_vlm(models / "llava")), lessons(2), lessons(40), settings)
    said = []
    trainer.run(said.append, lambda: None)
    assert 0 < said[-1].held_out < 20
    assert said[-1].marks > 0


def test_a_model_and_a_borrowed_tower_are_not_taken_together(models, tmp_path):
    with pytest.raises(UsageError, match="--model or --tower wanted, found both"):
        teach(lessons(), None, Course(tmp_path / "judge", models / "llava", policy=tmp_path))


def test_a_fresh_small_model_learns_with_every_weight(tmp_path):
    settings = TrainSettings(steps=40, views=8, learning_rate=3e-3, full=True, vary=False)
    said = []
    teach(lessons(), None, Course(tmp_path / "judge", half=True, training=settings), said.append)
    opinion = VlmReader(tmp_path / "judge").read(Frames(lessons(seed=2).images, ASK))
    assert opinion.success[1::2].min() > opinion.success[::2].max()
    weights = load_file(tmp_path / "judge" / "model.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}
    assert not (tmp_path / "judge.training").exists()
    with pytest.raises(UsageError, match="a new folder wanted"):
        teach(lessons(), None, Course(tmp_path / "judge", training=settings))
    with pytest.raises(UsageError, match="nothing for LoRA"):
        teach(lessons(), None, Course(tmp_path / "other"))


def test_an_answer_between_two_bins_is_shared_between_them(models):
    trainer = Trainer(Asker(*load_vlm(models / "llava")), lessons(), None, QUICK)
    # 0.3 of 9 bins is 2.7: 0.3 of it for bin 2 and 0.7 for bin 3.
    tokens, share = trainer._target("progress", 0.3)
    assert tokens.tolist() == [int(trainer.asker.bins[2][0]), int(trainer.asker.bins[3][0])]
    assert share.tolist() == pytest.approx([0.3, 0.7], abs=1e-6)
    tokens, share = trainer._target("progress", 1.0)
    assert tokens[share > 0].tolist() == [int(trainer.asker.bins[9][0])]
    assert trainer._target("success", 0.0)[0].tolist() == trainer.asker.no[:1].tolist()


def test_done_and_not_done_are_drawn_alike_however_rare_one_is():
    looks = np.zeros((101, 4, 4, 3), np.uint8)
    asked = tuple(Exercise(n, 0, "success", ASK, float(n == 100)) for n in range(101))
    shown = Deck(Lessons({"front": looks}, asked)).draw(4000, np.random.default_rng(0), vary=False)
    done = sum(each.row == 100 for each in shown)
    # One view of 101 is done; half of the draws show it: 2000, standard deviation 32.
    assert 1840 < done < 2160


def test_a_view_is_shown_after_the_first_one_of_the_first_camera():
    looks = {name: np.full((3, 4, 4, 3), base, np.uint8) + np.arange(3, dtype=np.uint8)[
        :, None, None, None] for name, base in (("wrist", 100), ("front", 0))}  # fmt: skip
    seen = [int(each[0, 0, 0]) for each in pictures_of(looks, 2, 0)]
    assert seen == [0, 2, 102]
