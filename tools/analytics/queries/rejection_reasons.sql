-- Rejection reasons over time
SELECT
  date_trunc('hour', received_at) AS hour_utc,
  reason.rule,
  count(*) AS rejected_events
FROM rejected
CROSS JOIN UNNEST(rules) AS reason (rule)
GROUP BY 1, 2
ORDER BY 1, 3 DESC, 2
