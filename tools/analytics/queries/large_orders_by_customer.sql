-- Large orders by customer
SELECT
  customer_id,
  currency,
  count(*) AS large_orders,
  -- Release 1.0.0 accepted larger amounts, whose sum can exceed the type.
  coalesce(sum(amount) FILTER (WHERE amount < 1000000000000000), 0) AS total,
  max(amount) AS largest,
  max(received_at) AS newest_utc
FROM events
WHERE type = 'order' AND large_order
GROUP BY 1, 2
ORDER BY large_orders DESC, total DESC, customer_id, currency
LIMIT 50
