"""Send messages and events again: replay, redrive, rearchive."""
