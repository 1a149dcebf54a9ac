-- Generated from lambda_src/storage/columns.json by make docs. Do not edit.
-- A line can be archived twice, always in the same partition. Copies are searched within a partition, so that
-- an engine can skip the other partitions.
-- The archiver writes the columns compactly, before the body if there is one. Decimals are cut out as text,
-- because a JSON reader would round them. A value that is not of its type is NULL, so that no line ends a
-- query.
SELECT
  message_id, event_id, received_at, recorded_at, content_hash, stored_content_hash, dt, hour
FROM (
  SELECT *, row_number() OVER (PARTITION BY dt, hour, message_id ORDER BY recorded_at) AS copy
  FROM (
    SELECT
      json_extract_scalar(head, '$.message_id') AS message_id,
      json_extract_scalar(head, '$.event_id') AS event_id,
      TRY(cast(from_iso8601_timestamp(json_extract_scalar(head, '$.received_at')) AT TIME ZONE 'UTC' AS timestamp(3))) AS received_at,
      TRY(cast(from_iso8601_timestamp(json_extract_scalar(head, '$.recorded_at')) AT TIME ZONE 'UTC' AS timestamp(3))) AS recorded_at,
      json_extract_scalar(head, '$.content_hash') AS content_hash,
      json_extract_scalar(head, '$.stored_content_hash') AS stored_content_hash,
      dt, hour
    FROM (
      SELECT
        line AS head,
        line, dt, hour
      FROM duplicates_lines
    )
  )
)
WHERE copy = 1 AND message_id IS NOT NULL
