"""What this pipeline costs in time, memory and bytes, beside what people would use instead: `make bench`."""
