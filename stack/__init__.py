"""The local stack: an emulator, the Lambda zip, and Terraform applied to the emulator.

Everything about one stack lives in its state directory (``.stack`` by default), so several run side by side.
From Python: :func:`stack.lifecycle.up`, :func:`stack.lifecycle.down`, :class:`stack.state.StackState`.
"""
