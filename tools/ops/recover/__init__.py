"""Bring messages and events back: replay, redrive, rearchive."""
