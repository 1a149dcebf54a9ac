-- Payment failure rate per hour and method
SELECT
  date_trunc('hour', received_at) AS hour_utc,
  json_extract_scalar(event, '$.method') AS method,
  count(*) AS payments,
  count_if(json_extract_scalar(event, '$.status') = 'failed') AS failed,
  round(100.0 * count_if(json_extract_scalar(event, '$.status') = 'failed') / count(*), 1) AS failed_percent
FROM events
WHERE type = 'payment'
GROUP BY 1, 2
ORDER BY 1, 2
