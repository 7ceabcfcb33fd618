"""Every check of the guard matters: taken out, some test of it fails."""

import inspect
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.guard_fuzz import live
from bridges.guard import arm, envelope, keeper, reach, state
from tests.bridges.guard import (
    test_envelope,
    test_homing,
    test_keeper,
    test_latches,
    test_reach,
    test_state,
)
from tests.bridges.guard.mutants import Mutant, mutants

# Checks that another check makes needless today, and why they stay.
SPARE = {
    # comparisons with NaN are False all the same
    "_gripper: never: if math.isnan(start.gripper)",
    # `_look` has put a stale arm on HOLD before, and a MOVE is looked at in RUNNING alone
    "Keeper._judged: never: if arm.trouble or arm.measured is None",
    "Keeper._judged: without: arm.trouble",
    "Keeper._judged: without: arm.measured is None",
    "Keeper._stand: without: arm.measured is None",
    # `_move` looks at the state again before it publishes
    "Keeper._judged: without: machine.state is not State.RUNNING",
    "Keeper._judged: without: begun is None",
    # a matter of words
    "Keeper._move: without: ''",
    "Keeper.tick: without: self._machine.state is State.RUNNING",
}
# The way home and the wording are no checks.
NOT_OURS = ("Keeper._go_home", "Keeper._start_home", "Keeper._end_home", "Keeper._why_not")


def plain(module) -> list[Callable[[], None]]:
    """The tests of a file that take nothing."""
    return [
        test for name, test in vars(module).items()
        if name.startswith("test_") and not inspect.signature(test).parameters
    ]  # fmt: skip


def notices(tests: list[Callable[[], None]]) -> bool:
    """Whether anything is wrong with the guard as it is now."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for test in tests:
                test()
    except (Exception, pytest.fail.Exception):
        return True
    return any(live(seed, steps=150)[1] for seed in range(2))


TESTS = {
    envelope: [*plain(test_envelope), *plain(test_reach)],
    reach: plain(test_reach),
    state: [*plain(test_state), *plain(test_keeper), *plain(test_latches)],
    arm: plain(test_keeper),
    keeper: [*plain(test_keeper), *plain(test_homing), *plain(test_latches)],
}
ALL = [
    (module, mutant) for module in TESTS for mutant in mutants(module)
    if not mutant.what.startswith(NOT_OURS)
]  # fmt: skip


def test_the_guard_itself_passes():
    for tests in TESTS.values():
        assert not notices(tests)


@pytest.mark.parametrize(("module", "mutant"), ALL, ids=[mutant.what for _, mutant in ALL])
def test_without_this_check_a_test_fails(module, mutant: Mutant):
    with mutant.alive():
        assert notices(TESTS[module]) is not (mutant.what in SPARE)


@pytest.mark.parametrize("leads", list(state.LEADS), ids=str)
def test_without_this_transition_a_test_fails(leads):
    where = state.LEADS.pop(leads)
    try:
        assert notices(plain(test_state))
    finally:
        state.LEADS[leads] = where
