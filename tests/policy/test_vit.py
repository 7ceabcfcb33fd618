"""The vision tower."""

import torch

from agent.policy.towers import PUBLISHED, TowerConfig
from agent.policy.vit import ViT

SMALL = TowerConfig(16, 4, 2, 8, 32, 64, registers=4, class_token=True, layer_scale=True)


def small():
    torch.manual_seed(0)
    tower = ViT(SMALL)
    with torch.no_grad():
        for parameter in tower.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return tower


def test_tokens_are_those_of_the_second_to_last_block_without_the_norm():
    tower, images = small(), torch.randn(2, 3, 32, 32)
    after = []
    tower.blocks[2].register_forward_hook(lambda *call: after.append(call[2]))
    tower.blocks[3].register_forward_hook(lambda *call: after.append(None))
    tokens = tower(images)
    assert len(after) == 1  # the last block never runs
    # 1 class and 4 register tokens come before the 16 patches.
    assert after[0].shape == (2, 21, 16)
    torch.testing.assert_close(tokens, after[0][:, 5:], atol=0, rtol=0)


def test_a_block_is_attention_and_mlp_written_out_by_hand():
    block, tokens = small().blocks[0], torch.randn(1, 5, 16)
    normed = torch.nn.functional.layer_norm(
        tokens, (16,), block.norm1.weight, block.norm1.bias, 1e-6
    )
    q, k, v = (normed @ block.attn.qkv.weight.T + block.attn.qkv.bias).chunk(3, -1)
    heads = []
    for part in (slice(0, 8), slice(8, 16)):
        scores = q[..., part] @ k[..., part].transpose(1, 2) / 8**0.5
        heads.append(scores.softmax(-1) @ v[..., part])
    mixed = torch.cat(heads, -1) @ block.attn.proj.weight.T + block.attn.proj.bias
    middle = tokens + block.ls1.scale_factor * mixed
    normed = torch.nn.functional.layer_norm(
        middle, (16,), block.norm2.weight, block.norm2.bias, 1e-6
    )
    grown = normed @ block.mlp.fc1.weight.T + block.mlp.fc1.bias
    bent = grown * 0.5 * (1 + torch.erf(grown / 2**0.5))
    out = middle + block.ls2.scale_factor * (bent @ block.mlp.fc2.weight.T + block.mlp.fc2.bias)
    torch.testing.assert_close(block(tokens), out, atol=1e-5, rtol=1e-5)


def test_positions_belong_to_patches_only():
    # DINOv2 with registers adds its positions before class and register tokens are put in front.
    tower, images = small(), torch.zeros(1, 3, 32, 32)
    seen = []
    tower.blocks[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    tower(images)
    torch.testing.assert_close(seen[0][0, 0], tower.cls_token[0, 0], atol=0, rtol=0)
    torch.testing.assert_close(seen[0][0, 1:5], tower.reg_token[0], atol=0, rtol=0)
    wanted = tower.pos_embed[0] + tower.patch_embed.proj.bias
    torch.testing.assert_close(seen[0][0, 5:], wanted, atol=1e-6, rtol=0)


def test_the_published_towers_have_the_published_sizes():
    with torch.device("meta"):
        sizes = [sum(p.numel() for p in ViT(c).parameters()) for c in PUBLISHED.values()]
    # DINOv2-L/14 with registers 303 M without its 1,369-patch table; SigLIP-SO400M tower 428 M,
    # of which 412 M without the pooling head (15.2 M).
    # At 384 px SigLIP has 473 more places, 0.5 M.
    assert [round(size / 1e6) for size in sizes] == [303, 428, 428]
