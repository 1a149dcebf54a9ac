-- Revenue per currency and hour in which the order occurred
SELECT
  -- A time that cannot be read, or is older than any shop, gives way to the time of receipt.
  date_trunc('hour', CASE WHEN occurred_at >= '1970' THEN coalesce(TRY(cast(from_iso8601_timestamp(occurred_at) AT TIME ZONE 'UTC' AS timestamp(3))), received_at) ELSE received_at END) AS hour_utc,
  -- Contract 1.0.0 had amounts whose sum overflows: each has a row of its own, which names its event.
  CASE WHEN amount < 1000000000000000 THEN currency ELSE concat(currency, ' (event_id ', event_id, ')') END AS currency,
  count(*) AS orders,
  sum(amount) AS revenue
FROM events
WHERE type = 'order'
GROUP BY 1, 2
ORDER BY 1, 2
