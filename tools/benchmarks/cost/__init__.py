"""Compute cost on AWS and limits of scale from public prices and measured results."""
