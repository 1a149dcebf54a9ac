-- Funnel of activity actions: how many customers got how far
SELECT
  action,
  events,
  customers,
  round(100.0 * customers / max(customers) OVER (), 1) AS percent_of_widest
FROM (
  SELECT
    json_extract_scalar(event, '$.action') AS action,
    count(*) AS events,
    count(DISTINCT customer_id) AS customers
  FROM events
  WHERE type = 'activity'
  GROUP BY 1
)
ORDER BY
  CASE action
    WHEN 'page_view' THEN 1
    WHEN 'search' THEN 2
    WHEN 'product_view' THEN 3
    WHEN 'add_to_cart' THEN 4
    WHEN 'begin_checkout' THEN 5
    ELSE 6
  END,
  customers DESC,
  action
