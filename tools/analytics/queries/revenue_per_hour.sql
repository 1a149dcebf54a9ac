-- Revenue per hour and currency
SELECT
  date_trunc('hour', received_at) AS hour_utc,
  currency,
  count(*) AS orders,
  sum(amount) AS revenue
FROM events
WHERE type = 'order'
GROUP BY 1, 2
ORDER BY 1, 2
