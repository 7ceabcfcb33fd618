"""A reader that is a local model: any architecture, one-token answers, features kept."""

import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from agent.errors import DataError, RewardUnavailable
from agent.reward.asking import Asker
from agent.reward.question import SUCCESS, asked
from agent.reward.reader import Frames
from agent.reward.vlm import VlmReader
from agent.reward.vlm_folder import load_vlm, vlm_hash
from tests.reward.small_models import BUILDERS, PX

# PaliGemma's processor in transformers 5.23 asks numpy for what it no longer gives.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
HEAD = "language_model.lm_head.weight"  # as LLaVA's published checkpoints call it
TEXT = asked(SUCCESS, "lift the red cube")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}
    for name, build in BUILDERS.items():
        made[name] = tmp_path_factory.mktemp("models") / name
        build(made[name])
    return made


@pytest.fixture
def llava(folders, tmp_path):
    """A copy to be damaged."""
    folder = tmp_path / "llava"
    folder.mkdir()
    for path in folders["llava"].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, PX, PX, 3)).astype(np.uint8)


def frames(count=5):
    return Frames({"front": pictures(count), "wrist": pictures(count, 1)}, "lift the red cube")


@pytest.mark.parametrize("name", BUILDERS)
def test_features_that_were_kept_answer_as_the_pictures_themselves_do(folders, name):
    asker = Asker(*load_vlm(folders[name]))
    shown = [list(pictures(3, seed)) for seed in range(2)]
    with torch.inference_mode():
        whole = asker.logits_of(TEXT, shown)
        seen = asker.see([picture for each in shown for picture in each])
        words = [asker.words(TEXT, each) for each in shown]
        kept = asker.logits(words, [seen[:3], seen[3:]])
        # Prompts of other lengths beside them change nothing: what is padded does not count.
        longer = asker.words(asked(SUCCESS, "lift the red cube over the blue bowl"), shown[0])
        beside = asker.logits([words[0], longer], [seen[:3], seen[3:]])[:1]
    assert asker.caches
    torch.testing.assert_close(kept, whole, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(beside, whole[:1], atol=1e-4, rtol=1e-4)
    assert (whole[0] - whole[1]).abs().max() > 1e-3  # it looks at the pictures at all


@pytest.mark.parametrize("name", BUILDERS)
def test_any_architecture_gives_one_opinion_a_view(folders, name):
    reader = VlmReader(folders[name], batch=2)
    opinion = reader.read(frames())
    for values in (opinion.success, opinion.progress, opinion.uncertainty):
        assert values.shape == (5,)
        assert values.dtype == np.float32
        assert ((values >= 0) & (values <= 1)).all()
    assert reader.id == f"vlm/{name}@{vlm_hash(folders[name])[:12]}"
    np.testing.assert_allclose(VlmReader(folders[name]).read(frames()).success, opinion.success,
                               atol=1e-5)  # fmt: skip
    assert reader.milestones(frames()).shape == (5,)


def test_a_black_and_a_white_picture_are_told_apart(folders):
    looks = np.stack([np.zeros((PX, PX, 3), np.uint8), np.full((PX, PX, 3), 255, np.uint8)])
    opinion = VlmReader(folders["idefics3"]).read(Frames({"front": looks}, "lift the red cube"))
    assert abs(opinion.success[0] - opinion.success[1]) > 1e-4


def test_each_picture_is_encoded_once_however_often_it_comes(folders):
    reader = VlmReader(folders["llava"], batch=2)
    seen = []
    tower = reader._asker.model.model.vision_tower
    tower.register_forward_hook(lambda _, args, kwargs, __: seen.append(
        len(args[0] if args else kwargs["pixel_values"])), with_kwargs=True)  # fmt: skip
    reader.read(frames(5))
    assert sum(seen) == 10  # five views of two cameras; the first view comes in every prompt
    reader.read(frames(5))
    assert sum(seen) == 10


def test_scores_are_shares_of_the_logits_of_yes_no_and_the_bins(llava):
    # Every logit 0: yes and no are alike, the bins too, and the model says neither in particular.
    weights = load_file(llava / "model.safetensors")
    weights[HEAD].zero_()
    save_file(weights, llava / "model.safetensors", metadata={"format": "pt"})
    reader = VlmReader(llava)
    opinion = reader.read(frames(2))
    np.testing.assert_allclose(opinion.success, 0.5, atol=1e-6)
    np.testing.assert_allclose(opinion.progress, 0.5, atol=1e-6)
    np.testing.assert_allclose(opinion.uncertainty, 1.0, atol=1e-6)
    # yes at +log 3 against no at 0 is 3 / 4; bin 9 at +log 9 against nine at 0 is
    # (9 * 9 + 0 + 1 + ... + 8) / 18 / 9 = 117 / 162.
    asker = reader._asker
    logits = torch.zeros(1, asker.model.config.text_config.vocab_size)
    logits[0, asker.yes] = math.log(3.0)
    success, said = reader._yes(logits)
    size = logits.shape[1]
    assert float(success) == pytest.approx(0.75, abs=1e-6)
    assert float(said) == pytest.approx(4.0 / (size + 2), abs=1e-6)
    logits[0, asker.bins[9]] = math.log(9.0)
    assert float(reader._progress(logits)) == pytest.approx(117 / 162, abs=1e-6)


def test_the_id_follows_weights_and_words_and_nothing_else(llava):
    before = VlmReader(llava).id
    (llava / "calibration.json").write_text("{}")
    assert VlmReader(llava).id == before
    weights = load_file(llava / "model.safetensors")
    weights[HEAD][0, 0] += 1.0
    save_file(weights, llava / "model.safetensors", metadata={"format": "pt"})
    assert VlmReader(llava).id != before


def test_a_folder_that_wants_code_of_its_own_is_refused(llava):
    path = llava / "processor_config.json"
    content = json.loads(path.read_text()) | {"auto_map": {"AutoProcessor": "evil.Processor"}}
    path.write_text(json.dumps(content))
    (llava / "evil.py").write_text("raise SystemExit('ran')")
    with pytest.raises(DataError, match="auto_map"):
        VlmReader(llava)


def test_broken_folders_say_what_is_wrong(llava, tmp_path):
    with pytest.raises(DataError, match="found none at"):
        load_vlm(tmp_path / "nowhere")
    weights = llava / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        load_vlm(llava)
    weights.unlink()
    (llava / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(DataError, match="is a pickle and is never opened"):
        load_vlm(llava)
    weights.write_bytes(whole)
    some = load_file(weights)
    some.pop(HEAD)
    save_file(some, weights, metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"1 weights are missing or of another shape, lm_head"):
        load_vlm(llava)
    (llava / "config.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read as JSON"):
        load_vlm(llava)


def test_answers_that_are_not_finite_are_no_answers(llava):
    weights = load_file(llava / "model.safetensors")
    weights[HEAD][:] = float("nan")
    save_file(weights, llava / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RewardUnavailable, match="not finite"):
        VlmReader(llava).read(frames(2))
