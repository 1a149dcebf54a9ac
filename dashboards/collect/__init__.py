"""Asking the sources: one collector for each, in a thread of its own."""
