"""How an event is stored: attribute names, keys, payload codec, sizes, timestamps."""
