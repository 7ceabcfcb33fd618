"""Where settings come from, which place wins, and what is refused."""

import json
from pathlib import Path

import pytest

from agent.configuration import (
    PRESETS,
    Assignment,
    fields,
    from_dict,
    parse_shift,
    resolve,
    to_dict,
)
from agent.errors import DataError, UsageError
from agent.settings import Settings


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text)
    return file


def test_nothing_said_gives_the_defaults_and_says_so():
    resolved = resolve()
    assert resolved.settings == Settings()
    assert set(resolved.origins.values()) == {"default"}
    assert set(resolved.origins) == set(fields())


def test_each_place_wins_over_the_one_below(tmp_path: Path):
    # one key fewer at each step, so that each of the six places wins exactly one key
    file = written(
        tmp_path,
        '[learn]\npreset = "faithful"\nrank = 3\nepochs = 3\ngamma = 0.3\nalpha = 3.0\n',
    )
    resolved = resolve(
        file,
        {"VLARL_LEARN__EPOCHS": "4", "VLARL_LEARN__GAMMA": "0.4", "VLARL_LEARN__ALPHA": "4.0"},
        ["learn.gamma=0.5", "learn.alpha=5.0"],
        [Assignment("learn.alpha", 6.0, "flag --alpha")],
    )
    learn = resolved.settings.learn
    assert (learn.minibatch, learn.learning_rate) == (32, 2e-5)
    assert (learn.rank, learn.epochs, learn.gamma, learn.alpha) == (3, 4, 0.5, 6.0)
    assert {key: resolved.origins[f"learn.{key}"] for key in ("minibatch", "learning_rate")} == {
        "minibatch": "default",
        "learning_rate": "preset faithful",
    }
    assert resolved.origins["learn.rank"] == f"file {file}"
    assert resolved.origins["learn.epochs"] == "environment VLARL_LEARN__EPOCHS"
    assert resolved.origins["learn.gamma"] == "--set learn.gamma=0.5"
    assert resolved.origins["learn.alpha"] == "flag --alpha"


def test_the_highest_place_that_names_a_preset_chooses_it(tmp_path: Path):
    file = written(tmp_path, '[learn]\npreset = "faithful"\n')
    resolved = resolve(file, sets=["learn.preset=robot"])
    assert resolved.settings.learn == Settings().learn


