"""Llama's layers in our order, against transformers' own."""

import pytest
import torch
from transformers import LlamaConfig, LlamaModel

from agent.policy.trunk import new_cache, run_trunk


@pytest.fixture(params=[4, 2], ids=["all-heads", "grouped"])
def llama(request):
    torch.manual_seed(0)
    return LlamaModel(
        LlamaConfig(
            vocab_size=8,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=request.param,
            initializer_range=0.3,
        )
    ).eval()


def causal(length):
    return torch.full((1, 1, length, length), float("-inf")).triu(1)


def test_it_computes_what_transformers_computes(llama):
    hidden, positions = torch.randn(2, 7, 32), torch.arange(7).expand(2, -1)
    ours = run_trunk(llama, hidden, positions, causal(7), 7)
    theirs = llama(inputs_embeds=hidden, use_cache=False).last_hidden_state
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_asking_for_the_last_tokens_only_changes_nothing_about_them(llama):
    hidden, positions = torch.randn(2, 7, 32), torch.arange(7).expand(2, -1)
    whole = run_trunk(llama, hidden, positions, causal(7), 7)
    last = run_trunk(llama, hidden, positions, causal(7), 3)
    torch.testing.assert_close(last, whole[:, -3:], atol=1e-5, rtol=1e-5)


def test_the_cache_gives_what_one_pass_gives(llama):
    hidden, positions = torch.randn(2, 7, 32), torch.arange(7).expand(2, -1)
    whole = run_trunk(llama, hidden, positions, causal(7), 7)
    with torch.no_grad():
        cache = new_cache(llama, 2, 7, hidden)
        first = run_trunk(llama, hidden[:, :5], positions[:, :5], causal(5), 1, cache)
        parts = [first] + [
            run_trunk(llama, hidden[:, i : i + 1], positions[:, i : i + 1], None, 1, cache)
            for i in (5, 6)
        ]
    assert cache.used == 7
    torch.testing.assert_close(torch.cat(parts, 1), whole[:, 4:], atol=1e-5, rtol=1e-5)
