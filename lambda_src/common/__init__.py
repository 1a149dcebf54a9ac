"""What both functions need: settings, telemetry, deadlines, S3."""
