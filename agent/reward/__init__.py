"""Judges, and rewards made from their judgements."""
