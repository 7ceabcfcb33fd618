"""Learning between episodes: batches, advantages, losses, updates, gates and the ledger."""
