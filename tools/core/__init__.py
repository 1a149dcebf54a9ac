"""Shared library of the tools: resource names, console output, errors, command lines, tables and queues.

``errors``, ``files``, ``log``, ``paths``, ``program``, ``state`` and ``text`` use the standard library alone.
"""
