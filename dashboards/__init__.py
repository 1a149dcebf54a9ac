"""Show a running pipeline in a terminal (`make top`), on the local stack or on AWS. Nothing here writes.

`state` holds what is known, `collect` reads it from AWS in threads, and `view` draws it. Only `collect` and
`target` call AWS.
"""
