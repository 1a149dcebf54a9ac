"""`make erase`: find and remove everything of a customer, see `erase.py`."""
