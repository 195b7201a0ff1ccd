-- How good is each version, beside its baselines on the same split: popularity and a Markov chain? A row a version and
-- way of counting: seen 'included' leaves in the lists what a user had already, as Amazon does, 'excluded' takes it out.
SELECT v.version, v.recipe, m.seen,
       max(round(m.value, 4)) FILTER (WHERE m.metric = 'normalized_discounted_cumulative_gain' AND m.k = 10) AS ndcg_10,
       max(round(m.standard_error, 4)) FILTER (WHERE m.metric = 'normalized_discounted_cumulative_gain' AND m.k = 10) AS error,
       max(round(m.baseline, 4)) FILTER (WHERE m.metric = 'normalized_discounted_cumulative_gain' AND m.k = 10) AS popularity,
       max(round(m.markov, 4)) FILTER (WHERE m.metric = 'normalized_discounted_cumulative_gain' AND m.k = 10) AS markov,
       max(round(m.value, 4)) FILTER (WHERE m.metric = 'precision' AND m.k = 10) AS precision_10,
       max(round(m.value, 4)) FILTER (WHERE m.metric = 'mean_reciprocal_rank') AS mrr_25,
       max(round(m.value, 3)) FILTER (WHERE m.metric = 'coverage') AS coverage,
       round(v.training_seconds, 1) AS seconds
  FROM personalize_versions v JOIN personalize_metrics m ON m.version = v.version
 WHERE v.status = 'ACTIVE'
 GROUP BY v.version, m.seen
 ORDER BY m.seen DESC, ndcg_10 DESC, v.version;
