"""The producer: sends realistic events to the pipeline's queue, at full speed or at a steady rate.

Run ``send_test_events.py`` from a shell, or call ``producer.run.produce`` from Python.
"""
