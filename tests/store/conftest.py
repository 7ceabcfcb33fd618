"""A run folder and an open store in it."""

import pytest

from agent.store.zarr_store import ZarrStore


@pytest.fixture
def run(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def store(run):
    store = ZarrStore(run)
    store.open()
    yield store
    store.close()
