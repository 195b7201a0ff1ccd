-- What personalize_metrics says of popularity-count, against the same figures in plain SQL.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
INSERT INTO personalize_solutions(name, recipe) VALUES ('popular', 'popularity-count');
INSERT INTO interactions(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2399)
  SELECT i % 90, (i * 7919 % 1009) * (i * 7919 % 1009) / 20000, 1700000000 + i FROM n;
SELECT personalize_train('popular', '{"evaluation": "leave-one-out"}') AS version;
SELECT personalize_train('popular', '{"evaluation": "leave-last-two-out", "seeds": 3}');
SELECT personalize_train('popular', '{"seeds": 4, "seed": 2}');
SELECT personalize_train('popular', '{"evaluation": "none", "seeds": 4}');
SELECT version, seed, seeds, evaluation FROM personalize_versions ORDER BY number;
-- one value a test user: each of the 2 lists has 10 metrics of users, and coverage
SELECT version, count(*), count(standard_error), count(seed_deviation), sum(baseline = value) FROM personalize_metrics GROUP BY version;
-- ranks of the last items, ties against the model; `back` events of each user are not learned from
CREATE TEMP TABLE placed AS SELECT user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY timestamp DESC) AS place FROM interactions;
CREATE TEMP TABLE ranked AS
  WITH counts AS (SELECT back, (SELECT count(DISTINCT user_id) FROM placed WHERE item_id = i.item_id AND place > back) AS users, item_id
                    FROM (SELECT DISTINCT item_id FROM interactions) i, (SELECT 1 AS back UNION SELECT 2))
  SELECT c.back, p.user_id, (SELECT count(*) FROM counts d WHERE d.back = c.back AND d.users >= c.users) AS rank
    FROM placed p JOIN counts c USING (item_id) WHERE p.place = 1;
CREATE TEMP TABLE measured AS
  SELECT back, 'hit_rate' AS metric, 10 AS k, rank <= 10 AS value FROM ranked
  UNION ALL SELECT back, 'precision', 25, (rank <= 25) / 25.0 FROM ranked
  UNION ALL SELECT back, 'normalized_discounted_cumulative_gain', 5, (rank <= 5) / log2(1 + rank) FROM ranked
  UNION ALL SELECT back, 'mean_reciprocal_rank', 25, (rank <= 25) * 1.0 / rank FROM ranked;
WITH plain AS (SELECT back, metric, k, avg(value) AS mean,
                      sqrt((avg(value * value) - avg(value) * avg(value)) / (count(*) - 1)) AS error FROM measured GROUP BY back, metric, k)
SELECT m.version, metric, k, round(m.value, 4) AS value, round(m.standard_error, 4) AS error, round(m.seed_deviation, 9),
       abs(m.value - mean) < 1e-9 AS value_agrees, abs(m.standard_error - error) < 1e-9 AS error_agrees
  FROM plain p JOIN personalize_metrics m USING (metric, k)
 WHERE m.seen = 'included' AND m.version = 'popular/' || back ORDER BY m.version, metric;
-- where each seed draws its own test users they differ
SELECT metric, seed_deviation > 0, standard_error > 0 FROM personalize_metrics
 WHERE version = 'popular/3' AND seen = 'included' AND (k = 25 OR k IS NULL);
SELECT substr(message, 1, 22) FROM personalize_training_log WHERE version = 'popular/3' AND stage = 'evaluate';
