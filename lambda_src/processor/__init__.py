"""The Lambda function between the events queue and DynamoDB: validate, enrich, shrink, store, alert."""
