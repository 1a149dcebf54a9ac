"""What the producer sends: events, by a plan and a seed."""
