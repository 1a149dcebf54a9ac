"""How the producer sends: batches over signed connections, at a rate, with retries."""
