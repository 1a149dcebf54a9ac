-- Compares exports of the three tables, all of one time, with the archive. Each row is a finding; no row
-- means that nothing is lost and nothing is counted twice. docs/reliability.md says how to run it.
WITH exported(exported_at) AS (
  SELECT TIMESTAMP '2026-01-01 00:00:00' -- replace it by the time of the exports, in UTC
),
events_export AS (
  SELECT
    json_extract_scalar(line, '$.Item.event_id.S') AS event_id,
    json_extract_scalar(line, '$.Item.content_hash.S') AS content_hash,
    json_extract_scalar(line, '$.Item.message_id.S') AS message_id
  FROM events_export_lines
),
rejected_export AS (
  SELECT
    json_extract_scalar(line, '$.Item.message_id.S') AS message_id,
    json_extract_scalar(line, '$.Item.event_id.S') AS event_id,
    json_extract_scalar(line, '$.Item.content_hash.S') AS content_hash
  FROM rejected_export_lines
),
duplicates_export AS (
  SELECT
    json_extract_scalar(line, '$.Item.message_id.S') AS message_id,
    json_extract_scalar(line, '$.Item.event_id.S') AS event_id,
    json_extract_scalar(line, '$.Item.content_hash.S') AS content_hash,
    json_extract_scalar(line, '$.Item.stored_content_hash.S') AS stored_content_hash
  FROM duplicates_export_lines
),
messages AS (
  SELECT 'events' AS table_name, message_id, content_hash FROM events_export
  UNION ALL SELECT 'rejected' AS table_name, message_id, content_hash FROM rejected_export
  UNION ALL SELECT 'duplicates' AS table_name, message_id, content_hash FROM duplicates_export
)
SELECT 'not archived' AS finding, 'events' AS table_name, stored.event_id AS name
FROM events_export stored
LEFT JOIN events archived
  ON archived.event_id = stored.event_id AND archived.content_hash = stored.content_hash
WHERE archived.event_id IS NULL
UNION ALL
SELECT 'not archived' AS finding, 'rejected' AS table_name, stored.message_id AS name
FROM rejected_export stored
LEFT JOIN rejected archived
  ON archived.message_id = stored.message_id AND archived.content_hash = stored.content_hash
WHERE archived.message_id IS NULL
UNION ALL
SELECT 'not archived' AS finding, 'duplicates' AS table_name, stored.message_id AS name
FROM duplicates_export stored
LEFT JOIN duplicates archived
  ON archived.message_id = stored.message_id AND archived.content_hash = stored.content_hash
WHERE archived.message_id IS NULL
UNION ALL
-- Rejected events and duplicates expire, so the archive may have more of them.
SELECT 'archived and not stored', 'events', archived.event_id
FROM events archived
LEFT JOIN events_export stored
  ON stored.event_id = archived.event_id AND stored.content_hash = archived.content_hash
WHERE stored.event_id IS NULL AND archived.processed_at < (SELECT exported_at FROM exported)
UNION ALL
SELECT 'dangling', 'duplicates', duplicate.message_id
FROM duplicates_export duplicate
LEFT JOIN events_export stored
  ON stored.event_id = duplicate.event_id AND stored.content_hash = duplicate.stored_content_hash
WHERE stored.event_id IS NULL
UNION ALL
SELECT 'doubled', max(table_name), message_id
FROM messages
GROUP BY message_id, content_hash
HAVING count(*) > 1
