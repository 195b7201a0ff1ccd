-- trending-now: what grows, for everybody; it answers recommend() where nothing personal does.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
-- eight windows of three hours: ten items that 20 users have in each, and one that 60 have in the last
INSERT INTO interactions(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1599)
  SELECT 'u' || (i % 97), 'item ' || (i / 20 % 10), 1700000000 + i / 200 * 10800 + i % 20 * 500 FROM n;
INSERT INTO interactions(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
  SELECT 'u' || (i % 97), 'rising', 1700000000 + min(i / 20, 7) * 10800 + i % 20 * 500 FROM n;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u1', 'had once', 1700085000);
SELECT name, type FROM personalize_recipes WHERE name = 'trending-now';
SELECT name, default_value, choices, tunable FROM personalize_recipe_hyperparameters WHERE recipe = 'trending-now';
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('x', 'aws-trending-now', '{"trend_discovery_frequency": "2 hours"}');
INSERT INTO personalize_solutions(name, recipe) VALUES ('chain', 'markov'), ('now', 'aws-trending-now');
SELECT personalize_train('chain');
SELECT personalize_train('now');
SELECT item_id, round(score, 2) FROM recommend('u1', 1) WHERE version = 'now/1';
SELECT item_id FROM recommend('a stranger', 1) WHERE version = 'now/1';
SELECT item_id FROM recommend('u1', 12) WHERE version = 'now/1' AND rank = 12;
SELECT rank, item_id FROM rank('u1', json_array('item 3', 'nothing', 'rising')) WHERE version = 'now/1';
-- who names neither campaign nor version is answered by the personal model, though the other is newer
SELECT count(*) FROM (SELECT item_id, score FROM recommend('u1', 5) EXCEPT SELECT item_id, score FROM recommend('u1', 5) WHERE version = 'chain/1');
DELETE FROM personalize_versions WHERE version = 'chain/1';
SELECT item_id FROM recommend('u1', 1);
SELECT count(*) > 0 FROM personalize_metrics WHERE version = 'now/1';
SELECT * FROM personalize_check;
