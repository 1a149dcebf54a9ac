"""Read the sources: one collector per source, each in its own thread."""
