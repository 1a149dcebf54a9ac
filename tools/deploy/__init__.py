"""Deploy what was tested: plan, deploy, smoke test, rollback, destroy, drift.

The same commands deploy to an emulator if ``AWS_ENDPOINT_URL`` is set. An environment's working copy is in
``.deploy/<environment>``; the state bucket holds its deployment record for other machines.
"""
