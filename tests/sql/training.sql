-- personalize_train and the tables that show what it made.
SELECT personalize_train('movies');
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
SELECT personalize_train('movies');
INSERT INTO personalize_solutions(name, recipe) VALUES ('movies', 'markov'), ('near', 'sims');
SELECT * FROM personalize_versions;
SELECT kind, state, substr(detail, 1, 43) FROM personalize_status;
SELECT personalize_train('movies');
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('ann', 'film', 1700000000);
SELECT count(*) FROM personalize_versions WHERE status = 'CREATE FAILED';
SELECT failure_reason FROM personalize_versions;
DELETE FROM personalize_versions;
INSERT INTO interactions(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1199)
  SELECT i % 60, (i * 7 + i / 60) % 29, 1700000000 + i FROM n;
-- options
SELECT personalize_train('movis');
SELECT personalize_train(NULL);
SELECT personalize_train('movies', 'fast');
SELECT personalize_train('movies', '{"sed": 1}');
SELECT personalize_train('movies', '{"evaluation": "some"}');
SELECT personalize_train('movies', '{"seeds": 21}');
SELECT personalize_train('movies', '{"training_mode": "LATER"}');
-- inside a transaction it learns from what is not committed; ROLLBACK does not take the version back
BEGIN;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('bob', 'new film', 1700000001);
SELECT personalize_train('near') AS version;
ROLLBACK;
SELECT version, status, users, items, events FROM personalize_versions WHERE version LIKE 'near/%';
SELECT personalize_train('near') IS NOT NULL;
SELECT users, items, events FROM personalize_versions WHERE solution = 'near' AND status = 'ACTIVE' ORDER BY number DESC LIMIT 1;
-- one version after the other by one statement
SELECT count(personalize_train(name)) FROM personalize_solutions;
-- all five metrics at their places, seen items in and out
SELECT metric, k, seen FROM personalize_metrics WHERE version = 'near/1' ORDER BY seen DESC, metric, k;
SELECT count(*) FROM personalize_metrics WHERE baseline IS NULL OR markov IS NULL OR value NOT BETWEEN 0 AND 1;
SELECT stage FROM personalize_training_log WHERE version = 'near/1' ORDER BY sequence;
SELECT name, value, default_value, minimum, maximum, tunable FROM personalize_hyperparameters WHERE version = 'near/1';
SELECT name, type FROM personalize_recipes;
-- a version that is none has no rows; a constraint that is no look-up filters
SELECT count(*) FROM personalize_metrics WHERE version = 'near' OR version = 'near/99';
SELECT count(*) FROM personalize_versions WHERE version IN ('near/1', 'near/2', 'near/1');
SELECT count(*) FROM personalize_versions v JOIN personalize_metrics m USING (version) WHERE v.version = 'near/1' AND m.metric = 'precision';
SELECT count(*) FROM personalize_versions WHERE schema = 'main' AND solution = 'near';
SELECT count(*) FROM personalize_versions WHERE schema = 'other';
-- UPDATE goes on from the newest ACTIVE version; a recipe that counts is trained anew
SELECT count(*) FROM personalize_versions WHERE training_mode <> 'FULL';
SELECT personalize_train('near', '{"training_mode": "UPDATE"}') IS NOT NULL;
SELECT message FROM personalize_training_log WHERE stage = 'note' AND message LIKE '%UPDATE%';
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('deep', 'hrnn', '{"hidden_dimension": 32, "embedding_dimension": 16, "epochs": 1}');
SELECT personalize_train('deep', '{"training_mode": "UPDATE"}');
SELECT personalize_train('deep');
INSERT INTO interactions(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 119)
  SELECT i % 40, CASE WHEN i % 3 = 1 THEN 'brand new' ELSE i % 29 END, 1700010000 + i FROM n;
SELECT personalize_train('deep', '{"training_mode": "UPDATE", "evaluation": "leave-one-out"}');
SELECT version, training_mode, status, users, items, events FROM personalize_versions WHERE solution = 'deep' ORDER BY number;
SELECT message FROM personalize_training_log WHERE version = 'deep/2' AND stage = 'note';
SELECT count(*) > 0 FROM personalize_metrics WHERE version = 'deep/2';
SELECT count(*) FROM personalize_recommend('1', 500) WHERE version = 'deep/2' AND item_id = 'brand new';
SELECT name, value FROM personalize_hyperparameters WHERE version = 'deep/2' AND name IN ('epochs', 'learning_rate') ORDER BY name;
-- not from views and triggers
CREATE VIEW trained AS SELECT personalize_train('near');
SELECT * FROM trained;
-- read-only tables
DELETE FROM personalize_metrics;
UPDATE personalize_versions SET status = 'ACTIVE';
INSERT INTO personalize_versions(version) VALUES ('near/9');
SELECT * FROM personalize_check;
