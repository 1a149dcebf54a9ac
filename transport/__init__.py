"""Requests to AWS over a connection of one's own: their signature, and the reading of the answers.

The producer sends over it, and the processor does. It imports nothing but the standard library.
"""
