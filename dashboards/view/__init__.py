"""Draw a `State`: pure functions from a state and a size to lines that rich can print."""
