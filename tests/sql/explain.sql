-- explain: what each event of a user adds to the score of an item, on models small enough to check.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
SELECT * FROM explain('a', '1');
-- Who had 1 then had 2, who had 3 then had 4; 5 stands alone.
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO interactions(user_id, item_id, timestamp, event_type)
  SELECT 'u' || i, item, 1000 + 100 * i + place, 'view' FROM n,
    (SELECT 0 AS odd, '1' AS item, 1 AS place UNION ALL SELECT 0, '2', 2 UNION ALL SELECT 1, '3', 1 UNION ALL SELECT 1, '4', 2 UNION ALL SELECT 0, '5', 3)
  WHERE odd = i % 2;
INSERT INTO interactions(user_id, item_id, timestamp, event_type) VALUES ('a', '1', 9000, 'view'), ('b', '3', 9000, 'view'), ('b', '1', 9100, 'view');
INSERT INTO personalize_solutions(name, recipe) VALUES ('chain', 'markov'), ('top', 'popularity-count'), ('near', 'sims'), ('ranked', 'personalized-ranking');
SELECT personalize_train(name, '{"evaluation":"none"}') FROM personalize_solutions WHERE name IN ('top', 'near');
SELECT personalize_train('chain', '{"evaluation":"none"}');
.print --- one event: it is all of the difference
SELECT kind, event_item_id, timestamp, round(contribution, 3) FROM explain('a', '2') WHERE version = 'chain/1';
INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'chain/latest');
SELECT abs(sum(contribution) - ln(personalize_score('a', '2', 'home') / personalize_score('nobody', '2', 'home'))) < 1e-6 FROM explain('a', '2', 'home');
.print --- two events, the stronger reason first
SELECT kind, event_item_id, timestamp, contribution > 0 FROM explain('b', '2', 'home');
SELECT kind, event_item_id, timestamp, contribution > 0 FROM explain('b', '4', 'home') WHERE kind = 'event';
SELECT abs(sum(contribution) - ln(personalize_score('b', '4', 'home') / personalize_score('nobody', '4', 'home'))) < 1e-6 FROM explain('b', '4', 'home');
.print --- leaving an event out is what it says
BEGIN;
CREATE TEMP TABLE before AS SELECT (SELECT contribution FROM explain('b', '2', 'home') WHERE event_item_id = '1') AS contribution, personalize_score('b', '2', 'home') AS score;
DELETE FROM interactions WHERE user_id = 'b' AND item_id = '1';
SELECT abs(ln(score / personalize_score('b', '2', 'home')) - contribution) < 1e-6 FROM before;
ROLLBACK;
.print --- more than 30 events
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 33)
INSERT INTO interactions(user_id, item_id, timestamp, event_type) SELECT 'long', i % 5 + 1, 10000 + i, 'view' FROM n;
SELECT kind, count(*), min(timestamp), max(timestamp) FROM explain('long', 2) WHERE campaign = 'home' GROUP BY kind ORDER BY kind;
SELECT abs(sum(contribution) - ln(personalize_score('long', '2', 'home') / personalize_score('nobody', '2', 'home'))) < 1e-6 FROM explain('long', '2', 'home');
.print --- popularity is the same for everybody
SELECT kind, event_item_id, contribution + 0 FROM explain('b', '2') WHERE version = 'top/1';
.print --- who has no events has no rows; nor has NULL
SELECT count(*) FROM explain('nobody', '2', 'home');
SELECT count(*) FROM explain(NULL, '2', 'home');
SELECT count(*) FROM explain('a', NULL, 'home');
.print --- in a join
SELECT r.rank, r.item_id, e.event_item_id FROM recommend('b', 2, 'home') r, explain('b', r.item_id, 'home') e WHERE e.kind = 'event' AND e.contribution > 0 ORDER BY r.rank, e.contribution DESC;
SELECT DISTINCT user_id, item_id, campaign, version IS NULL FROM personalize_explain('a', 2.0, 'home');
SELECT count(*) FROM explain WHERE user_id = 'a' AND item_id IN ('2', '4') AND campaign = 'home' AND kind = 'interplay';
.print --- without a name a campaign answers; each question is one request of it
CREATE TEMP TABLE usage AS SELECT sum(served) AS served FROM personalize_usage WHERE campaign IS NOT NULL;
SELECT count(*) FROM explain('a', '2');
SELECT count(*) FROM explain('a', '2') WHERE version = 'chain/1';
SELECT sum(n.served) - u.served FROM personalize_usage n, usage u WHERE campaign IS NOT NULL;
.print --- errors
SELECT * FROM explain('a');
SELECT * FROM explain;
SELECT * FROM explain('a', '77') WHERE version = 'chain/1';
SELECT * FROM explain('a', '2') WHERE version = 'near/1';
SELECT * FROM explain('a', '2') WHERE version = 'chain/9';
SELECT * FROM explain('a', '2', 'office');
SELECT * FROM explain('a', '2', 'home', 'chain/1');
SELECT * FROM explain('', '2', 'home');
SELECT * FROM explain('a', x'00', 'home');
SELECT * FROM explain('a', 2.5, 'home');
