"""Make dictionaries for the compression of small payloads."""
