-- What did the campaign's users take after they were shown its list, and from which place? A list counts once an event
-- names its recommendation id (send it with views, too); what it showed is the event's IMPRESSION.
WITH
lists AS (
  SELECT recommendation_id, impression FROM shop_events
   WHERE recommendation_id IS NOT NULL AND impression IS NOT NULL GROUP BY recommendation_id),
shown AS (
  SELECT l.recommendation_id, e.key + 1 AS place, e.value AS item_id
    FROM lists l, json_each(iif(l.impression LIKE '[%', l.impression,
           '["' || replace(replace(l.impression, '"', '\"'), '|', '","') || '"]')) e),
taken AS (
  SELECT DISTINCT recommendation_id, item_id FROM shop_events WHERE recommendation_id IS NOT NULL)
SELECT iif(s.place IS NULL, 'any', s.place) AS place, count(*) AS shown, count(t.item_id) AS taken,
       round(100.0 * count(t.item_id) / count(*), 1) AS percent
  FROM shown s LEFT JOIN taken t USING (recommendation_id, item_id) GROUP BY s.place
UNION ALL
SELECT 'lists of which something was taken', count(DISTINCT s.recommendation_id), count(DISTINCT t.recommendation_id),
       round(100.0 * count(DISTINCT t.recommendation_id) / count(DISTINCT s.recommendation_id), 1)
  FROM shown s LEFT JOIN taken t USING (recommendation_id, item_id);
