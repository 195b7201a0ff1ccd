-- user_segment: who is likely to take an item, on models whose scores can be checked.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
SELECT * FROM user_segment('1');
-- Who had 1 then had 2, who had 3 then had 4.
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
INSERT INTO interactions(user_id, item_id, timestamp, event_type)
  SELECT printf('u%02d', i), item, 1000 + 100 * i + place, 'view' FROM n,
    (SELECT 0 AS odd, '1' AS item, 1 AS place UNION ALL SELECT 0, '2', 2 UNION ALL SELECT 1, '3', 1 UNION ALL SELECT 1, '4', 2)
  WHERE odd = i % 2;
INSERT INTO interactions(user_id, item_id, timestamp, event_type) VALUES ('a', '1', 9000, 'view'), ('b', '3', 9000, 'view'), ('c', '1', 9000, 'view');
INSERT INTO personalize_solutions(name, recipe) VALUES ('chain', 'markov'), ('top', 'popularity-count'), ('near', 'sims'), ('affinity', 'item-affinity');
SELECT personalize_train(name, '{"evaluation":"none"}') FROM personalize_solutions WHERE name IN ('chain', 'top', 'near') ORDER BY name;
.print --- who had 1 comes first for 2; equal scores in the order of reading
SELECT rank, user_id FROM user_segment('2', 2, 'chain/1');
SELECT rank, user_id FROM user_segment('4', 1, 'chain/1');
.print --- score is what recommend gives the item for the user
CREATE TABLE segment AS SELECT * FROM user_segment('2', 1000, 'chain/1');
INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'chain/1');
SELECT count(*), count(DISTINCT user_id), min(rank), max(rank), sum(abs(score - personalize_score(user_id, '2', 'home')) < 1e-9) FROM segment;
SELECT count(*) FROM segment s JOIN segment t ON t.rank = s.rank + 1 WHERE t.score > s.score;
.print --- the best k are the first of all
SELECT count(*) FROM (SELECT rank, user_id, score FROM segment WHERE rank <= 40 EXCEPT SELECT * FROM user_segment('2', 40, 'chain/1'));
SELECT count(*) FROM user_segment('2', NULL, 'chain/1');
.print --- popularity: everybody alike
SELECT count(DISTINCT round(score, 9)) FROM user_segment(2.0, 1000, 'top/1');
.print --- joins and arguments
SELECT v.item, s.user_id FROM (SELECT '2' AS item UNION ALL SELECT '4') v, personalize_user_segment(v.item, 1, 'chain/1') s;
SELECT item_id, k, version, count(*) FROM user_segment WHERE item_id = '2' AND k = '3' AND version = 'chain/latest';
SELECT count(*) FROM user_segment(NULL, 3);
.print --- item-affinity is asked first
SELECT type FROM personalize_recipes WHERE name = 'item-affinity';
SELECT personalize_train('affinity', '{"evaluation":"none","threads":1}');
DELETE FROM personalize_campaigns;
SELECT count(*), sum(abs(s.score - t.score) < 1e-12) FROM user_segment('2', 10) s JOIN user_segment('2', 10, 'affinity/1') t USING (rank);
SELECT count(*) FROM recommend('a', 2) WHERE version = 'affinity/1';
.print --- errors
SELECT * FROM user_segment;
SELECT * FROM user_segment('77', 3, 'chain/1');
SELECT * FROM user_segment('2', 0, 'chain/1');
SELECT * FROM user_segment('2', 'many', 'chain/1');
SELECT * FROM user_segment('2', 3, 'near/1');
SELECT * FROM user_segment('2', 3, 'chain/7');
SELECT * FROM user_segment(x'01', 3, 'chain/1');
