-- How much of the catalogue does the campaign show, and how far does it favour what is popular anyway? Beside each figure
-- of the campaign's lists (the first ten for every user) stands that of the users' own events. Popular is what most
-- users had; the Gini coefficient is 0 where all items have the same share and 1 where one has everything.
WITH
places AS MATERIALIZED (
  SELECT item_id, count(*) AS lists
    FROM batch_recommend(10, (SELECT version FROM personalize_campaigns WHERE name = 'home')) GROUP BY item_id),
taken AS MATERIALIZED (
  SELECT item_id, count(*) AS events, count(DISTINCT user_id) AS users FROM shop_events GROUP BY item_id),
catalogue AS MATERIALIZED (
  SELECT item_id, ifnull(p.lists, 0) AS lists, ifnull(t.events, 0) AS events,
         row_number() OVER (ORDER BY ifnull(t.users, 0) DESC, item_id) AS popularity, count(*) OVER () AS items
    FROM (SELECT item_id FROM shop_items UNION SELECT item_id FROM shop_events)
    LEFT JOIN places p USING (item_id) LEFT JOIN taken t USING (item_id)),
ordered AS (
  SELECT *, row_number() OVER (ORDER BY lists, item_id) AS by_lists, row_number() OVER (ORDER BY events, item_id) AS by_events
    FROM catalogue)
SELECT 'items of the catalogue, percent' AS figure,
       round(100.0 * sum(lists > 0) / max(items), 1) AS lists, round(100.0 * sum(events > 0) / max(items), 1) AS events FROM catalogue
UNION ALL
SELECT 'places of the most popular 1 % of items, percent',
       round(100.0 * sum(lists) FILTER (WHERE popularity <= 0.01 * items) / sum(lists), 1),
       round(100.0 * sum(events) FILTER (WHERE popularity <= 0.01 * items) / sum(events), 1) FROM catalogue
UNION ALL
SELECT 'places of the most popular 10 % of items, percent',
       round(100.0 * sum(lists) FILTER (WHERE popularity <= 0.1 * items) / sum(lists), 1),
       round(100.0 * sum(events) FILTER (WHERE popularity <= 0.1 * items) / sum(events), 1) FROM catalogue
UNION ALL
SELECT 'mean popularity rank of a place',
       round(1.0 * sum(popularity * lists) / sum(lists), 1), round(1.0 * sum(popularity * events) / sum(events), 1) FROM catalogue
UNION ALL
SELECT 'Gini coefficient',
       round(2.0 * sum(by_lists * lists) / (max(items) * sum(lists)) - (max(items) + 1.0) / max(items), 3),
       round(2.0 * sum(by_events * events) / (max(items) * sum(events)) - (max(items) + 1.0) / max(items), 3) FROM ordered;
