-- Revenue per hour and currency
SELECT
  date_trunc('hour', received_at) AS hour_utc,
  currency,
  count(*) AS orders,
  -- Release 1.0.0 accepted larger amounts, whose sum can exceed the type.
  coalesce(sum(amount) FILTER (WHERE amount < 1000000000000000), 0) AS revenue
FROM events
WHERE type = 'order'
GROUP BY 1, 2
ORDER BY 1, 2
