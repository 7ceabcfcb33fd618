"""Many answers to one view out of one look at it."""

import numpy as np
import pytest
import torch

from agent.errors import UsageError
from agent.policy.adapters import AdapterSpec
from agent.policy.vla import Draw, log_probs
from agent.protocols import Proposing

COUNT = 5


def seen_of(policy, views):
    inputs = policy.batch(views)
    return policy.patches(inputs), inputs.proprio, inputs.prompt_ids, inputs.prompt_mask


@pytest.mark.parametrize("temperature", [1.0, 0.0])
def test_proposals_are_the_answers_to_so_many_copies_of_the_view(policy, views, temperature):
    policy.adapters.attach("policy", AdapterSpec(rank=2), seed=0)
    assert isinstance(policy, Proposing)
    policy.seed(3)
    shared = policy.propose(views[2], COUNT, temperature)
    policy.seed(3)
    apart = policy.act([views[2]] * COUNT, temperature)
    assert len({each.tokens.tobytes() for each in shared}) == (COUNT if temperature else 1)
    for ours, theirs in zip(shared, apart, strict=True):
        assert np.array_equal(ours.tokens, theirs.tokens)
        np.testing.assert_allclose(ours.log_probs, theirs.log_probs, atol=1e-5, rtol=0)
        for one, other in zip(ours.actions, theirs.actions, strict=True):
            assert np.array_equal(one.delta, other.delta)


def test_each_proposal_has_the_log_probabilities_of_its_own_pass(policy, views):
    policy.seed(1)
    for each in policy.propose(views[0], COUNT, 1.3):
        tokens = torch.from_numpy(each.tokens).long()[None]
        with torch.no_grad():
            logits = policy.model.action_logits(*seen_of(policy, views[:1]), tokens)
        alone = log_probs(logits, tokens, 1.3)[0].numpy()
        np.testing.assert_allclose(each.log_probs, alone, atol=1e-5, rtol=0)


def test_one_proposal_is_one_answer_bit_for_bit(policy, views):
    policy.seed(2)
    (proposed,) = policy.propose(views[1], 1, 1.0)
    policy.seed(2)
    (answered,) = policy.act([views[1]], 1.0)
    assert np.array_equal(proposed.tokens, answered.tokens)
    assert np.array_equal(proposed.log_probs, answered.log_probs)


def test_several_padded_views_get_each_their_own_proposals(policy, views):
    seen = seen_of(policy, views)  # prompts of three lengths
    how = Draw(1.0, COUNT, torch.Generator().manual_seed(0))
    tokens, scores = policy.model.propose(*seen, how)
    assert tokens.shape == scores.shape == (3, COUNT, policy.config.tokens)
    for index in range(COUNT):
        with torch.no_grad():
            logits = policy.model.action_logits(*seen, tokens[:, index])
        apart = (log_probs(logits, tokens[:, index], 1.0) - scores[:, index]).abs().max()
        assert apart < 2e-5


def test_the_view_is_looked_at_once(policy, views):
    rows = []
    trunk = policy.model.language_model.model
    for module in (policy.model.projector, trunk.layers[0].mlp.up_proj):
        module.register_forward_hook(lambda _, inputs, out: rows.append(out.shape[:2]))
    policy.propose(views[0], COUNT, 1.0)
    sight, first, *after = rows
    assert sight[0] == 2  # two cameras of one view, not of five
    assert first[0] == 1
    # In turn, thirteen more tokens of five answers side by side; in one pass, nothing more.
    assert after == ([] if policy.config.decoding == "one-pass" else [(1, COUNT)] * 13)


def test_no_proposals_are_refused(policy, views):
    with pytest.raises(UsageError, match="1 or more; found 0"):
        policy.propose(views[0], 0, 1.0)
