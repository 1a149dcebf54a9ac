"""`make demo`: send mixed events and account for every one of them."""
