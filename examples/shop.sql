-- A shop's own database, as it would be without any recommender: customers, products, orders.
-- Run from the root of the repository.
CREATE TABLE customers(
  id      INTEGER PRIMARY KEY,
  country TEXT NOT NULL
);
CREATE TABLE products(
  id    TEXT PRIMARY KEY,
  name  TEXT NOT NULL,
  price REAL NOT NULL,
  stock INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE orders(
  id          INTEGER PRIMARY KEY,
  invoice     TEXT NOT NULL,
  customer_id INTEGER NOT NULL REFERENCES customers(id),
  product_id  TEXT NOT NULL REFERENCES products(id),
  quantity    INTEGER NOT NULL,
  price       REAL NOT NULL,
  ordered_at  INTEGER NOT NULL
);

BEGIN;
.import --csv --skip 1 "|xz -dc examples/data/online-retail/customers.csv.xz" customers

CREATE TEMP TABLE product_lines(id, name, price);
.import --csv --skip 1 "|xz -dc examples/data/online-retail/products.csv.xz" product_lines
-- The data knows no stock: let every fifth product be sold out.
INSERT INTO products SELECT id, name, price, CASE WHEN rowid % 5 = 0 THEN 0 ELSE rowid * 31 % 90 + 10 END
  FROM product_lines;

CREATE TEMP TABLE order_lines(invoice, customer_id, product_id, quantity, price, ordered_at);
.import --csv --skip 1 "|xz -dc examples/data/online-retail/orders.csv.xz" order_lines
INSERT INTO orders(invoice, customer_id, product_id, quantity, price, ordered_at)
  SELECT * FROM order_lines ORDER BY rowid;
COMMIT;
