-- Questions over business tables read in place (content=), in an attached database, in a read-only one.
ATTACH 'shop.db' AS shop;
CREATE TABLE shop.orders(order_id INTEGER PRIMARY KEY, customer_id INTEGER, product_id INTEGER, ordered_at INTEGER);
CREATE INDEX shop.orders_customer ON orders(customer_id);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7)
INSERT INTO shop.orders(customer_id, product_id, ordered_at)
  SELECT u.i, n.i * 10, 1000 + u.i * 100 + n.i FROM n, n u WHERE u.i <= 8 - n.i;
CREATE VIRTUAL TABLE shop.interactions USING personalize_interactions(
  content='orders', user_id='customer_id', item_id='product_id', timestamp='ordered_at');
INSERT INTO shop.personalize_solutions(name, recipe) VALUES ('top', 'popularity-count'), ('fast', 'markov');
SELECT personalize_train('top', '{"evaluation":"none"}');
SELECT personalize_train('fast', '{"evaluation":"none"}');
INSERT INTO shop.personalize_campaigns(name, version) VALUES ('home', 'top/latest');
SELECT item_id FROM recommend(1, 2);
SELECT item_id FROM recommend(1, 2, 'shop.home');
SELECT count(*), count(DISTINCT user_id) FROM batch_recommend(2);
.print --- what if he bought 70 now? (0: the answer is another; 1: it is the old one again)
CREATE TEMP TABLE before AS SELECT item_id, score FROM recommend(5, 7) WHERE version = 'fast/1';
BEGIN;
INSERT INTO shop.orders(customer_id, product_id, ordered_at) VALUES (5, 70, 9000);
SELECT (SELECT group_concat(item_id || ' ' || score) FROM before) = (SELECT group_concat(item_id || ' ' || score) FROM recommend(5, 7) WHERE version = 'fast/1');
ROLLBACK;
SELECT (SELECT group_concat(item_id || ' ' || score) FROM before) = (SELECT group_concat(item_id || ' ' || score) FROM recommend(5, 7) WHERE version = 'fast/1');
.print --- a second catalog: a name is looked up in both, main first
CREATE VIRTUAL TABLE main.interactions USING personalize_interactions;
INSERT INTO main.interactions(user_id, item_id, timestamp) VALUES ('a', 'x', 1), ('b', 'x', 2), ('b', 'y', 3);
INSERT INTO main.personalize_solutions(name, recipe) VALUES ('tiny', 'popularity-count');
SELECT personalize_train('tiny', '{"evaluation":"none"}');
INSERT INTO main.personalize_campaigns(name, version) VALUES ('small', 'tiny/latest');
SELECT item_id FROM recommend('a', 1);
SELECT item_id FROM recommend('a', 1, 'small');
SELECT item_id FROM recommend('a', 1, 'home');
SELECT item_id FROM recommend('a', 1) WHERE version = 'top/latest';
.print --- detached, and opened read-only
DETACH shop;
SELECT item_id FROM recommend('a', 1);
SELECT item_id FROM recommend('a', 1, 'home');
ATTACH 'file:shop.db?mode=ro' AS shop;
SELECT item_id FROM recommend(1, 2, 'home');
SELECT count(*) FROM batch_recommend(2, 'fast/1');
