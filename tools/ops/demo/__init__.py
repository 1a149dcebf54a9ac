"""`make demo`: send mixed events and check the outcome of each."""
