"""Drawing a `State`: pure functions from state and size to something rich can print."""
