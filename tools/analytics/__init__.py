"""Query the archive: with DuckDB on this machine, and with Athena on AWS."""
