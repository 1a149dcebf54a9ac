"""What several tools share: names of a pipeline's resources, console output, errors, tables, queues.

``paths``, ``errors``, ``files``, ``log`` and ``state`` use the standard library alone when they are imported.
"""
