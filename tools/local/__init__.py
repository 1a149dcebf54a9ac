"""The local stack: an emulator, the Lambda zip, and Terraform applied to the emulator.

Everything about one stack lives in its state directory (``.stack`` by default), so several run side by side.
From Python: :func:`tools.local.lifecycle.up`, :func:`tools.local.lifecycle.down`,
:class:`tools.core.state.StackState`.
"""
