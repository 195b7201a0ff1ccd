-- perform_hpo and perform_automl: what they try, keep and refuse.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
INSERT INTO interactions(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1199)
  SELECT i % 60, (i / 60 * 3 + i % 60 % 4 * 10) % 40, 1700000000 + i * 60 FROM n;
-- what is wrong is said when the solution is declared
INSERT INTO personalize_solutions(name, recipe, perform_hpo) VALUES ('x', 'sims', 2);
INSERT INTO personalize_solutions(name, recipe, perform_hpo) VALUES ('x', 'popularity-count', 1);
INSERT INTO personalize_solutions(name, recipe, perform_automl) VALUES ('x', 'sims', 1);
INSERT INTO personalize_solutions(name, recipe, perform_hpo, hpo_config) VALUES ('x', 'sims', 1, '[]');
INSERT INTO personalize_solutions(name, recipe, perform_hpo, hpo_config) VALUES ('x', 'sims', 1,
  '{"hpoResourceConfig": {"maxNumberOfTrainingJobs": "10000", "maxParallelTrainingJobs": "1"}}');
INSERT INTO personalize_solutions(name, recipe, perform_hpo, hpo_config) VALUES ('x', 'sims', 1,
  '{"algorithmHyperParameterRanges": {"integerHyperParameterRanges": [{"name": "window", "minValue": 1, "maxValue": 2}]}}');
INSERT INTO personalize_solutions(name, recipe, perform_hpo, hpo_config) VALUES ('x', 'sims', 1,
  '{"algorithmHyperParameterRanges": {"integerHyperParameterRanges": [{"name": "min_cointeraction_count", "minValue": 5, "maxValue": 20}]}}');
INSERT INTO personalize_solutions(name, recipe, perform_hpo, hpo_config) VALUES ('x', 'sims', 1,
  '{"algorithmHyperParameterRanges": {"integerHyperParameterRanges": [{"name": "min_cointeraction_count", "minValue": 5, "maxValue": 4}]}}');
INSERT INTO personalize_solutions(name, recipe, perform_hpo, hpo_config) VALUES ('x', 'sims', 1,
  '{"hpoObjective": {"metricName": "accuracy", "type": "Maximize"}}');
INSERT INTO personalize_solutions(name, recipe, perform_hpo, hpo_config) VALUES ('x', 'sims', 1,
  '{"hpoObjectives": {}}');
SELECT count(*) FROM personalize_solutions;
-- without perform_hpo the config is kept, and read when it is wanted
INSERT INTO personalize_solutions(name, recipe, hpo_config) VALUES ('near', 'sims', '{"a": 1}');
UPDATE personalize_solutions SET perform_hpo = 1 WHERE name = 'near';
UPDATE personalize_solutions SET perform_hpo = 1, hpo_config = '{
  "algorithmHyperParameterRanges": {
    "integerHyperParameterRanges": [{"name": "min_cointeraction_count", "minValue": 0, "maxValue": 5}],
    "continuousHyperParameterRanges": [{"name": "popularity_discount_factor", "minValue": 0, "maxValue": 1}]},
  "hpoResourceConfig": {"maxNumberOfTrainingJobs": "5", "maxParallelTrainingJobs": "2"},
  "hpoObjective": {"metricName": "mean_reciprocal_rank_at_25", "type": "Maximize"}}' WHERE name = 'near';
SELECT fits FROM personalize_estimate('near');
SELECT personalize_train('near');
SELECT message ->> 'trial', message ->> 'recipe', message ->> 'rung', message ->> 'rungs', message ->> 'metric',
       (SELECT count(*) FROM json_each(message -> 'hyperparameters')), message ->> 'seconds' >= 0
  FROM personalize_training_log WHERE version = 'near/1' AND stage = 'trial' ORDER BY sequence;
-- the first is the defaults, and nothing is worse
SELECT message -> 'hyperparameters' FROM personalize_training_log WHERE version = 'near/1' AND stage = 'trial' LIMIT 1;
SELECT count(*) FROM personalize_training_log WHERE version = 'near/1' AND stage = 'search' AND message LIKE 'best of 5 trials: trial _, sims, %';
SELECT name, tunable, tuned FROM personalize_hyperparameters WHERE version = 'near/1' AND tuned <= tunable ORDER BY name;
-- what is shown with the version is what the best trial had
SELECT count(DISTINCT h.value = (t.message -> 'hyperparameters' ->> h.name)), min(h.value = (t.message -> 'hyperparameters' ->> h.name))
  FROM personalize_hyperparameters h,
       (SELECT message FROM personalize_training_log WHERE version = 'near/1' AND stage = 'trial'
         ORDER BY message ->> 'value' DESC, message ->> 'trial' LIMIT 1) t
  WHERE h.version = 'near/1' AND h.tunable;
-- UPDATE does not search
SELECT personalize_train('near', '{"training_mode": "UPDATE"}');
SELECT count(*) FROM personalize_training_log WHERE version = 'near/2' AND stage = 'trial';
-- AutoML: the recipe is left out, the version says which one won
INSERT INTO personalize_solutions(name, perform_automl, hpo_config)
  VALUES ('best', 1, '{"autoMLConfig": {"metricName": "precision_at_5", "recipeList": ["aws-popularity-count", "markov"]}}');
INSERT INTO personalize_solutions(name, perform_automl, hpo_config) VALUES ('y', 1, '{"autoMLConfig": {"recipeList": ["sims"]}}');
SELECT recipe IS NULL FROM personalize_solutions WHERE name = 'best';
SELECT personalize_train('best');
SELECT version, recipe, status FROM personalize_versions WHERE solution = 'best';
SELECT message ->> 'recipe' FROM personalize_training_log WHERE version = 'best/1' AND stage = 'trial' ORDER BY sequence;
-- a campaign of it answers as any other
INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'best/latest');
SELECT count(*) FROM recommend('7', 3);
-- all of it: the usual recipes, then the hyperparameters of the best
INSERT INTO personalize_solutions(name, recipe, perform_automl, perform_hpo, hyperparameters, hpo_config) VALUES ('all', '', 1, 1,
  '{"epochs": 1, "hidden_dimension": 32, "embedding_dimension": 16}', '{"hpo_resource_config": {"max_number_of_training_jobs": 2}}');
SELECT personalize_train('all', '{"evaluation": "none"}');
SELECT status, recipe IN ('markov', 'hrnn', 'hrnn-metadata', 'hrnn-coldstart') FROM personalize_versions WHERE solution = 'all';
SELECT count(*) >= 3 FROM personalize_training_log WHERE version = 'all/1' AND stage = 'trial';
SELECT * FROM personalize_check;
