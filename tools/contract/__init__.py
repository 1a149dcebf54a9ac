"""Compare two versions of the contract (``make contract-check``)."""
