"""Measure time, memory, bytes and cost of the pipeline and of alternative designs: ``make bench``."""
