-- Revenue per hour and currency
SELECT
  date_trunc('hour', received_at) AS hour_utc,
  -- Contract 1.0.0 had amounts whose sum overflows: each has a row of its own, which names its event.
  CASE WHEN amount < 1000000000000000 THEN currency ELSE concat(currency, ' (event_id ', event_id, ')') END AS currency,
  count(*) AS orders,
  sum(amount) AS revenue
FROM events
WHERE type = 'order'
GROUP BY 1, 2
ORDER BY 1, 2
