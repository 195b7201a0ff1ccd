-- Exploration: new items have a share of each list, exact on average. 40 items have events, 30 have
-- none, of which two are old.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE items USING personalize_items(COLOUR string categorical, CREATION_TIMESTAMP long);
INSERT INTO items(item_id, colour, creation_timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 69)
  SELECT CASE WHEN i < 40 THEN 'i' ELSE 'new' END || i, CASE i % 2 WHEN 0 THEN 'red' ELSE 'blue' END,
    CASE WHEN i < 40 OR i > 67 THEN 1600000000 ELSE 1700150000 END FROM n;
INSERT INTO interactions(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2399)
  SELECT 'u' || (i % 80), 'i' || (i % 2 + 2 * ((i * 104729 / 7) % 20)), 1700000000 + i * 60 FROM n;
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES
  ('shop', 'user-personalization', '{"hidden_dimension": 32, "embedding_dimension": 16, "epochs": 10}');
SELECT personalize_train('shop', '{"evaluation": "none", "seed": 1}');
INSERT INTO personalize_campaigns(name, version, config) VALUES
  ('none', 'shop/latest', '{"exploration_weight": 0}'), ('all', 'shop/latest', '{"exploration_weight": 1}'),
  ('usual', 'shop/latest', NULL), ('old', 'shop/latest', '{"exploration_weight": 1, "exploration_item_age_cut_off": 10000}');
CREATE TABLE users AS SELECT DISTINCT user_id FROM interactions;
.print --- 80 lists of ten: 3 places each at weight 1, 0.9 at 0.3, none at 0; a list is as long as before
CREATE TABLE lists AS SELECT u.user_id, c.name, r.rank, r.item_id, r.score, r.reason FROM personalize_campaigns c, users u, recommend(u.user_id, 10, c.name) r;
SELECT name, count(*), count(DISTINCT user_id || '/' || item_id), count(reason), min(reason), max(reason) FROM lists GROUP BY name;
SELECT min(rank) FROM lists WHERE reason = 'Exploration';
SELECT name, sum(item_id IN ('new68', 'new69')) > 0 FROM lists WHERE reason IS NOT NULL GROUP BY name;
SELECT count(*) FROM lists WHERE reason IS NOT NULL AND item_id NOT GLOB 'new*';
.print --- many new items are shown
SELECT count(DISTINCT item_id) > 20 FROM lists WHERE name = 'all' AND reason IS NOT NULL;
.print --- the same snapshot gives the same list; LIMIT shows its beginning; rank orders it
SELECT count(*) FROM lists l, users u, recommend(u.user_id, 10, 'all') r
  WHERE l.name = 'all' AND l.user_id = u.user_id AND l.rank = r.rank AND l.item_id = r.item_id AND l.reason IS r.reason;
SELECT group_concat(item_id) = (SELECT group_concat(item_id) FROM (SELECT item_id FROM lists WHERE name = 'all' AND user_id = 'u5' ORDER BY rank LIMIT 8))
  FROM (SELECT item_id FROM recommend('u5', 10, 'all') LIMIT 8);
SELECT count(*) FROM (SELECT score, lag(score) OVER (ORDER BY rank) AS before FROM recommend('u5', 10, 'none')) WHERE score > before;
SELECT count(*) FROM (SELECT score, lag(score) OVER () AS before FROM (SELECT score FROM recommend('u5', 10, 'all') ORDER BY score DESC)) WHERE score > before;
.print --- the next event draws another
BEGIN;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u5', 'i5', 1800000000);
SELECT group_concat(rank || item_id) = (SELECT group_concat(rank || item_id) FROM (SELECT rank, item_id FROM lists WHERE name = 'all' AND user_id = 'u5' AND reason IS NOT NULL ORDER BY rank))
  FROM recommend('u5', 10, 'all') WHERE reason IS NOT NULL;
ROLLBACK;
SELECT group_concat(rank || item_id) = (SELECT group_concat(rank || item_id) FROM (SELECT rank, item_id FROM lists WHERE name = 'all' AND user_id = 'u5' AND reason IS NOT NULL ORDER BY rank))
  FROM recommend('u5', 10, 'all') WHERE reason IS NOT NULL;
.print --- sets bind new items, too
SELECT count(*) FROM recommend('u5', 10, 'all') WHERE reason IS NOT NULL AND excluding IN (SELECT item_id FROM items WHERE item_id GLOB 'new*');
SELECT count(*) FROM recommend('u5', 10, 'all') WHERE reason = 'Exploration' AND among IN (SELECT item_id FROM items WHERE item_id GLOB 'i*' UNION SELECT 'new41');
.print --- users without events, whose other items are popular ones
SELECT reason, count(*) FROM recommend('stranger', 10, 'all') GROUP BY 1;
.print --- versions and batches take the default weight
SELECT count(DISTINCT user_id), count(*), sum(item_id GLOB 'new*') BETWEEN 50 AND 79 FROM batch_recommend(10, 'shop/1'); -- 72 but for the coins
.print --- a list has an id where a statement reads it, and an event that names it had that impression
CREATE TABLE given AS SELECT rank, item_id, recommendation_id FROM recommend('u5', 10, 'all');
SELECT count(*), count(DISTINCT recommendation_id), length(min(recommendation_id)) FROM given;
SELECT count(DISTINCT recommendation_id) FROM (SELECT recommendation_id FROM given UNION SELECT recommendation_id FROM recommend('u5', 10, 'all'));
INSERT INTO interactions(user_id, item_id, timestamp, recommendation_id) SELECT 'watcher', item_id, 1700000000, recommendation_id FROM given WHERE rank = 1;
SELECT impression = (SELECT group_concat(item_id, '|') FROM given) FROM interactions WHERE user_id = 'watcher';
.print --- what was shown 200 times is no longer new
INSERT INTO interactions(user_id, item_id, timestamp, impression)
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
  SELECT 'watcher', 'i1', 1700000000, (SELECT group_concat(item_id, '|') FROM items WHERE item_id GLOB 'new*' AND item_id <> 'new41') FROM n;
SELECT group_concat(DISTINCT r.item_id) FROM users u, recommend(u.user_id, 10, 'all') r WHERE r.reason = 'Exploration';
