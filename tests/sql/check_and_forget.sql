-- personalize_check finds what is missing; personalize_forget leaves nothing of a user.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE users USING personalize_users(AGE int);
CREATE TABLE orders(id INTEGER PRIMARY KEY, user_id, item_id, timestamp);
CREATE INDEX orders_user_id ON orders(user_id);
CREATE VIRTUAL TABLE purchases USING personalize_interactions(group='shop', content='orders');
INSERT INTO interactions(user_id, item_id, event_type, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1199)
  SELECT i % 60, (i * 7 + i / 60) % 29, 'view', 1700000000 + i FROM n;
INSERT INTO users SELECT DISTINCT user_id, 30 FROM interactions;
INSERT INTO orders(user_id, item_id, timestamp) SELECT user_id, item_id, timestamp FROM interactions;
INSERT INTO personalize_solutions(name, recipe, dataset_group) VALUES ('movies', 'markov', 'default'), ('shop', 'markov', 'shop');
SELECT personalize_train('movies'), personalize_train('shop');
SELECT * FROM personalize_check;
-- forget
SELECT personalize_forget(7);
SELECT personalize_forget('7');
SELECT count(*) FROM interactions WHERE user_id = '7';
SELECT count(*) FROM users WHERE user_id = '7';
SELECT count(*) FROM interactions_user WHERE id = '7';
SELECT personalize_forget('8', 'shop');
SELECT personalize_forget('8', 'books');
SELECT personalize_forget(NULL);
BEGIN;
SELECT personalize_forget('9');
ROLLBACK;
SELECT count(*) FROM interactions WHERE user_id = '9';
SELECT * FROM personalize_check;
-- what only somebody without the extension's care can do
DELETE FROM interactions_item WHERE id = '3';
DELETE FROM interactions_type;
DROP TABLE orders;
SELECT * FROM personalize_check;
DROP TABLE users_row;
SELECT place, problem FROM personalize_check WHERE place = 'users';
