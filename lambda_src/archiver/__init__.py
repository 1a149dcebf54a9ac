"""The Lambda function between the tables' streams and the archive bucket: read, write as lines, put."""
