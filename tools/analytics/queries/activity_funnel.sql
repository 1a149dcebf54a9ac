-- Funnel: how many sessions got how far, from the first page to an order
SELECT
  step,
  events,
  sessions,
  round(100.0 * sessions / max(sessions) OVER (), 1) AS percent_of_widest
FROM (
  SELECT
    -- An order ends the session that it names.
    CASE type WHEN 'order' THEN 'order' ELSE json_extract_scalar(event, '$.action') END AS step,
    count(*) AS events,
    count(DISTINCT json_extract_scalar(event, '$.session_id')) AS sessions
  FROM events
  WHERE type = 'activity' OR (type = 'order' AND json_extract_scalar(event, '$.session_id') IS NOT NULL)
  GROUP BY 1
)
ORDER BY
  CASE step
    WHEN 'page_view' THEN 1
    WHEN 'search' THEN 2
    WHEN 'product_view' THEN 3
    WHEN 'add_to_cart' THEN 4
    WHEN 'begin_checkout' THEN 5
    WHEN 'order' THEN 6
    ELSE 7
  END,
  sessions DESC,
  step
