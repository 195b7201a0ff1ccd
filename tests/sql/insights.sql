-- What the data say about themselves, before anything learns from them.
SELECT * FROM personalize_insights;
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE items USING personalize_items(GENRE string categorical, PRICE float);
SELECT severity, insight, subject, figure, advice FROM personalize_insights;

-- Nothing to say about good data.
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2999)
INSERT INTO interactions(user_id, item_id, event_value, timestamp)
  SELECT 'u' || (i % 60), 'i' || (i * 7919 % 83), 1 + i % 5, 1600000000 + i * 60 FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 82)
INSERT INTO items SELECT 'i' || i, 'g' || (i % 4), i * 0.5 FROM n;
SELECT count(*) FROM personalize_insights('default');

-- And what is wrong, the worst first.
BEGIN;
INSERT INTO interactions(user_id, item_id, event_value, timestamp) VALUES ('u1', 'i1', 1, 4000000000), ('u2', 'i1', 100000, 1600000000);
INSERT INTO interactions(user_id, item_id, event_value, timestamp)
  SELECT user_id, item_id, event_value, timestamp FROM interactions WHERE user_id IN ('u5', 'u6');
UPDATE items SET price = NULL WHERE item_id <> 'i3';
DELETE FROM items WHERE item_id < 'i3';
SELECT severity, insight, subject, round(figure, 3) FROM personalize_insights;
SELECT substr(advice, 1, 60) FROM personalize_insights WHERE insight = 'timestamps_in_the_future';
ROLLBACK;
SELECT count(*) FROM personalize_insights;

-- Joined, and asked wrongly.
SELECT g.name, i.insight FROM personalize_dataset_groups g, personalize_insights(g.name) i;
SELECT count(*) FROM personalize_insights(NULL);
SELECT * FROM personalize_insights('movies');
INSERT INTO personalize_insights(advice) VALUES ('buy');
.print --- a training looks in the same way, and writes it into its log
CREATE VIRTUAL TABLE tiny USING personalize_interactions(group='tiny');
CREATE VIRTUAL TABLE tiny_items USING personalize_items(group='tiny', price float);
INSERT INTO tiny(user_id, item_id, event_type, timestamp) VALUES ('u', 'a', 'view', 1), ('v', 'a', 'view', 1700000000), ('v', 'b', 'view', 3);
INSERT INTO tiny_items(item_id, price) VALUES ('a', NULL);
INSERT INTO personalize_solutions(name, recipe, dataset_group) VALUES ('top', 'popularity-count', 'tiny'), ('deep', 'hrnn-metadata', 'tiny');
SELECT personalize_train(name, '{"evaluation":"none"}') FROM personalize_solutions WHERE dataset_group = 'tiny' ORDER BY name DESC;
SELECT message FROM personalize_training_log WHERE version = 'top/1' AND message GLOB '[ewn]*: *' ORDER BY sequence;
SELECT severity || ': ' || advice FROM personalize_insights('tiny') EXCEPT SELECT message FROM personalize_training_log WHERE version = 'deep/1';
