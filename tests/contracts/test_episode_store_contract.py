"""The episode-store contract, held against every store there is."""

import pytest

from agent.store.zarr_store import ZarrStore
from tests.contracts.episode_store_contract import EpisodeStoreContract


class TestZarrStore(EpisodeStoreContract):
    @pytest.fixture
    def make(self):
        stores = []

        def made(folder):
            store = ZarrStore(folder / "run")
            store.open()
            stores.append(store)
            return store

        yield made
        for store in stores:
            store.close()
