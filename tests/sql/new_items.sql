-- Items that came after the training are placed by the items dataset alone. These users like either
-- red or blue items; so a new red one is for those who like red.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE items USING personalize_items(COLOUR string categorical, CREATION_TIMESTAMP long);
INSERT INTO items(item_id, colour) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39)
  SELECT 'i' || i, CASE i % 2 WHEN 0 THEN 'red' ELSE 'blue' END FROM n;
INSERT INTO interactions(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2399)
  SELECT 'u' || (i % 80), 'i' || (i % 2 + 2 * ((i * 104729 / 7) % 20)), 1700000000 + i * 60 FROM n;
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES
  ('shop', 'hrnn-metadata', '{"hidden_dimension": 32, "embedding_dimension": 16, "epochs": 10}'), ('plain', 'markov', NULL);
SELECT personalize_train('shop', '{"evaluation": "none", "seed": 1}');
SELECT personalize_train('plain', '{"evaluation": "none"}');
INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'shop/latest');
.print --- before and after the insertion
SELECT item_id, score IS NULL FROM rank('u2', '["newred", "i0"]', 'home') ORDER BY item_id;
INSERT INTO items(item_id, colour) VALUES ('newred', 'red'), ('newblue', 'blue'), ('nothing', NULL);
SELECT item_id, score IS NULL FROM rank('u2', '["newred", "i0"]', 'home') ORDER BY item_id;
SELECT item_id FROM rank('u2', '["newblue", "newred", "stranger"]', 'home');
SELECT item_id FROM rank('u1', '["newblue", "newred", "stranger"]', 'home');
SELECT personalize_score('u1', 'newblue', 'home') > personalize_score('u1', 'newred', 'home'), personalize_score('u1', 'stranger', 'home') IS NULL;
SELECT item_id FROM recommend('u1', 5, 'home') WHERE among IN ('newred', 'newblue', 'stranger');
SELECT item_id FROM recommend('u1', 5, 'home') WHERE among IN ('newred', 'newblue') AND excluding = 'newblue';
SELECT count(*), round(sum(score), 6) FROM recommend('u1', 100, 'home');
SELECT count(DISTINCT user_id), sum(item_id = 'newblue') FROM batch_recommend(100, 'shop/1');
.print --- scores are one softmax over all items, also of personalize_score
SELECT count(*) FROM recommend('u1', 100, 'home') r WHERE abs(score - personalize_score('u1', item_id, 'home')) > 1e-9;
.print --- a transaction sees its own, and a rollback takes them back
BEGIN;
INSERT INTO items(item_id, colour) VALUES ('brief', 'red');
SELECT count(*) FROM recommend('u1', 100, 'home');
ROLLBACK;
SELECT count(*) FROM recommend('u1', 100, 'home');
UPDATE items SET colour = 'red' WHERE item_id = 'newblue';
SELECT abs(personalize_score('u1', 'newblue', 'home') - personalize_score('u1', 'newred', 'home')) < 1e-9;
DELETE FROM items WHERE item_id = 'newblue';
SELECT count(*), sum(item_id = 'newblue') FROM recommend('u1', 100, 'home');
.print --- taking a new item moves a user's state; one of which nothing is known does not
CREATE TABLE before AS SELECT * FROM recommend('u1', 100, 'home');
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u1', 'nothing', 1800000000);
SELECT count(*) > 0 FROM recommend('u1', 100, 'home') a JOIN before b USING (item_id) WHERE abs(a.score - b.score) > 1e-9 AND item_id <> 'nothing';
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u1', 'newred', 1800000001);
SELECT count(*) > 0 FROM recommend('u1', 100, 'home') a JOIN before b USING (item_id) WHERE abs(a.score - b.score) > 1e-9 AND item_id <> 'newred';
.print --- other recipes do not know them
SELECT item_id, score IS NULL FROM rank('u2', '["newred", "i0"]') WHERE version = 'plain/1';
