-- What personalize_campaigns takes, and what it says of the rest; what may be deleted when.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'movies/latest');
INSERT INTO personalize_solutions(name, recipe) VALUES ('movies', 'markov');
INSERT INTO personalize_campaigns(name, version, min_provisioned_tps, max_tps) VALUES ('home', 'movies/latest', 10, 500);
INSERT INTO personalize_campaigns(name, version, on_throttle, config) VALUES ('mail', 'movies/latest', 'wait', '{"burst_seconds": 0.5}');
SELECT * FROM personalize_campaigns;
INSERT INTO personalize_campaigns(name, version) VALUES ('home page', 'movies/latest');
INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'movies/latest');
-- versions
INSERT INTO personalize_campaigns(name, version) VALUES ('x', 'movies');
INSERT INTO personalize_campaigns(name, version) VALUES ('x', 'movies/0');
INSERT INTO personalize_campaigns(name, version) VALUES ('x', 'movies/01');
INSERT INTO personalize_campaigns(name, version) VALUES ('x', 'movies/newest');
INSERT INTO personalize_campaigns(name, version) VALUES ('x', 'movis/latest');
INSERT INTO personalize_campaigns(name, version) VALUES ('x', 'movies/1');
-- capacity
INSERT INTO personalize_campaigns(name, version, min_provisioned_tps) VALUES ('x', 'movies/latest', 0);
INSERT INTO personalize_campaigns(name, version, min_provisioned_tps) VALUES ('x', 'movies/latest', 2.5);
INSERT INTO personalize_campaigns(name, version, min_provisioned_tps) VALUES ('x', 'movies/latest', 'ten');
INSERT INTO personalize_campaigns(name, version, min_provisioned_tps, max_tps) VALUES ('x', 'movies/latest', 10, 9);
INSERT INTO personalize_campaigns(name, version, on_throttle) VALUES ('x', 'movies/latest', 'drop');
INSERT INTO personalize_campaigns(name, version, config) VALUES ('x', 'movies/latest', '{"burst_seconds": 11}');
INSERT INTO personalize_campaigns(name, version, config) VALUES ('x', 'movies/latest', '{"burst": 1}');
INSERT INTO personalize_campaigns(name, version, config) VALUES ('x', 'movies/latest', 'fast');
-- with versions
INSERT INTO interactions(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1199)
  SELECT i % 60, i % 23 + i % 7, 1700000000 + i FROM n;
SELECT personalize_train('movies');
SELECT personalize_train('movies', '{"evaluation": "leave-one-out", "seed": 7}');
INSERT INTO personalize_campaigns(name, version) VALUES ('old', 'movies/1');
INSERT INTO personalize_campaigns(name, version) VALUES ('new', 'movies/3');
SELECT version, recipe, status, users, items, events, seed, evaluation FROM personalize_versions;
DELETE FROM personalize_versions WHERE version = 'movies/1';
DELETE FROM personalize_versions WHERE version = 'movies/2';
DELETE FROM personalize_solutions WHERE name = 'movies';
UPDATE personalize_campaigns SET version = 'movies/latest' WHERE name = 'old';
DELETE FROM personalize_versions WHERE version = 'movies/1';
SELECT version FROM personalize_versions;
SELECT count(*) FROM personalize_training_log WHERE version = 'movies/1';
DELETE FROM personalize_campaigns;
UPDATE personalize_solutions SET name = 'films';
DELETE FROM personalize_versions;
UPDATE personalize_solutions SET name = 'films';
-- numbers are not used twice
UPDATE personalize_solutions SET name = 'movies';
SELECT personalize_train('movies');
-- exploration
INSERT INTO personalize_campaigns(name, version, config) VALUES ('few', 'movies/latest', '{"exploration_weight": 0, "exploration_item_age_cut_off": 0.5}');
INSERT INTO personalize_campaigns(name, version, config) VALUES ('amazon', 'movies/latest',
  '{"itemExplorationConfig": {"explorationWeight": "0.3", "explorationItemAgeCutOff": "30"}}');
INSERT INTO personalize_campaigns(name, version, config) VALUES ('x', 'movies/latest', '{"exploration_weight": 1.5}');
INSERT INTO personalize_campaigns(name, version, config) VALUES ('x', 'movies/latest', '{"exploration_weight": "much"}');
INSERT INTO personalize_campaigns(name, version, config) VALUES ('x', 'movies/latest', '{"exploration_item_age_cut_off": 0}');
INSERT INTO personalize_campaigns(name, version, config) VALUES ('x', 'movies/latest', '{"itemExplorationConfig": 0.3}');
INSERT INTO personalize_campaigns(name, version, config) VALUES ('x', 'movies/latest', '{"itemExplorationConfig": {"explorationWeight": "-1"}}');
INSERT INTO personalize_campaigns(name, version, config) VALUES ('x', 'movies/latest', '{"itemExplorationConfig": {"weight": 1}}');
SELECT name FROM personalize_campaigns;
