-- personalize_estimate, and the setting max_training_memory that training keeps to.
SELECT * FROM personalize_estimate('movies');
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
INSERT INTO personalize_solutions(name, recipe) VALUES
  ('chain', 'markov'), ('movies', 'hrnn'), ('near', 'sims'), ('ranked', 'personalized-ranking'), ('top', 'popularity-count');
INSERT INTO personalize_solutions(name, recipe, event_type) VALUES ('bought', 'markov', 'BUY');
-- nothing to learn from is an answer too
SELECT events, users, items, bytes > 0, seconds >= 0 FROM personalize_estimate('movies');
INSERT INTO interactions(user_id, item_id, timestamp, event_type)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1199)
  SELECT i % 60, (i * 7 + i / 60) % 29, 1700000000 + i, iif(i % 60 < 10 AND (i * 7 + i / 60) % 29 < 5, 'Buy', 'view') FROM n;
SELECT events, users, items FROM personalize_estimate('movies');
-- what the filter of the solution lets pass
SELECT count(*), count(DISTINCT user_id), count(DISTINCT item_id) FROM interactions WHERE event_type = 'Buy';
SELECT events, users, items FROM personalize_estimate('bought');
-- a row of every solution, in a join and in a view
CREATE VIEW costs AS SELECT s.name, e.* FROM personalize_solutions s, personalize_estimate(s.name) e;
SELECT name, events, bytes > 1000000, seconds > 0, max_training_memory > bytes FROM costs ORDER BY name;
-- options are those of personalize_train
SELECT a.seconds > b.seconds FROM personalize_estimate('movies', '{"seeds": 5}') a, personalize_estimate('movies', '{"evaluation": "none"}') b;
SELECT count(*) FROM personalize_estimate WHERE solution = 'movies' AND options = '{"threads": 1}';
SELECT count(*) FROM personalize_estimate('movies', NULL);
SELECT count(*) FROM personalize_estimate(NULL);
SELECT * FROM personalize_estimate('movies', '{"sed": 1}');
SELECT * FROM personalize_estimate('movis');
SELECT * FROM personalize_estimate;
-- the setting
INSERT INTO personalize_settings VALUES ('max_training_memory', '0.5 MiB');
SELECT max_training_memory FROM personalize_estimate('movies');
INSERT OR REPLACE INTO personalize_settings VALUES ('max_training_memory', 4e9);
SELECT max_training_memory FROM personalize_estimate('movies');
SELECT personalize_train('near');
INSERT OR REPLACE INTO personalize_settings VALUES ('max_training_memory', 'lots');
INSERT OR REPLACE INTO personalize_settings VALUES ('max_training_memory', '4 PB');
INSERT OR REPLACE INTO personalize_settings VALUES ('max_training_memory', 0);
INSERT OR REPLACE INTO personalize_settings VALUES ('max_training_memory', -1);
INSERT OR REPLACE INTO personalize_settings VALUES ('max_training_memory', NULL);
SELECT max_training_memory > 100000000 FROM personalize_estimate('movies');
