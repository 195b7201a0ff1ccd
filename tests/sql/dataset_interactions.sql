-- INSERT, UPDATE, DELETE and SELECT on a native interactions table.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
.headers on
INSERT INTO interactions VALUES ('42', '50', 'click', NULL, 1700000000);
INSERT INTO interactions VALUES ('ann', 51, '', 2, 1700000001), (42.0, 50, NULL, 3.5, 1600000000);
INSERT INTO interactions(timestamp, item_id, user_id, session_id, impression)
  VALUES ('1700000002', '50', 'ann', 's1', '50|51') RETURNING user_id, item_id, timestamp, session_id;
SELECT rowid, *, session_id, impression FROM interactions;
.headers off

-- 42, 42.0 and '42' are one id; '042' is another
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('042', '50', 1);
SELECT count(*) FROM interactions WHERE user_id = 42;
SELECT count(*) FROM interactions WHERE user_id = 42.0;
SELECT count(*) FROM interactions WHERE user_id = '42';
SELECT count(*) FROM interactions WHERE user_id = '042';
SELECT count(*) FROM interactions WHERE user_id IN (42, 'ann');
SELECT count(*) FROM interactions WHERE user_id = 'ANN';
SELECT count(*) FROM interactions WHERE user_id = 'ANN' COLLATE NOCASE;
SELECT count(*) FROM interactions WHERE user_id IS NULL OR user_id = NULL OR user_id = '' OR user_id = x'42' OR user_id = 2.5;

-- a user's rows are a range of the clustered order
EXPLAIN QUERY PLAN SELECT * FROM interactions WHERE user_id = '42';
EXPLAIN QUERY PLAN SELECT * FROM interactions WHERE user_id = '42' ORDER BY timestamp DESC LIMIT 1;
EXPLAIN QUERY PLAN SELECT * FROM interactions WHERE user_id IN ('42', 'ann') ORDER BY timestamp;
EXPLAIN QUERY PLAN SELECT * FROM interactions WHERE item_id = '50' AND user_id = '42';
EXPLAIN QUERY PLAN SELECT * FROM interactions WHERE item_id = '50';
EXPLAIN QUERY PLAN SELECT * FROM interactions WHERE rowid = 4294967296;
EXPLAIN QUERY PLAN SELECT * FROM interactions WHERE user_id = '42' COLLATE NOCASE;
EXPLAIN QUERY PLAN SELECT * FROM interactions;
EXPLAIN QUERY PLAN SELECT * FROM interactions ORDER BY timestamp;
SELECT timestamp FROM interactions WHERE user_id = '42' ORDER BY timestamp;
SELECT timestamp FROM interactions WHERE user_id = '42' ORDER BY timestamp DESC LIMIT 1;
SELECT user_id, timestamp FROM interactions WHERE user_id IN ('42', 'ann') ORDER BY timestamp;
SELECT user_id, timestamp FROM interactions WHERE item_id = 50;
SELECT user_id, timestamp FROM interactions WHERE rowid = 4294967297;
SELECT user_id, timestamp FROM interactions WHERE rowid IN (1.5, 'x', NULL);
SELECT count(*) FROM interactions WHERE user_id = '42' AND user_id = 'ann';

-- changes
UPDATE interactions SET event_type = 'buy', event_value = 9 WHERE user_id = 'ann' AND item_id = '51';
UPDATE interactions SET user_id = 'bob', item_id = 'new' WHERE timestamp = 1700000002;
SELECT rowid, *, session_id FROM interactions;
UPDATE interactions SET timestamp = timestamp + 1;
SELECT changes();
DELETE FROM interactions WHERE user_id = '42';
SELECT changes();
INSERT INTO interactions SELECT * FROM interactions;
SELECT * FROM interactions ORDER BY rowid;
DELETE FROM interactions;
SELECT count(*) FROM interactions;
INSERT INTO interactions VALUES ('42', '50', 'click', NULL, 7);
SELECT rowid, * FROM interactions;
SELECT last_insert_rowid();
