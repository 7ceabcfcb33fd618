"""When an update is due, by each rule, and which settings could never learn."""

import pytest

from agent.episode import Episode, RewardSignal, ScoredEpisode, Task, Truncated, Verdict
from agent.errors import UsageError
from agent.learn.waiting import due, most, must_fit
from agent.settings import Settings

PLENTY = 1000


def told(group=1, **learn):
    return Settings.model_validate(
        {"run": {"group": group}, "learn": {"every_episodes": 4, "warmup_episodes": 0, **learn}}
    )


def waiting(*outcomes):
    """Episodes by (start state, success)."""
    return [
        ScoredEpisode(
            Episode("", Task("t", "t", start, 4), "base", 1.0, (), None, Truncated("timeout")),
            RewardSignal([], float(won), Verdict.SUCCESS if won else Verdict.FAILURE, "test/1"),
        )
        for start, won in outcomes
    ]


MIXED = waiting((0, True), (1, False), (2, False), (3, False))
APART = waiting((0, True), (0, True), (1, False), (1, False))
WITHIN = waiting((0, True), (0, False), (1, False), (1, False))
LOST = waiting((0, False), (1, False), (2, False), (3, False))
WON = waiting((0, True), (1, True), (2, True), (3, True))


@pytest.mark.parametrize(
    ("rule", "batch", "wanted"),
    [
        ("ppo", MIXED, True),
        ("ppo", LOST, False),
        ("ppo", WON, False),
        ("rft", LOST, False),
        ("rft", WON, True),  # successes alone can be cloned
        ("grpo", MIXED, False),  # nothing to compare: each start state once
        ("grpo", APART, False),  # both groups agree
        ("grpo", WITHIN, True),
        ("rloo", WITHIN, True),
    ],
)
def test_a_batch_is_due_where_it_differs_in_what_the_rule_compares(rule, batch, wanted):
    group = 2 if rule in {"rloo", "grpo"} else 1
    assert due(told(group, rule=rule), PLENTY, batch) is wanted


def test_what_does_not_differ_is_waited_for_four_times_as_long():
    assert not due(told(), PLENTY, LOST * 3)
    assert due(told(), PLENTY, LOST * 4)


def test_a_group_is_never_split_by_an_update():
    settings = told(4, rule="grpo")
    asked = {sealed: due(settings, sealed, WITHIN) for sealed in range(4, 10)}
    assert [sealed for sealed, now in asked.items() if now] == [4, 8]


def test_nothing_is_due_before_the_warm_up_or_with_too_few():
    assert not due(told(warmup_episodes=9), 8, MIXED)
    assert not due(told(), PLENTY, MIXED[:3])


def test_no_more_may_wait_than_is_kept():
    settings = told(4, warmup_episodes=50)
    assert most(settings.learn) >= 50 + 4
    assert most(told().learn) >= 4 * 4 + 64


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (told(3), "multiple of run.group: found 4 and 3"),
        (told(1, rule="rloo"), "learn.rule=rloo compares episodes of one start state"),
        (told(1, replay=5), "learn.replay=5 successes would count for nothing"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, why):
    with pytest.raises(UsageError, match=why):
        must_fit(settings)


def test_settings_that_agree_are_not():
    must_fit(told(2, rule="grpo", replay=5, clone_weight=0.1))
    must_fit(told())
    acting_only = Settings.model_validate({"run": {"group": 3, "update": False}})
    must_fit(acting_only)
