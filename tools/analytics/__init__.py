"""Reading the archive: SQL over it with DuckDB on the laptop, and what Athena runs on AWS."""
