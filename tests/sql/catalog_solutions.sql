-- What personalize_solutions takes, and what it says of the rest.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
INSERT INTO personalize_solutions(name, recipe) VALUES ('movies', 'markov');
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('near', 'aws-sims', '{"min_cointeraction_count": 2}');
INSERT INTO personalize_solutions(name, recipe, event_type, event_value_threshold)
  VALUES ('popular', 'arn:aws:personalize:::recipe/aws-popularity-count', 'click', 3.5);
SELECT name, dataset_group, recipe, perform_automl, perform_hpo, event_type, event_value_threshold FROM personalize_solutions;
-- names: Amazon's pattern
INSERT INTO personalize_solutions(name, recipe) VALUES ('', 'markov');
INSERT INTO personalize_solutions(name, recipe) VALUES (NULL, 'markov');
INSERT INTO personalize_solutions(name, recipe) VALUES ('-a', 'markov');
INSERT INTO personalize_solutions(name, recipe) VALUES ('two words', 'markov');
INSERT INTO personalize_solutions(name, recipe) VALUES ('a/b', 'markov');
INSERT INTO personalize_solutions(name, recipe) VALUES ('é', 'markov');
INSERT INTO personalize_solutions(name, recipe) VALUES (printf('%.64c', 'a'), 'markov');
INSERT INTO personalize_solutions(name, recipe) VALUES (printf('%.63c', 'a'), 'markov');
DELETE FROM personalize_solutions WHERE length(name) = 63;
INSERT INTO personalize_solutions(name, recipe) VALUES ('movies', 'sims');
-- hyperparameters
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('x', 'sims', '{"min_cointeraction_count": 11}');
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('x', 'sims', '{"min_cointeraction_count": "many"}');
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('x', 'sims', '{"min_cointeractions": 1}');
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('x', 'sims', 'many');
INSERT INTO personalize_solutions(name, recipe, feature_transformation) VALUES ('x', 'sims', '{"max_user_history_length_percentile": 2}');
-- the rest
INSERT INTO personalize_solutions(name, recipe, dataset_group) VALUES ('x', 'sims', 'books');
INSERT INTO personalize_solutions(name, recipe, perform_hpo) VALUES ('x', 'popularity-count', 1);
INSERT INTO personalize_solutions(name, recipe, perform_automl) VALUES ('x', 'sims', 1);
INSERT INTO personalize_solutions(name, recipe, hpo_config) VALUES ('x', 'sims', '[]');
INSERT INTO personalize_solutions(name, recipe, event_value_threshold) VALUES ('x', 'sims', 'high');
-- a refused row leaves nothing, and an UPDATE is checked as an INSERT is
UPDATE personalize_solutions SET hyperparameters = '{"a": 1}' WHERE name = 'near';
UPDATE personalize_solutions SET name = 'nearest' WHERE name = 'near';
INSERT OR REPLACE INTO personalize_solutions(name, recipe) VALUES ('popular', 'popularity-count');
INSERT INTO personalize_solutions(name, recipe) VALUES ('popular', 'sims') ON CONFLICT(name) DO UPDATE SET recipe = excluded.recipe;
SELECT name, recipe FROM personalize_solutions ORDER BY name;
-- groups
INSERT INTO personalize_dataset_groups VALUES ('books');
INSERT INTO personalize_dataset_groups VALUES ('old books');
INSERT INTO personalize_solutions(name, recipe, dataset_group) VALUES ('readers', 'sims', 'books');
DELETE FROM personalize_dataset_groups WHERE name = 'books';
UPDATE personalize_dataset_groups SET name = 'films' WHERE name = 'default';
DELETE FROM personalize_solutions WHERE name = 'readers';
DELETE FROM personalize_dataset_groups WHERE name = 'books';
-- what is not the user's to write
INSERT INTO personalize_datasets VALUES ('books', 'users', 'readers', '{}');
DELETE FROM personalize_datasets;
-- settings
INSERT INTO personalize_settings VALUES ('color', 'blue');
INSERT INTO personalize_settings VALUES ('store_path', '');
