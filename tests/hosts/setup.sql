-- 60 users with 40 events each among 50 items, all from arithmetic: the answers of the recipes that only count
-- are the same everywhere.
CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT, stock INTEGER);
INSERT INTO products WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
  SELECT i, 'product ' || i, i % 3 FROM n;
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE items USING personalize_items(NAME string);
INSERT INTO items(item_id, name) SELECT id, name FROM products;
INSERT INTO interactions(user_id, item_id, event_type, event_value, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2399)
  SELECT i / 40 + 1, (i / 40 * 7 + i % 40 * (1 + i / 40 % 5) + i % 40 * (i % 40) / 9) % 50 + 1, 'click', i % 5, 1700000000 + i * 60 FROM n;
INSERT INTO personalize_solutions(name, recipe) VALUES
  ('popular', 'popularity-count'), ('together', 'sims'), ('chain', 'markov');
SELECT personalize_train('popular');
SELECT personalize_train('together');
SELECT personalize_train('chain');
INSERT INTO personalize_campaigns(name, version) VALUES
  ('popular', 'popular/latest'), ('together', 'together/latest'), ('home', 'chain/latest');
