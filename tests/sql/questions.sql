-- The questions: recommend, rank, similar_items, batch_recommend, personalize_score. The models are
-- popularity-count, whose answers are counted by hand: item i has (8 - i) users, u1 to u(8-i).
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7)
INSERT INTO interactions(user_id, item_id, event_type, timestamp)
  SELECT 'u' || u.i, n.i * 10, 'click', 1000 + u.i * 100 + n.i FROM n, n u WHERE u.i <= 8 - n.i;
INSERT INTO personalize_solutions(name, recipe) VALUES ('top', 'popularity-count');
CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT, stock INTEGER);
INSERT INTO products VALUES (10, 'ten', 0), (20, 'twenty', 3), (30, 'thirty', 0), (40, 'forty', 1), (50, 'fifty', 9), (99, 'new', 9);
CREATE TABLE customers(id TEXT, name TEXT);
INSERT INTO customers VALUES ('u1', 'Ann'), (NULL, 'nobody'), ('u2', 'Bob'), ('u1', 'Ann again');
.print --- before a training
SELECT * FROM recommend('u1');
SELECT personalize_train('top', '{"evaluation":"none"}');
.print --- 28 events in all; scores are shares of them
SELECT rank, item_id, round(score * 28, 6) FROM recommend('u1', 3);
SELECT count(*) FROM recommend('u1');
SELECT count(*), max(rank) FROM recommend('u1', 1000);
SELECT rank, item_id FROM personalize_recommend('stranger', '2');
SELECT rank, item_id FROM recommend('u1', 2.0);
SELECT count(*) FROM recommend(NULL, 5);
SELECT item_id, typeof(item_id), typeof(score) FROM recommend('u1', 1);
.print --- joins
SELECT r.rank, p.name FROM recommend('u1', 3) r JOIN products p ON p.id = r.item_id;
SELECT c.name, r.item_id FROM customers c, recommend(c.id, 2) r;
SELECT c.name, r.item_id FROM customers c LEFT JOIN recommend(c.id, 1) r;
SELECT c.name, (SELECT item_id FROM recommend(c.id, 5) WHERE rank = 2) FROM customers c;
SELECT user_id, k, item_id FROM recommend('u1', 1);
.print --- a set is searched inside: as many answers as asked for
SELECT item_id FROM recommend('u1', 2) WHERE among IN (SELECT id FROM products WHERE stock > 0);
SELECT p.name, r.item_id FROM products p, recommend('u1', 1) r WHERE p.stock = 9 AND r.among IN (SELECT id FROM products q WHERE q.stock < p.id - 48 AND q.id < 45);
SELECT item_id FROM recommend('u1', 2) WHERE excluding IN (10, '20', 30.0);
SELECT item_id FROM recommend('u1', 2) WHERE among IN (10, 20, 30) AND excluding IN (SELECT 10);
SELECT item_id FROM recommend('u1', 5) WHERE among = 20;
SELECT item_id FROM recommend('u1', 5) WHERE among = '[20, "40"]';
SELECT count(*) FROM recommend('u1', 5) WHERE among IN (SELECT id FROM products WHERE 0);
SELECT count(*) FROM recommend('u1', 5) WHERE excluding IN (SELECT id FROM products WHERE 0);
SELECT count(*) FROM recommend('u1', 5) WHERE among IN (SELECT NULL UNION SELECT 2.5 UNION SELECT x'00' UNION SELECT 70);
.print --- a constraint on what comes out never changes what is searched
SELECT rank, item_id FROM recommend('u1', 3) WHERE item_id IN ('10', '30', '50');
SELECT rank, item_id FROM recommend('u1', 3) WHERE item_id = '40';
SELECT rank FROM recommend('u1', 2) WHERE k = 2;
SELECT count(*) FROM recommend('u1', 2) WHERE k = 3;
.print --- LIMIT, OFFSET, ORDER BY
SELECT rank FROM recommend('u1', 5) LIMIT 2;
SELECT rank FROM recommend('u1', 5) LIMIT 2 OFFSET 2;
SELECT rank FROM recommend('u1', 5) LIMIT 2 OFFSET 4;
SELECT rank FROM recommend('u1', 5) WHERE item_id > '20' LIMIT 2;
SELECT rank FROM recommend('u1', 5) ORDER BY rank LIMIT 2;
SELECT rank FROM recommend('u1', 5) ORDER BY score DESC LIMIT 2 OFFSET 1;
SELECT rank FROM recommend('u1', 5) ORDER BY score LIMIT 2;
SELECT rank FROM recommend('u1', 5) ORDER BY rank DESC LIMIT 2;
SELECT count(*) FROM recommend('u1', 5) LIMIT 0;
SELECT user_id, rank FROM recommend WHERE user_id IN ('u1', 'u2') AND k = 2 ORDER BY rank, user_id LIMIT 3;
EXPLAIN QUERY PLAN SELECT rank FROM recommend('u1', 5) ORDER BY rank;
EXPLAIN QUERY PLAN SELECT rank FROM recommend('u1', 5) ORDER BY score DESC;
EXPLAIN QUERY PLAN SELECT rank FROM recommend('u1', 5) ORDER BY score;
.print --- rank: scores over the list; unknown items last
SELECT rank, item_id, round(score * 11, 6) FROM rank('u1', '["50", 30, "new", 60.0, "50", 70, "newer"]');
SELECT item_id FROM rank('u1') WHERE among IN (SELECT id FROM products WHERE stock > 0);
SELECT item_id FROM rank('u1', json_array(50, 40, 30)) WHERE among IN (SELECT 30 UNION SELECT 50);
SELECT count(*) FROM rank('u1', '[]');
SELECT count(*) FROM rank('u1', NULL);
.print --- similar_items: popular ones where the model knows no better, never the item itself
SELECT rank, item_id FROM similar_items('10', 2);
SELECT rank, item_id FROM similar_items('unheard of', 2);
SELECT rank, item_id FROM similar_items(20, 2) WHERE excluding IN (10);
.print --- batch_recommend
SELECT * FROM (SELECT user_id, rank, item_id, round(score * 28, 6) FROM batch_recommend(2)) LIMIT 4;
SELECT count(*), count(DISTINCT user_id) FROM batch_recommend;
SELECT user_id, count(*) FROM batch_recommend(1) GROUP BY user_id ORDER BY user_id LIMIT 2;
.print --- personalize_score
SELECT id, round(personalize_score('u1', id) * 28, 6) FROM products ORDER BY personalize_score('u1', id) DESC;
SELECT count(*) FROM interactions WHERE personalize_score(user_id, item_id) > 0.2;
SELECT personalize_score(NULL, 10) IS NULL, personalize_score('u1', NULL) IS NULL;
.print --- views
CREATE VIEW for_ann AS SELECT item_id FROM recommend('u1', 2);
SELECT * FROM for_ann;
.print --- which model answers
INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'top/latest');
SELECT item_id FROM recommend('u1', 1, 'home');
SELECT item_id FROM recommend('u1', 1) WHERE version = 'top/1';
SELECT item_id FROM recommend('u1', 1) WHERE version = 'top/latest';
SELECT item_id FROM batch_recommend(1, 'top/1') LIMIT 1;
INSERT INTO personalize_campaigns(name, version) VALUES ('mail', 'top/1');
SELECT item_id FROM recommend('u1', 1);
SELECT item_id FROM rank('u1', '[10]');
SELECT personalize_score('u1', 10);
SELECT item_id FROM recommend('u1', 1, 'mail');
SELECT round(personalize_score('u1', 10, 'mail') * 28, 6);
SELECT item_id FROM recommend('u1', 1, 'male');
SELECT item_id FROM recommend('u1', 1, 'mail') WHERE version = 'top/1';
SELECT item_id FROM recommend('u1', 1) WHERE version = 'top/9';
SELECT item_id FROM recommend('u1', 1) WHERE version = 'tip/latest';
SELECT item_id FROM recommend('u1', 1) WHERE version = 'top';
DELETE FROM personalize_campaigns;
.print --- bad arguments
SELECT * FROM recommend;
SELECT * FROM recommend WHERE k = 5;
SELECT * FROM rank('u1');
SELECT * FROM similar_items;
SELECT * FROM recommend(c.id) CROSS JOIN customers c;
SELECT * FROM recommend('u1', 0);
SELECT * FROM recommend('u1', -1);
SELECT * FROM recommend('u1', 2.5);
SELECT * FROM recommend('u1', 9223372036854775808);
SELECT * FROM recommend('u1', 'ten');
SELECT * FROM recommend('u1', x'31');
SELECT * FROM recommend('', 1);
SELECT * FROM recommend(2.5, 1);
SELECT * FROM similar_items(x'00', 1);
SELECT * FROM rank('u1', '10, 20');
SELECT * FROM rank('u1', '[10, null]');
SELECT * FROM rank('u1', '[10, [20]]');
SELECT * FROM recommend('u1', 1) WHERE filter = 'stock';
SELECT * FROM recommend('u1', 1) WHERE context = '{}';
SELECT * FROM recommend('u1', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE VIRTUAL TABLE mine USING recommend;
INSERT INTO recommend(user_id) VALUES ('u1');
SELECT personalize_score('u1');
