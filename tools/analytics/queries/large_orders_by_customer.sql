-- Large orders by customer
SELECT
  customer_id,
  -- Contract 1.0.0 had amounts whose sum overflows: each has a row of its own, which names its event.
  CASE WHEN amount < 1000000000000000 THEN currency ELSE concat(currency, ' (event_id ', event_id, ')') END AS currency,
  count(*) AS large_orders,
  sum(amount) AS total,
  max(amount) AS largest,
  max(received_at) AS newest_utc
FROM events
WHERE type = 'order' AND large_order
GROUP BY 1, 2
ORDER BY large_orders DESC, total DESC, customer_id, currency
LIMIT 50
