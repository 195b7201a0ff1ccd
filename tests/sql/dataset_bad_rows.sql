-- What rows a dataset refuses, and the sentence it says.
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE users USING personalize_users(AGE int, SCORE float, BORN long, MEMBER boolean, CITY string);
CREATE VIRTUAL TABLE items USING personalize_items(schema='{"type":"record","name":"Items","fields":[
  {"name":"ITEM_ID","type":"string"},{"name":"PRICE","type":"float"},{"name":"CREATION_TIMESTAMP","type":["long","null"]}]}');

-- ids
INSERT INTO interactions(user_id, item_id, timestamp) VALUES (NULL, 'i', 1);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', NULL, 1);
INSERT INTO interactions(item_id, timestamp) VALUES ('i', 1);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('', 'i', 1);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES (x'41', 'i', 1);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES (4.5, 'i', 1);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES (printf('%.10000c', 'x'), 'i', 1);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES (printf('%.2048c', 'x'), 'i', 1);

-- timestamps
INSERT INTO interactions(user_id, item_id) VALUES ('u', 'i');
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'i', 'abc');
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'i', '2024-01-05 10:00:00');
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'i', 1.5);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'i', -1);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'i', 1700000000000);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'i', 9223372036854775807);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'i', 1e300);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'i', '1700000000'), ('u', 'i', 1700000000.0), ('u', 'i', 99999999999), ('u', 'i', 0);

-- other columns
INSERT INTO interactions VALUES ('u', 'i', 'click', 'much', 1);
INSERT INTO interactions VALUES ('u', 'i', 'click', 1e999, 1);
INSERT INTO interactions VALUES ('u', 'i', x'00', 1, 1);
INSERT INTO users VALUES ('u', 'old', 1, 1, 1, 'x');
INSERT INTO users VALUES ('u', 24.5, 1, 1, 1, 'x');
INSERT INTO users VALUES ('u', 3000000000, 1, 1, 1, 'x');
INSERT INTO users VALUES ('u', 24, 'x', 1, 1, 'x');
INSERT INTO users VALUES ('u', 24, 1, 'x', 1, 'x');
INSERT INTO users VALUES ('u', 24, 1, 1, 'yes', 'x');
INSERT INTO users VALUES ('u', 24, 1, 1, 2, 'x');
INSERT INTO users VALUES ('u', 24, 1, 1, 1, x'00');
INSERT INTO users VALUES ('u', printf('%.100c', 'x'), 1, 1, 1, 1);
INSERT INTO items VALUES ('i', NULL, 1);
INSERT INTO items VALUES ('i', 1, 1700000000000);
INSERT INTO items VALUES ('i', 1, 'x');
INSERT INTO items VALUES ('i', '1.5', -300000000), ('j', 1, NULL);
INSERT INTO users VALUES (7, '24', '1.5', '3000000000', 'true', 85711), ('v', '', '', '', '', ''), ('w', '24.0', 1, -1, 'FALSE', 1.5);
SELECT *, typeof(age), typeof(score), typeof(born), typeof(member), typeof(city) FROM users;
SELECT * FROM items;

-- rowids are the table's own
INSERT INTO interactions(rowid, user_id, item_id, timestamp) VALUES (5, 'u', 'i', 1);
UPDATE interactions SET rowid = 5;
INSERT INTO users(rowid, user_id) VALUES (5, 'u');

-- the header line of a CSV file
INSERT INTO interactions VALUES ('USER_ID', 'ITEM_ID', 'EVENT_TYPE', 'EVENT_VALUE', 'TIMESTAMP');
INSERT INTO interactions VALUES ('user', 'item_id', 'x', 1, 1);
INSERT INTO interactions VALUES ('user', 'item', 'x', 1, 'timestamp');

-- no such column; too many values; what SQLite itself refuses on virtual tables
INSERT INTO interactions(user, item_id, timestamp) VALUES ('u', 'i', 1);
INSERT INTO interactions VALUES ('u', 'i', 'click', 1, 1, 's', 'i');
INSERT INTO users(user_id) VALUES ('u') ON CONFLICT(user_id) DO NOTHING;

-- nothing of a refused row is in
SELECT user_id = 'u', item_id, timestamp FROM interactions;
SELECT id FROM interactions_item;
