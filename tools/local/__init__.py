"""The local stack: an emulator, the Lambda zip, and Terraform applied to the emulator.

A stack keeps all its state in one directory (``.stack`` by default), so that several stacks can run at once.
From Python: :func:`tools.local.lifecycle.up`, :func:`tools.local.lifecycle.down`,
:class:`tools.core.state.StackState`.
"""
