-- Athena's functions under Athena's names. Like Athena's, they do not fail on text that is not JSON.
SET TimeZone = 'UTC';
CREATE MACRO json_extract_scalar(document, path) AS TRY(json_extract_string(document, path));
CREATE MACRO json_format(document) AS cast(document AS VARCHAR);
CREATE MACRO from_iso8601_timestamp(text) AS cast(text AS TIMESTAMPTZ);
