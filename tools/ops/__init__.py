"""What people do with a running pipeline, on the laptop or on AWS.

demo, get, events, logs, rejected, replay, redrive and verify; ``python -m tools.ops <command>``.
"""
