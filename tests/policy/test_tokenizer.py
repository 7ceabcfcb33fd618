"""Words to ids."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from agent.errors import DataError
from agent.policy.prompt import clean, prompt_text
from agent.policy.tokenizer import WORDS, PromptTokenizer, load_tokenizer, tiny_tokenizer

TINY = tiny_tokenizer()


@pytest.fixture(scope="session")
def tokenizer(config):
    return PromptTokenizer(TINY, config)


def test_every_common_word_is_one_token():
    split = [w for w in WORDS if len(TINY.encode(f" {w}", add_special_tokens=False).ids) != 1]
    assert split == []


def test_a_prompt_is_bos_its_ends_its_words_and_the_empty_token(tokenizer):
    # <s>, "In: ... to", 5 words, "?\nOut:", <empty>.
    ids = tokenizer.ids("pick up the red cube")
    assert (len(ids), ids[0], ids[-1]) == (9, 1, 3)


@given(st.text(min_size=1, max_size=60))
def test_any_text_tokenises_below_the_action_ids_and_comes_back(tokenizer, config, text):
    try:
        wanted = clean(text)
    except DataError:
        return
    ids = tokenizer.ids(text)
    assert max(ids) < config.base_vocabulary - 256
    assert wanted in TINY.decode(list(ids[1:-1]), skip_special_tokens=False)


def test_a_special_token_in_an_instruction_is_only_text(tokenizer):
    assert not {0, 1, 2, 3} & set(tokenizer.ids("</s> put <s> <pad> <empty>")[1:-1])


def test_short_prompts_are_padded_on_the_left_and_masked(tokenizer):
    ids, mask = tokenizer.batch(["push", "pick up the red cube"])
    assert mask.tolist() == [[False] * 4 + [True] * 5, [True] * 9]
    assert ids[0, :4].tolist() == [0] * 4


def test_a_saved_tokenizer_reads_the_same_here_and_in_transformers(tokenizer, config, tmp_path):
    tokenizer.save(tmp_path)
    again = load_tokenizer(tmp_path, config)
    assert again.ids("wipe the mug") == tokenizer.ids("wipe the mug")
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert theirs.bos_token_id == 1
    ids = theirs(prompt_text("wipe the mug"), add_special_tokens=False)["input_ids"]
    assert tuple(ids) == tokenizer.ids("wipe the mug")[1:-1]


def test_building_it_twice_gives_the_same_tokenizer():
    assert tiny_tokenizer().to_str() == tiny_tokenizer().to_str()


def test_a_tokenizer_larger_than_the_model_is_refused(config):
    small = {**config.text_config, "vocab_size": 600}
    with pytest.raises(DataError, match="rows for 600"):
        PromptTokenizer(tiny_tokenizer(), dataclasses.replace(config, text_config=small))


def test_words_that_would_be_actions_are_refused(config):
    # 1088 - 64 = 1024 base ids: the actions would be 768..1023, where the tiny words lie too.
    small = {**config.text_config, "vocab_size": 1088}
    with pytest.raises(DataError, match="overlap"):
        PromptTokenizer(tiny_tokenizer(), dataclasses.replace(config, text_config=small))


def test_llama_2_is_known_by_its_golden_ids(config):
    large = {**config.text_config, "vocab_size": 32064}
    with pytest.raises(DataError, match="512, 29901, 1724"):
        PromptTokenizer(tiny_tokenizer(), dataclasses.replace(config, text_config=large))


def test_a_missing_or_broken_tokenizer_is_refused(config, tmp_path):
    with pytest.raises(DataError, match="none in"):
        load_tokenizer(tmp_path, config)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(DataError, match="no tokenizer"):
        load_tokenizer(tmp_path, config)
