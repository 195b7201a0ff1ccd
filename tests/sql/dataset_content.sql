-- Datasets over business tables (content=): read in place, never written.
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER, product_id INTEGER, ordered_at INTEGER, status TEXT, amount REAL);
INSERT INTO orders(customer_id, product_id, ordered_at, status, amount) VALUES
  (2, 10, 300, 'paid', 1.5), (1, 11, 200, 'paid', 2), (1, 10, 100, 'sent', NULL), (NULL, 10, 100, 'guest', 1), (1, 12, 200, NULL, 3);
CREATE TABLE customers(id INTEGER PRIMARY KEY, age INT, city TEXT);
INSERT INTO customers VALUES (1, 30, 'Ulm'), (2, NULL, 'Bonn');
CREATE TABLE products(sku TEXT PRIMARY KEY, title TEXT, price REAL) WITHOUT ROWID;
INSERT INTO products VALUES ('10', 'Tea', 2.5), ('11', 'Cup', 7);

-- what is wrong, and the statement that helps
CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='orders', user_id='customer_id', item_id='product_id', timestamp='ordered_at', event_type='status');
CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='order', user_id='customer_id', item_id='product_id', timestamp='ordered_at');
CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='orders', user_id='customer', item_id='product_id', timestamp='ordered_at');
CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='orders', user_id='customer_id', timestamp='ordered_at');
CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='orders', user_id='customer_id', item='product_id');
CREATE VIEW paid AS SELECT * FROM orders WHERE status = 'paid';
CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='paid', user_id='customer_id', item_id='product_id', timestamp='ordered_at');
CREATE TABLE "group"("user name", item_id, timestamp);
CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='group', user_id='user name');
CREATE INDEX partly ON orders(customer_id) WHERE status = 'paid';
CREATE INDEX second ON orders(product_id, customer_id);
CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='orders', user_id='customer_id', item_id='product_id', timestamp='ordered_at');
CREATE TABLE dated(user_id TEXT, item_id, timestamp TEXT);
INSERT INTO dated VALUES ('a', 'x', '2024-01-05 10:00:00');
CREATE INDEX dated_user ON dated(user_id);
CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='dated');
ALTER TABLE dated ADD COLUMN timestamp_unix AS (unixepoch(timestamp));
CREATE VIRTUAL TABLE dated_interactions USING personalize_interactions(content='dated', timestamp='timestamp_unix', group='dated');
SELECT * FROM dated_interactions;
SELECT name FROM sqlite_schema WHERE name LIKE 'interactions%';

-- as it should be
CREATE INDEX orders_customer_id ON orders(customer_id);
CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='orders', user_id='customer_id', item_id='product_id', timestamp='ordered_at', event_type='status', event_value='amount');
CREATE VIRTUAL TABLE users USING personalize_users(content='customers', user_id='id', AGE int, TOWN string categorical, town='city');
CREATE VIRTUAL TABLE items USING personalize_items(content='products', item_id='sku', TITLE string, PRICE float);
SELECT arguments FROM personalize_datasets WHERE dataset_group = 'default' AND kind = 'users';
SELECT rowid, *, typeof(user_id), session_id FROM interactions;
SELECT * FROM interactions WHERE user_id = '1' ORDER BY timestamp DESC;
SELECT * FROM interactions WHERE user_id = 2.0;
SELECT count(*) FROM interactions WHERE user_id = '01';
SELECT count(*) FROM interactions WHERE item_id = 10;
SELECT * FROM users;
SELECT * FROM users WHERE user_id = '2';
SELECT rowid, * FROM items WHERE item_id = 10;
SELECT u.town, i.title FROM interactions JOIN users AS u USING (user_id) JOIN items AS i USING (item_id) ORDER BY 1, 2;
EXPLAIN QUERY PLAN SELECT * FROM interactions WHERE user_id = '1';
EXPLAIN QUERY PLAN SELECT * FROM items WHERE item_id = '10';

-- it follows the business table, and is not written
INSERT INTO orders(customer_id, product_id, ordered_at) VALUES (3, 11, 400);
SELECT * FROM interactions WHERE user_id = 3;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES (1, 1, 1);
UPDATE interactions SET event_type = 'x';
DELETE FROM interactions WHERE user_id = 1;
INSERT INTO items VALUES ('12', 'Pot', 1);
SELECT personalize_import('interactions', 'x.csv');

-- a business table that loses what is needed
DROP INDEX orders_customer_id;
SELECT * FROM interactions;
CREATE INDEX orders_customer_id ON orders(customer_id);
ALTER TABLE orders RENAME COLUMN status TO state;
SELECT * FROM interactions;
ALTER TABLE orders RENAME COLUMN state TO status;
ALTER TABLE interactions RENAME TO events;
SELECT count(*) FROM events;
DROP TABLE events;
DROP TABLE items;
SELECT count(*) FROM orders;
SELECT table_name FROM personalize_datasets;

-- one id stored in several ways
CREATE TABLE loose(u, i, t);
CREATE INDEX loose_u ON loose(u);
INSERT INTO loose VALUES (42, 'a', 1), ('42', 'b', 2), (42.0, 'c', 3), ('042', 'd', 4), (NULL, 'e', 5), (x'42', 'f', 6);
CREATE VIRTUAL TABLE loose_interactions USING personalize_interactions(content='loose', user_id='u', item_id='i', timestamp='t', group='loose');
SELECT item_id FROM loose_interactions WHERE user_id = 42;
SELECT item_id FROM loose_interactions WHERE user_id = '042';
SELECT user_id, typeof(user_id), item_id FROM loose_interactions;
