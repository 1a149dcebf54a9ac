"""What shows a running pipeline: the terminal program (`make top`), on the laptop and on AWS.

It reads only. `state` is what is known, `collect` finds it out in threads, `view` draws it, and nothing of
`state` and `view` calls anything.
"""
