"""Facts about one robot cell."""
