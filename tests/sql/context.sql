-- context: what the moment of a question tells. On a phone these users take odd items, on tv even
-- ones; the model can know that from DEVICE alone.
CREATE VIRTUAL TABLE interactions USING personalize_interactions(USER_ID string, ITEM_ID string, TIMESTAMP long,
  DEVICE string categorical, HOUR int, NIGHT boolean, NOTE string);
INSERT INTO interactions(user_id, item_id, timestamp, device, hour, night)
  WITH RECURSIVE n(i, x) AS (SELECT 0, 1 UNION ALL SELECT i + 1, (x * 1103515245 + 12345) & 0x7fffffff FROM n WHERE i < 3000)
  SELECT 'u' || (i % 60), 1 + 2 * ((x >> 20) % 10) + (x >> 17) % 2, 1700000000 + i * 60,
    CASE (x >> 17) % 2 WHEN 0 THEN 'phone' ELSE 'tv' END, i % 24, i % 24 < 6 FROM n;
SELECT device, group_concat(DISTINCT item_id % 2) FROM interactions GROUP BY 1;
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES
  ('aware', 'hrnn-metadata', '{"hidden_dimension": 32, "embedding_dimension": 16, "epochs": 40, "learning_rate": 0.01}'), ('plain', 'markov', NULL);
SELECT personalize_train('aware', '{"evaluation": "none", "seed": 1}');
SELECT personalize_train('plain', '{"evaluation": "none"}');
.print --- the context decides
SELECT DISTINCT item_id % 2 FROM recommend('u1', 5) WHERE version = 'aware/1' AND context = '{"DEVICE": "phone"}';
SELECT DISTINCT item_id % 2 FROM recommend('u1', 5) WHERE version = 'aware/1' AND context = '{"device": "tv", "hour": 12}';
SELECT min(item_id % 2) FROM (SELECT item_id FROM rank('u1', '[1, 2, 3, 4, 5, 6]') WHERE version = 'aware/1' AND context = '{"DEVICE": "phone"}' LIMIT 3);
SELECT max(item_id % 2) FROM (SELECT item_id FROM rank('u1', '[1, 2, 3, 4, 5, 6]') WHERE version = 'aware/1' AND context = '{"DEVICE": "tv"}' LIMIT 3);
SELECT count(DISTINCT d.value || r.item_id) FROM json_each('["phone", "tv"]') d, recommend('u1', 5) r
  WHERE r.version = 'aware/1' AND r.context = json_object('DEVICE', d.value);
.print --- a value the model does not know, NULL and {} say nothing
CREATE TABLE answers AS SELECT 1 AS n, * FROM recommend('u1', 9) WHERE version = 'aware/1';
INSERT INTO answers SELECT 2, * FROM recommend('u1', 9) WHERE version = 'aware/1' AND context = '{}';
INSERT INTO answers SELECT 3, * FROM recommend('u1', 9) WHERE version = 'aware/1' AND context IS NULL;
INSERT INTO answers SELECT 4, * FROM recommend('u1', 9) WHERE version = 'aware/1' AND context = '{"DEVICE": "watch", "NIGHT": null}';
SELECT count(*), count(DISTINCT rank || item_id || score) FROM answers;
.print --- texts are numbers and booleans where the column is
SELECT count(*) FROM recommend('u1', 3) WHERE version = 'aware/1' AND context = '{"HOUR": "12", "NIGHT": "False"}';
SELECT count(*) FROM recommend('u1', 3) WHERE version = 'aware/1' AND context = '{"HOUR": 12.5, "NIGHT": true, "DEVICE": 7}';
.print --- what is wrong with it
SELECT * FROM recommend('u1', 3) WHERE version = 'aware/1' AND context = '{"DEVISE": "phone"}';
SELECT * FROM recommend('u1', 3) WHERE version = 'aware/1' AND context = '{"NOTE": "phone"}';
SELECT * FROM recommend('u1', 3) WHERE version = 'aware/1' AND context = '{"EVENT_TYPE": "phone"}';
SELECT * FROM recommend('u1', 3) WHERE version = 'aware/1' AND context = 'phone';
SELECT * FROM recommend('u1', 3) WHERE version = 'aware/1' AND context = '["phone"]';
SELECT * FROM recommend('u1', 3) WHERE version = 'aware/1' AND context = '';
SELECT * FROM recommend('u1', 3) WHERE version = 'aware/1' AND context = '{"DEVICE": ["phone"]}';
SELECT * FROM recommend('u1', 3) WHERE version = 'aware/1' AND context = '{"HOUR": "noon"}';
SELECT * FROM rank('u1', '[1]') WHERE version = 'aware/1' AND context = '{"NIGHT": 2}';
SELECT * FROM recommend('u1', 3) WHERE version = 'plain/1' AND context = '{"DEVICE": "phone"}';