def test_the_faithful_preset_is_the_papers():
    settings = resolve(sets=["learn.preset=faithful"]).settings
    learn = settings.learn
    # VLA-RL: AdamW 2e-5, gradients cut at 1, one epoch, clip 0.2, gamma 0.99, lambda 0.95
    assert (learn.learning_rate, learn.grad_clip, learn.epochs) == (2e-5, 1.0, 1)
    assert (learn.clip_low, learn.clip_high) == (0.2, 0.2)
    assert (learn.gamma, learn.gae_lambda) == (0.99, 0.95)
    # LoRA of rank 32 and alpha 16 on all linear layers; no KL or cloning in the loss, no KL stop
    assert (learn.rank, learn.alpha, learn.targets) == (32, 16.0, "all-linear")
    assert (learn.kl_weight, learn.clone_weight) == (0.0, 0.0)
    assert learn.kl_stop > 1e5
    # one ratio an action; success plus the plain sum of the judge's scores
    assert (learn.ratio, learn.shaping) == ("action", "sum")
    # sampled at 1.5, its own curriculum, critic alone for five rounds of updates
    assert (settings.policy.temperature, settings.run.curriculum) == (1.5, "paper")
    assert learn.warmup_episodes == 5 * learn.every_episodes
    assert not learn.experience


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_names_only_settings_that_exist(preset: str):
    assert set(PRESETS[preset]) <= set(fields())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learn.epoch=2", "learn.epoch: no such setting.*nearest known is learn.epochs"),
        ("learn.gamma=2", r"learn.gamma: wanted a number > 0 and <= 1 \(discount.*found 2 in"),
        ("learn.learning_rate=nan", "learn.learning_rate: wanted a number.*found nan"),
        ("learn.learning_rate=inf", "learn.learning_rate: wanted a number.*found inf"),
        ('learn.learning_rate="1e-5"', "learn.learning_rate: wanted a number.*found '1e-5'"),
        ("run.update=on", "run.update: wanted true or false.*found 'on'"),
        ("run.update=1", "run.update: wanted true or false.*found 1 "),
        ("learn.epochs=1.5", "learn.epochs: wanted a whole number >= 1 and <= 100.*found 1.5"),
        ("learn.epochs=true", "learn.epochs: wanted a whole number.*found True"),
        ("learn.preset=fast", "learn.preset: wanted one of 'robot', 'faithful'.*found 'fast'"),
        ("learn.epochs=2\nrun.seed=3", "learn.epochs: wanted a whole number"),
        ("learn.epochs", "wanted TABLE.KEY=VALUE, found 'learn.epochs'"),
        ("robot.shift=rotate=nan", "robot.shift: wanted a table of finite numbers"),
        ("robot.shift=rotate", "robot.shift: wanted NAME=NUMBER"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(text: str, message: str):
    with pytest.raises(UsageError, match=message):
        resolve(sets=[text])


def test_a_wrong_value_is_refused_even_where_a_later_one_wins(tmp_path: Path):
    file = written(tmp_path, "[learn]\ngamma = 7.0\n")
    with pytest.raises(UsageError, match=r"found 7\.0 in file"):
        resolve(file, sets=["learn.gamma=0.9"])


def test_command_line_values_are_read_as_toml():
    settings = resolve(sets=["learn.learning_rate=1e-5", "run.update=false"]).settings
    assert settings.learn.learning_rate == 1e-5
    assert settings.run.update is False


def test_a_string_may_be_a_bare_word_or_quoted():
    assert resolve(sets=["robot.task=pick_*"]).settings.robot.task == "pick_*"
    assert resolve(sets=['robot.task="pick_*"']).settings.robot.task == "pick_*"


def test_shifts_are_read_as_text_and_as_a_table():
    wanted = {"rotate": 0.6, "gain": 1.4}
    assert parse_shift("rotate=0.6, gain=1.4") == wanted
    assert resolve(sets=["robot.shift=rotate=0.6,gain=1.4"]).settings.robot.shift == wanted
    assert resolve(sets=["robot.shift={rotate=0.6, gain=1.4}"]).settings.robot.shift == wanted


def test_a_shift_named_twice_is_refused():
    with pytest.raises(UsageError, match="no name twice"):
        parse_shift("gain=1,gain=2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[lern]\nepochs = 1\n", "lern: no such table.*nearest known is learn"),
        ("learn = 3\n", r"learn: wanted a table \[learn\], found 3"),
        ("[learn]\nepochs = on\n", "is not TOML"),
        ("[learn]\nstep = 1e-5\n", "learn.step: no such setting"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, message: str):
    with pytest.raises(UsageError, match=message):
        resolve(written(tmp_path, text))


def test_an_absent_file_is_refused_by_name(tmp_path: Path):
    with pytest.raises(UsageError, match=r"none\.toml cannot be read: No such file"):
        resolve(tmp_path / "none.toml")


def test_a_variable_of_ours_that_is_misspelt_is_refused_and_others_are_left_alone():
    assert resolve(environment={"PATH": "/bin", "VLARL_ELSEWHERE": "x"}).settings == Settings()
    with pytest.raises(UsageError, match="call it VLARL_LEARN__EPOCHS"):
        resolve(environment={"VLARL_LEARN_EPOCHS": "2"})
    with pytest.raises(UsageError, match=r"nearest known is learn\.epochs"):
        resolve(environment={"VLARL_LEARN__EPOCH": "2"})


def test_saved_settings_come_back_equal_through_json():
    settings = resolve(sets=["learn.preset=faithful", "robot.shift=gain=2"]).settings
    assert from_dict(json.loads(json.dumps(to_dict(settings)))) == settings


def test_saved_settings_that_lack_gain_or_break_a_key_are_refused():
    saved = to_dict(Settings())
    lacking = {**saved, "run": {k: v for k, v in saved["run"].items() if k != "seed"}}
    with pytest.raises(DataError, match=r"lack run\.seed"):
        from_dict(lacking)
    with pytest.raises(DataError, match=r"run\.speed"):
        from_dict({**saved, "run": {**saved["run"], "speed": 1}})
    with pytest.raises(DataError, match=r"run\.seed"):
        from_dict({**saved, "run": {**saved["run"], "seed": "0"}})
    with pytest.raises(DataError, match="wanted tables"):
        from_dict([saved])
    with pytest.raises(DataError, match="not a table"):
        from_dict({**saved, "run": 3})


def test_every_number_has_a_range_and_every_setting_a_meaning():
    for key, info in fields().items():
        assert info.description, key
        if info.annotation in {int, float}:
            assert any(hasattr(rule, limit) for rule in info.metadata for limit in ("ge", "gt")), (
                key
            )
