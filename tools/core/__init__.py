"""Shared library of the tools: resource names, console output, errors, command lines, tables and queues.

``paths``, ``errors``, ``files``, ``log`` and ``state`` import the standard library alone.
"""
