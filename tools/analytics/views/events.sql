-- Generated from lambda_src/storage/columns.json by make docs. Do not edit.
-- A line can be archived twice, always in the same partition. Copies are searched within a partition, so that
-- an engine can skip the other partitions.
-- The archiver writes the columns compactly, before the body if there is one. Decimals are cut out as text,
-- because a JSON reader would round them. A value that is not of its type is NULL, so that no line ends a
-- query.
SELECT
  event_id, event_type, customer_id, occurred_at, received_at, processed_at, ingest_latency_ms, amount,
  currency, large_order, item_count, payload_bytes, content_hash, schema_version, message_id, replayed, event,
  type, dt, hour
FROM (
  SELECT *, row_number() OVER (PARTITION BY type, dt, hour, event_id ORDER BY processed_at) AS copy
  FROM (
    SELECT
      json_extract_scalar(head, '$.event_id') AS event_id,
      json_extract_scalar(head, '$.event_type') AS event_type,
      json_extract_scalar(head, '$.customer_id') AS customer_id,
      json_extract_scalar(head, '$.occurred_at') AS occurred_at,
      TRY(cast(from_iso8601_timestamp(json_extract_scalar(head, '$.received_at')) AT TIME ZONE 'UTC' AS timestamp(3))) AS received_at,
      TRY(cast(from_iso8601_timestamp(json_extract_scalar(head, '$.processed_at')) AT TIME ZONE 'UTC' AS timestamp(3))) AS processed_at,
      TRY(cast(json_extract_scalar(head, '$.ingest_latency_ms') AS bigint)) AS ingest_latency_ms,
      TRY(cast(nullif(regexp_extract(head, '"amount":(-?[0-9.]+)', 1), '') AS decimal(38,4))) AS amount,
      json_extract_scalar(head, '$.currency') AS currency,
      TRY(cast(json_extract_scalar(head, '$.large_order') AS boolean)) AS large_order,
      TRY(cast(json_extract_scalar(head, '$.item_count') AS bigint)) AS item_count,
      TRY(cast(json_extract_scalar(head, '$.payload_bytes') AS bigint)) AS payload_bytes,
      json_extract_scalar(head, '$.content_hash') AS content_hash,
      json_extract_scalar(head, '$.schema_version') AS schema_version,
      json_extract_scalar(head, '$.message_id') AS message_id,
      coalesce(TRY(cast(json_extract_scalar(head, '$.replayed') AS boolean)), false) AS replayed,
      substr(line, strpos(line, ',"event":') + 9, length(line) - strpos(line, ',"event":') - 9) AS event,
      type, dt, hour
    FROM (
      SELECT
        concat(substr(line, 1, strpos(line, ',"event":') - 1), '}') AS head,
        line, type, dt, hour
      FROM events_lines
    )
  )
)
WHERE copy = 1 AND event_id IS NOT NULL
