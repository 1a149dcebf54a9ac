"""The messages that the producer sends, each computed from a seed and a message number."""
