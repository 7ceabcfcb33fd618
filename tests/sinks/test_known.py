"""Which sinks may be named, and where the server may listen."""

import pytest

from agent.errors import UsageError
from agent.settings import RunSettings
from agent.sinks.known import named


def test_names_are_taken_once_each_in_order():
    assert named(RunSettings(metrics="")) == ()
    pytest.importorskip("tensorboard")
    assert named(RunSettings(metrics=" tensorboard,,tensorboard ")) == ("tensorboard",)


def test_a_name_nobody_knows_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'tensorboard'"):
        named(RunSettings(metrics="tensorbord"))


def test_a_package_that_is_not_there_is_named_with_what_brings_it(monkeypatch):
    monkeypatch.setattr("agent.sinks.known.NEEDS", {"wandb": "no_such_package"})
    with pytest.raises(UsageError, match=r"no_such_package.*vlarl-agent\[metrics\]"):
        named(RunSettings(metrics="wandb"))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::"])
def test_an_address_open_to_others_is_refused_unless_told(host):
    pytest.importorskip("prometheus_client")
    with pytest.raises(UsageError, match=r"run\.metrics_exposed=true"):
        named(RunSettings(metrics="prometheus", metrics_host=host))
    told = RunSettings(metrics="prometheus", metrics_host=host, metrics_exposed=True)
    assert named(told) == ("prometheus",)


def test_a_name_is_no_address():
    pytest.importorskip("prometheus_client")
    with pytest.raises(UsageError, match="want an address such as"):
        named(RunSettings(metrics="prometheus", metrics_host="localhost"))
