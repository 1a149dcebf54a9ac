"""Signed requests to AWS over one connection: for the functions and the producer.

It uses the standard library alone (docs/adr/0008).
"""
