-- What the reports ask: examples/reports/run runs this, from the root of the repository, on a shop's database
-- (examples/shop.sql). All but the shop's last week becomes events and trains three recipes; the last week is played
-- as if the campaign had been on the shop's page: each customer who came was shown its list, then bought what he
-- bought.
.load ./build/personalize
CREATE VIRTUAL TABLE shop_events USING personalize_interactions;
CREATE VIRTUAL TABLE shop_items USING personalize_items(
  content='products', item_id='id', NAME string, PRICE float);
CREATE VIRTUAL TABLE shop_users USING personalize_users(
  content='customers', user_id='id', COUNTRY string categorical);

CREATE TEMP TABLE last_week AS SELECT max(ordered_at) - 7 * 86400 AS begins FROM orders;
INSERT INTO shop_events(user_id, item_id, event_type, event_value, timestamp)
  SELECT customer_id, product_id, 'purchase', quantity, ordered_at
    FROM orders, last_week WHERE ordered_at < begins ORDER BY id;

INSERT INTO personalize_solutions(name, recipe) VALUES ('popular', 'popularity-count'), ('chain', 'markov'), ('shop', 'hrnn');
SELECT personalize_train('popular');
SELECT personalize_train('chain');
SELECT personalize_train('shop', '{"budget_seconds": 60}');
INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'shop/latest');

-- A list for each customer's first visit of the week. Its id goes with what he bought then.
CREATE TABLE visits(customer_id INTEGER PRIMARY KEY, visited_at INTEGER, recommendation_id TEXT);
INSERT INTO visits SELECT customer_id, min(ordered_at), NULL FROM orders, last_week WHERE ordered_at >= begins GROUP BY customer_id;
UPDATE visits SET recommendation_id = (SELECT max(recommendation_id) FROM recommend(customer_id, 10, 'home'));
INSERT INTO shop_events(user_id, item_id, event_type, event_value, timestamp, recommendation_id)
  SELECT o.customer_id, o.product_id, 'purchase', o.quantity, o.ordered_at, v.recommendation_id
    FROM last_week, orders o LEFT JOIN visits v ON v.customer_id = o.customer_id AND v.visited_at = o.ordered_at
   WHERE o.ordered_at >= begins ORDER BY o.id;
