"""Check the accounting invariant: sent = stored + duplicates + rejected + dead-lettered (+ queued)."""
