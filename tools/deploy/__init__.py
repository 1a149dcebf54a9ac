"""Deploys what was tested: plan, deploy, smoke test, rollback, destroy, drift.

On AWS and, by nothing but ``AWS_ENDPOINT_URL``, on an emulator. Everything about one environment on this
machine lives in ``.deploy/<environment>``; what its next deployer must know is in the state bucket.
"""
