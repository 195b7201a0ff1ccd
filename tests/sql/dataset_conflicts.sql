-- OR IGNORE, REPLACE, FAIL, ROLLBACK, ABORT; savepoints and transactions.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE users USING personalize_users(AGE int);
CREATE TABLE raw(u, i, t);
INSERT INTO raw VALUES ('a', 'x', 1), ('b', NULL, 2), ('c', 'z', 3);

INSERT INTO interactions(user_id, item_id, timestamp) SELECT * FROM raw;
SELECT count(*) FROM interactions;
INSERT OR IGNORE INTO interactions(user_id, item_id, timestamp) SELECT * FROM raw;
SELECT user_id, item_id FROM interactions;
DELETE FROM interactions;
INSERT OR FAIL INTO interactions(user_id, item_id, timestamp) SELECT * FROM raw;
SELECT user_id, item_id FROM interactions;
BEGIN;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('in', 'transaction', 9);
INSERT INTO interactions(user_id, item_id, timestamp) SELECT * FROM raw;
SELECT user_id, item_id FROM interactions;
INSERT OR ROLLBACK INTO interactions(user_id, item_id, timestamp) SELECT * FROM raw;
COMMIT;
SELECT user_id, item_id FROM interactions;
INSERT OR REPLACE INTO interactions(user_id, item_id, timestamp) VALUES ('a', 'x', 1);
SELECT user_id, item_id FROM interactions;

-- one row an id
INSERT INTO users VALUES ('a', 1), ('b', 2);
INSERT INTO users VALUES ('c', 3), ('a', 9);
SELECT * FROM users;
INSERT OR IGNORE INTO users VALUES ('c', 3), ('a', 9);
SELECT * FROM users;
INSERT OR REPLACE INTO users VALUES ('a', 9), ('d', 4);
REPLACE INTO users VALUES ('d', 5);
SELECT * FROM users ORDER BY user_id;
UPDATE users SET user_id = 'b' WHERE user_id = 'a';
UPDATE OR IGNORE users SET user_id = 'b' WHERE user_id = 'a';
UPDATE OR REPLACE users SET user_id = 'b' WHERE user_id = 'a';
SELECT * FROM users ORDER BY user_id;
INSERT OR REPLACE INTO users VALUES (7, 1), (7.0, 2), ('7', 3), ('07', 4);
SELECT * FROM users WHERE user_id = 7;
EXPLAIN QUERY PLAN SELECT * FROM users WHERE user_id = '7';
EXPLAIN QUERY PLAN SELECT r.u, u.age FROM raw AS r JOIN users AS u ON u.user_id = r.u;
SELECT r.u, u.age FROM raw AS r LEFT JOIN users AS u ON u.user_id = r.u;
INSERT INTO users VALUES ('r', 1) RETURNING user_id, age;
DELETE FROM users WHERE user_id IN ('b', 7);
SELECT * FROM users ORDER BY user_id;

-- new ids that are rolled back are unknown again
BEGIN;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('new', 'first', 1);
SAVEPOINT one;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('other', 'second', 2), ('new', 'second', 2);
ROLLBACK TO one;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('third', 'third', 3), ('new', 'third', 3);
SAVEPOINT two;
DELETE FROM interactions;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('new', 'fourth', 3);
SELECT user_id, item_id FROM interactions;
ROLLBACK TO two;
RELEASE one;
SELECT user_id, item_id FROM interactions;
ROLLBACK;
SELECT user_id, item_id FROM interactions;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('third', 'third', 3), ('new', 'second', 1);
SELECT user_id, item_id FROM interactions;

-- a savepoint opened before the table joins the transaction
BEGIN;
SAVEPOINT early;
SAVEPOINT later;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('late', 'late', 1);
ROLLBACK TO early;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('kept', 'late', 1);
COMMIT;
SELECT user_id, item_id FROM interactions;
