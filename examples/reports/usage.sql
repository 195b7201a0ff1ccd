-- What was asked of each campaign on each day, how fast was the answer at worst, and how long did trainings take? Times of
-- UTC; p99_us is that of the day's slowest hour and kind of question.
SELECT substr(hour, 1, 10) AS day, ifnull(campaign, 'no campaign') AS campaign, sum(served) AS served,
       sum(throttled) AS throttled, max(p99_us) AS p99_us, NULL AS training_seconds
  FROM personalize_usage WHERE hour IS NOT NULL GROUP BY day, campaign
UNION ALL
SELECT strftime('%Y-%m-%d', created, 'unixepoch') AS day, 'training of ' || solution, NULL, NULL, NULL,
       round(sum(training_seconds), 1)
  FROM personalize_versions GROUP BY day, solution
 ORDER BY day, campaign;
