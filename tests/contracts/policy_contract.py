"""What every Policy must do. Inherit it and give the fixtures `make` and `views`."""

import copy

import numpy as np


def same(left, right):
    """Whether two decisions say the same thing."""
    return (
        np.array_equal(left.tokens, right.tokens)
        and np.array_equal(left.log_probs, right.log_probs)
        and all(
            np.array_equal(a.delta, b.delta) and a.gripper == b.gripper
            for a, b in zip(left.actions, right.actions, strict=True)
        )
    )


class PolicyContract:
    """`make` builds a fresh policy; `views` are two or more views it can answer."""

    def test_every_view_gets_one_decision(self, make, views):
        assert len(make().act(views, 1.0)) == len(views)
        assert make().act([], 1.0) == ()

    def test_a_decision_is_well_formed(self, make, views):
        policy = make()
        for decision in policy.act(views, 0.7):
            assert decision.adapter == policy.adapter != ""
            assert decision.temperature == 0.7
            assert decision.tokens.dtype == np.int16
            assert decision.tokens.shape in {(0,), (7 * len(decision.actions),)}
            assert ((decision.tokens >= 0) & (decision.tokens < 256)).all()
            assert decision.log_probs.dtype == np.float32
            assert decision.log_probs.shape == decision.tokens.shape
            assert (decision.log_probs <= 0).all()
            assert np.isfinite(decision.log_probs).all()

    def test_an_action_is_finite_and_its_gripper_an_opening(self, make, views):
        for decision in make().act(views, 1.0):
            assert decision.actions
            for action in decision.actions:
                assert action.delta.shape == (6,)
                assert action.delta.dtype == np.float32
                assert np.isfinite(action.delta).all()
                assert 0.0 <= action.gripper <= 1.0

    def test_greedy_answers_do_not_depend_on_the_seed(self, make, views):
        one, other = make(), make()
        one.seed(1)
        other.seed(2)
        for left, right in zip(one.act(views, 0.0), other.act(views, 0.0), strict=True):
            assert same(left, right)

    def test_the_same_seed_gives_the_same_answers(self, make, views):
        answers = []
        for _ in range(2):
            policy = make()
            policy.seed(7)
            answers.append(policy.act(views, 1.0))
        assert all(same(left, right) for left, right in zip(*answers, strict=True))

    def test_views_are_only_looked_at(self, make, views):
        before = copy.deepcopy(list(views))
        make().act(views, 1.0)
        for old, new in zip(before, views, strict=True):
            assert np.array_equal(old.proprio, new.proprio)
            assert all(np.array_equal(old.images[name], new.images[name]) for name in old.images)
