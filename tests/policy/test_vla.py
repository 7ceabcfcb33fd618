"""The whole model: what depends on what, and that sampler and learner agree."""

import dataclasses

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from agent.errors import SafetyStop
from agent.policy.vla import VLA, log_probs


@pytest.fixture
def seen(policy, views):
    """Patches, proprioception, prompt ids and mask of three views."""
    inputs = policy.batch(views)
    with torch.no_grad():
        return policy.patches(inputs), inputs.proprio, inputs.prompt_ids, inputs.prompt_mask


def close(left, right):
    torch.testing.assert_close(left, right, atol=2e-5, rtol=1e-5)


def test_an_answer_has_one_row_of_256_logits_a_token(policy, seen):
    tokens = torch.zeros(3, 14, dtype=torch.long)
    answer = policy.model.answer(*seen, tokens)
    assert answer.logits.shape == (3, 14, 256)
    assert answer.logits.dtype == torch.float32
    assert answer.feature.shape == (3, 32)


@pytest.mark.parametrize("temperature", [1.0, 0.7, 1.5, 0.0])
def test_sampler_and_learner_agree_on_every_log_probability(policy, seen, temperature):
    generator = torch.Generator().manual_seed(0)
    tokens, scores = policy.model.sample(*seen, temperature, generator)
    logits = policy.model.action_logits(*seen, tokens)
    assert (log_probs(logits, tokens, temperature) - scores).abs().max() < 1e-4


def test_greedy_tokens_are_the_most_likely_ones(policy, seen):
    tokens, _ = policy.model.sample(*seen, 0.0)
    assert (policy.model.action_logits(*seen, tokens).argmax(-1) == tokens).all()


def test_padding_on_either_side_changes_nothing(policy, seen):
    patches, proprio, ids, mask = seen
    tokens, _ = policy.model.sample(*seen, 0.0)
    alone = policy.model.answer(*seen, tokens)
    pad, off = torch.zeros(3, 5, dtype=torch.long), torch.zeros(3, 5, dtype=torch.bool)
    for both in ((pad, ids), (ids, pad)), ((pad + 7, ids), (ids, pad + 7)):
        for index in (0, 1):
            masks = ((off, mask), (mask, off))[index]
            padded = policy.model.answer(
                patches, proprio, torch.cat(both[index], 1), torch.cat(masks, 1), tokens
            )
            close(padded.logits, alone.logits)
            close(padded.feature, alone.feature)


def test_batch_neighbours_change_nothing(policy, views):
    inputs = policy.batch(views)
    with torch.no_grad():
        sight = policy.patches(inputs), inputs.proprio, inputs.prompt_ids, inputs.prompt_mask
        tokens, _ = policy.model.sample(*sight, 0.0)
        together = policy.model.answer(*sight, tokens)
        for index, view in enumerate(views):
            own = policy.batch([view])
            one = policy.patches(own), own.proprio, own.prompt_ids, own.prompt_mask
            alone = policy.model.answer(*one, tokens[index : index + 1])
            close(alone.logits[0], together.logits[index])
            close(alone.feature[0], together.feature[index])


def test_the_feature_alone_is_the_feature_beside_the_logits(policy, seen):
    tokens, _ = policy.model.sample(*seen, 0.0)
    close(policy.model.feature(*seen), policy.model.answer(*seen, tokens).feature)


def test_black_and_white_images_other_words_and_other_joints_change_the_answer(policy, seen):
    patches, proprio, ids, mask = seen
    tokens, _ = policy.model.sample(*seen, 0.0)
    before = policy.model.action_logits(*seen, tokens)
    black, white = (policy.model.patches(torch.full((3, 2, 6, 32, 32), v)) for v in (-1.0, 1.0))
    for changed in (
        (black, proprio, ids, mask),
        (white, proprio, ids, mask),
        (patches, proprio + 1, ids, mask),
        (patches, proprio, ids.roll(1, 0), mask.roll(1, 0)),
    ):
        after = policy.model.action_logits(*changed, tokens)
        assert (after - before).abs().amax((1, 2)).min() > 1e-2


def test_in_turn_a_token_depends_on_those_before_it_only(policy, seen):
    if policy.config.decoding != "autoregressive":
        pytest.skip("in one pass no token is followed")
    tokens, _ = policy.model.sample(*seen, 0.0)
    other = tokens.clone()
    other[:, 5] = (other[:, 5] + 100) % 256
    moved = policy.model.action_logits(*seen, tokens) - policy.model.action_logits(*seen, other)
    assert moved[:, :6].abs().max() < 1e-5
    assert moved[:, 6:].abs().amax(-1).min() > 1e-3


def test_in_one_pass_the_slots_differ_and_see_each_other(policy, seen):
    if policy.config.decoding != "one-pass":
        pytest.skip("in turn there are no slots")
    before = policy.model.action_logits(*seen)
    assert (before[:, 1:] - before[:, :-1]).abs().amax(-1).min() > 1e-3
    # A longer chunk adds slots at the end; the first slots see them, so they change.
    config = dataclasses.replace(policy.config, chunk=3)
    longer = VLA(config).eval()
    longer.load_state_dict(policy.model.state_dict())
    assert (longer.action_logits(*seen)[:, :14] - before).abs().amax(-1).min() > 1e-4


def test_logits_are_those_of_llama_on_the_published_sequence(policy, seen):
    # BOS, patches, proprioception, the prompt without BOS, tokens: built here by hand.
    if policy.config.decoding != "autoregressive":
        pytest.skip("the published model decodes in turn")
    patches, proprio, ids, mask = (part[:1] for part in seen)
    ids = ids[mask][None]
    tokens, _ = policy.model.sample(patches, proprio, ids, ids > -1, 0.0)
    llama = LlamaForCausalLM(LlamaConfig(**policy.config.text_config)).eval()
    llama.load_state_dict(policy.model.language_model.state_dict())
    words = llama.model.embed_tokens(torch.cat([ids, 1279 - tokens[:, :-1]], 1))
    felt = policy.model.proprio_projector(proprio)[:, None]
    sequence = torch.cat([words[:, :1], patches, felt, words[:, 1:]], 1)
    rows = llama(inputs_embeds=sequence).logits[:, -14:]
    # The action ids are 1024..1279 and id = 1279 - bin.
    wanted = rows[..., 1024:1280].flip(-1)
    close(policy.model.action_logits(patches, proprio, ids, ids > -1, tokens), wanted)


def test_a_logit_that_is_not_finite_stops_the_arm(policy, seen):
    patches, *rest = seen
    with pytest.raises(SafetyStop, match="finite"):
        policy.model.sample(patches * float("nan"), *rest, 1.0)


def test_log_probabilities_are_those_of_the_tempered_softmax():
    # Two bins at log 1 and log 3: at temperature 1 the second has 3/4, at 0.5 it has 9/10.
    logits = torch.tensor([[[0.0, 3.0]]]).log()
    logits[0, 0, 0] = 0.0
    second = torch.tensor([[1]])
    for temperature, chance in ((1.0, 0.75), (0.5, 0.9), (0.0, 0.75)):
        assert log_probs(logits, second, temperature).exp().item() == pytest.approx(chance)


def test_a_colder_sampler_agrees_with_itself_more_often(policy, seen):
    rows = [part[:1].expand(64, *part.shape[1:]) for part in seen]
    generator = torch.Generator().manual_seed(0)
    kinds = [
        len(set(policy.model.sample(*rows, t, generator)[0][:, 0].tolist())) for t in (0.1, 10.0)
    ]
    assert kinds[0] < kinds[1]
