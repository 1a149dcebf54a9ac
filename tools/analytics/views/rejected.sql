-- Generated from lambda_src/storage/columns.json by make docs. Do not edit.
-- A line can be archived twice, always in the same partition. Copies are searched within a partition, so that
-- an engine can skip the other partitions.
-- The archiver writes the columns compactly, before the body if there is one. Decimals are cut out as text,
-- because a JSON reader would round them. A value that is not of its type is NULL, so that no line ends a
-- query.
SELECT
  message_id, event_id, event_type, received_at, rejected_at, reasons, violation_count, content_hash,
  payload_bytes, rules, body, kind, dt, hour
FROM (
  SELECT *, row_number() OVER (PARTITION BY kind, dt, hour, message_id ORDER BY rejected_at) AS copy
  FROM (
    SELECT
      json_extract_scalar(head, '$.message_id') AS message_id,
      json_extract_scalar(head, '$.event_id') AS event_id,
      json_extract_scalar(head, '$.event_type') AS event_type,
      TRY(cast(from_iso8601_timestamp(json_extract_scalar(head, '$.received_at')) AT TIME ZONE 'UTC' AS timestamp(3))) AS received_at,
      TRY(cast(from_iso8601_timestamp(json_extract_scalar(head, '$.rejected_at')) AT TIME ZONE 'UTC' AS timestamp(3))) AS rejected_at,
      TRY(json_format(json_extract(head, '$.reasons'))) AS reasons,
      TRY(cast(json_extract_scalar(head, '$.violation_count') AS bigint)) AS violation_count,
      json_extract_scalar(head, '$.content_hash') AS content_hash,
      TRY(cast(json_extract_scalar(head, '$.payload_bytes') AS bigint)) AS payload_bytes,
      array_distinct(regexp_extract_all(head, '"rule":"([^"]*)"', 1)) AS rules,
      json_extract_scalar(line, '$.body') AS body,
      kind, dt, hour
    FROM (
      SELECT
        concat(substr(line, 1, strpos(line, ',"body":') - 1), '}') AS head,
        line, kind, dt, hour
      FROM rejected_lines
    )
  )
)
WHERE copy = 1 AND message_id IS NOT NULL
