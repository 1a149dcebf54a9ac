"""The producer: realistic events for the pipeline, sent as fast as the queue takes them or at a steady rate.

The command is ``send_test_events.py``; from Python, call ``producer.run.produce``.
"""
