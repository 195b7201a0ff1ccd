-- personalize_cost: what given work, and a database's own, costs by the prices of personalize_prices.
-- Before the first dataset Amazon's prices hold. The worked month: 200 GB, 10 hours of training a day, 10 TPS.
SELECT line, quantity, unit, price, round(usd, 2) FROM personalize_cost(200, 10 * 30, 10 * 24 * 30);
SELECT round(sum(usd), 2) FROM personalize_cost(200, 10 * 30, 10 * 24 * 30);
SELECT line, usd FROM personalize_cost();
-- A campaign that idles at its minimum of 1 TPS for a month of 730 hours; MovieLens 100K's 2.135 billed hours.
SELECT sum(usd) FROM personalize_cost WHERE tps_hours = 730;
SELECT round(sum(usd), 2) FROM personalize_cost WHERE training_hours = 2.135;
-- arguments
SELECT * FROM personalize_cost(-1);
SELECT * FROM personalize_cost(1, 'ten');
SELECT * FROM personalize_cost(1, 1, 9e999);
SELECT * FROM personalize_cost(1, 1, 1, 'elsewhere');
SELECT sum(usd) FROM personalize_cost('20');
SELECT sum(usd) FROM (SELECT 10 AS gb UNION ALL SELECT 30) w, personalize_cost(w.gb) c;
-- prices
CREATE VIRTUAL TABLE interactions USING personalize_interactions(USER_ID string, ITEM_ID string, TIMESTAMP long, NOTE string);
SELECT * FROM personalize_prices;
UPDATE personalize_prices SET usd = 1 WHERE line = 'training';
SELECT price, usd FROM personalize_cost(0, 3) WHERE line = 'training';
UPDATE personalize_prices SET usd = -1;
UPDATE personalize_prices SET usd = 'free';
UPDATE personalize_prices SET unit = 'TB' WHERE line = 'data ingestion';
INSERT INTO personalize_prices VALUES ('batch', 'user', 0.067);
INSERT INTO personalize_prices VALUES ('training', 'hour', 0.24);
DELETE FROM personalize_prices WHERE line = 'training';
SELECT price FROM personalize_cost(0, 3) WHERE line = 'training';
CREATE VIRTUAL TABLE items USING personalize_items(TITLE string);
SELECT usd FROM personalize_prices WHERE line = 'training';
-- The database's own work: 'u1,ä,1700000000,' is 18 bytes with its line end, 'i,title' is 8.
INSERT INTO interactions VALUES ('u1', 'ä', 1700000000, NULL), ('u1', 'b', 1700000000, '12');
INSERT INTO items VALUES ('i', 'title');
SELECT line, round(quantity * 1e9) FROM personalize_cost() WHERE line = 'data ingestion';
INSERT INTO interactions(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1199)
  SELECT i % 60, i % 23 + i % 7, 1700000000 + i FROM n;
INSERT INTO personalize_solutions(name, recipe) VALUES ('movies', 'markov');
SELECT personalize_train('movies');
SELECT personalize_train('movies');
SELECT abs(c.quantity * 3600 - v.seconds) < 1e-6, c.usd = c.quantity * 0.24, v.seconds > 0
  FROM personalize_cost() c, (SELECT sum(training_seconds) AS seconds FROM personalize_versions) v WHERE c.line = 'training';
