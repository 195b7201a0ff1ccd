-- The shop's database gets recommendations: examples/quickstart runs this in the sqlite3 shell, from the root
-- of the repository, on examples/work/shop.db (shop.sql). Everything is SQL; nothing of the shop is copied.
.load ./build/personalize
.mode column --wrap 0

.print
.print "## The shop's tables become datasets, read in place"
-- A customer's orders are read at every question: that wants an index that starts with the customer.
CREATE INDEX IF NOT EXISTS orders_of_customer ON orders(customer_id, ordered_at);
CREATE VIRTUAL TABLE shop_events USING personalize_interactions(
  content='orders', user_id='customer_id', item_id='product_id', event_value='quantity', timestamp='ordered_at');
CREATE VIRTUAL TABLE shop_items USING personalize_items(
  content='products', item_id='id', NAME string, PRICE float);
CREATE VIRTUAL TABLE shop_users USING personalize_users(
  content='customers', user_id='id', COUNTRY string categorical);
SELECT (SELECT count(*) FROM shop_users) AS users, (SELECT count(*) FROM shop_items) AS items,
       (SELECT count(*) FROM shop_events) AS events;

.print
.print "## Four recipes are trained"
INSERT INTO personalize_solutions(name, recipe) VALUES
  ('popular', 'popularity-count'), ('together', 'sims'), ('chain', 'markov'), ('shop', 'hrnn');
SELECT personalize_train('popular');
SELECT personalize_train('together');
SELECT personalize_train('chain');
SELECT personalize_train('shop', '{"budget_seconds": 30}');
SELECT version, recipe, status, users, items, events, round(training_seconds, 1) AS seconds FROM personalize_versions;

.print
.print "## How good they are: the newest tenth of the orders of a tenth of the customers was withheld"
SELECT version, metric, k, round(value, 4) AS value, round(baseline, 4) AS popularity, round(markov, 4) AS markov
  FROM personalize_metrics
 WHERE seen = 'included' AND (metric = 'normalized_discounted_cumulative_gain' AND k = 10
                              OR metric = 'precision' AND k = 10 OR metric = 'coverage')
 ORDER BY metric, version;

-- What the application asks by name. 'latest' follows every new training.
INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'shop/latest'), ('product-page', 'together/latest');

.print
.print "## Recommended for three customers, with the shop's own names and prices"
SELECT c.id AS customer, c.country, r.rank, p.name, p.price
  FROM customers c, recommend(c.id, 5, 'home') r JOIN products p ON p.id = r.item_id
 WHERE c.id IN (12347, 12583, 14646)
 ORDER BY c.id, r.rank;

.print
.print "## Customers who bought the JAM MAKING SET WITH JARS bought"
SELECT s.rank, p.name, p.price, round(s.score, 3) AS score
  FROM similar_items('22960', 5) s JOIN products p ON p.id = s.item_id ORDER BY s.rank;

.print
.print "## The shop's ten best sellers, in the order customer 12583 would like"
SELECT r.rank, p.name
  FROM rank('12583', (SELECT json_group_array(product_id) FROM
                        (SELECT product_id FROM orders GROUP BY product_id ORDER BY count(*) DESC LIMIT 10)),
            'home') r
  JOIN products p ON p.id = r.item_id ORDER BY r.rank;

.print
.print "## Only what is in stock and costs less than two pounds"
SELECT r.rank, p.name, p.price, p.stock
  FROM recommend('12347', 5, 'home') r JOIN products p ON p.id = r.item_id
 WHERE r.among IN (SELECT id FROM products WHERE stock > 0 AND price < 2)
 ORDER BY r.rank;

.print
.print "## What if customer 12347 bought baking things now? Before, inside a transaction, and after ROLLBACK"
CREATE TEMP VIEW top AS
  SELECT group_concat(name, ' | ') AS top_three
    FROM (SELECT p.name FROM recommend('12347', 3, 'home') r JOIN products p ON p.id = r.item_id ORDER BY r.rank);
SELECT 'before' AS moment, top_three FROM top;
BEGIN;
INSERT INTO orders(invoice, customer_id, product_id, quantity, price, ordered_at) VALUES
  ('what-if', 12347, '22138', 3, 4.95, 1323450000),
  ('what-if', 12347, '22720', 3, 4.95, 1323450000),
  ('what-if', 12347, '22962', 12, 0.85, 1323450000);
SELECT 'what if' AS moment, top_three FROM top;
ROLLBACK;
SELECT 'after' AS moment, top_three FROM top;
