-- CREATE, RENAME, DROP; schemas and definitions; groups; attached databases.
CREATE VIRTUAL TABLE interactions USING personalize_interactions(schema='{
  "type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema",
  "fields": [{"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"},
             {"name": "TIMESTAMP", "type": "long"}, {"name": "DEVICE", "type": ["null", "string"], "categorical": true}],
  "version": "1.0"}');
CREATE VIRTUAL TABLE users USING personalize_users(age INT, "Gender" string CATEGORICAL);
CREATE VIRTUAL TABLE items USING personalize_items(PRICE float, ITEM_ID string, TITLE string textual, GENRES string categorical textual);
CREATE VIRTUAL TABLE shop_interactions USING personalize_interactions(group='shop', DEVICE string);
SELECT dataset_group, kind, table_name, arguments FROM personalize_datasets ORDER BY table_name;
SELECT name, type, hidden FROM pragma_table_xinfo('interactions');
SELECT name, type, hidden FROM pragma_table_xinfo('items');
INSERT INTO interactions VALUES ('u', 'i', 5, 'phone');
INSERT INTO shop_interactions VALUES ('u', 'i', 'buy', 1, 5, 'phone');
SELECT *, event_type FROM interactions;
SELECT * FROM shop_interactions;

-- definitions that are wrong
CREATE VIRTUAL TABLE t USING personalize_users;
CREATE VIRTUAL TABLE t USING personalize_items();
CREATE VIRTUAL TABLE t USING personalize_users(AGE);
CREATE VIRTUAL TABLE t USING personalize_users(AGE integer);
CREATE VIRTUAL TABLE t USING personalize_users(AGE int sometimes);
CREATE VIRTUAL TABLE t USING personalize_users(AGE int, age int);
CREATE VIRTUAL TABLE t USING personalize_users("A B" int);
CREATE VIRTUAL TABLE t USING personalize_users(rowid int);
CREATE VIRTUAL TABLE t USING personalize_users(USER_ID int, AGE int);
CREATE VIRTUAL TABLE t USING personalize_users(AGE float categorical);
CREATE VIRTUAL TABLE t USING personalize_users(BIO string textual);
CREATE VIRTUAL TABLE t USING personalize_items(CREATION_TIMESTAMP string);
CREATE VIRTUAL TABLE t USING personalize_interactions(USER_ID string, ITEM_ID string);
CREATE VIRTUAL TABLE t USING personalize_interactions(EVENT_VALUE string);
CREATE VIRTUAL TABLE t USING personalize_interactions(grp='x');
CREATE VIRTUAL TABLE t USING personalize_interactions(user_id='customer');
CREATE VIRTUAL TABLE t USING personalize_interactions(group='x', group='y');
CREATE VIRTUAL TABLE t USING personalize_interactions(group='');
CREATE VIRTUAL TABLE t USING personalize_interactions(group='a b');
CREATE VIRTUAL TABLE t USING personalize_interactions(schema='nonsense');
CREATE VIRTUAL TABLE t USING personalize_interactions(schema='[]');
CREATE VIRTUAL TABLE t USING personalize_interactions(schema='{"type":"record","name":"Users","fields":[]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type":"record","fields":[{"type":"int"}]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type":"record","fields":[{"name":"A"}]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type":"record","fields":[{"name":"A","type":"bytes"}]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type":"record","fields":[{"name":"A","type":["null"]}]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type":"record","fields":[{"name":"A","type":"int"}]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type":"record","fields":[{"name":"A","type":"int","categorical":"yes"}]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type":"record","fields":[]}', AGE int);
SELECT name FROM sqlite_schema WHERE name LIKE 't%';

-- places and names that are refused
CREATE VIRTUAL TABLE again USING personalize_interactions;
CREATE VIRTUAL TABLE temp.t USING personalize_interactions(group='t');
CREATE VIRTUAL TABLE personalize USING personalize_interactions(group='t');
CREATE VIRTUAL TABLE Personalize_x USING personalize_interactions(group='t');
CREATE TABLE t_user(x);
CREATE VIRTUAL TABLE t USING personalize_interactions(group='t');
ALTER TABLE shop_interactions RENAME TO t;
ALTER TABLE shop_interactions RENAME TO personalize_t;
ALTER TABLE shop_interactions RENAME TO interactions_event;
SELECT name FROM sqlite_schema WHERE name LIKE 't%' OR name LIKE 'shop%' AND type = 'table' ORDER BY name;

-- RENAME, inside a transaction that is rolled back and then for good
BEGIN;
ALTER TABLE shop_interactions RENAME TO orders;
INSERT INTO orders VALUES ('v', 'j', 'buy', 1, 6, 'phone');
SELECT user_id FROM orders;
ROLLBACK;
SELECT user_id FROM shop_interactions;
INSERT INTO shop_interactions VALUES ('w', 'j', 'buy', 1, 6, 'phone');
ALTER TABLE shop_interactions RENAME TO "my orders";
INSERT INTO "my orders" VALUES ('x', 'j', 'buy', 1, 6, 'phone');
SELECT user_id FROM "my orders";
SELECT table_name FROM personalize_datasets WHERE dataset_group = 'shop';
ALTER TABLE "my orders" RENAME TO "MY orders";
SELECT user_id FROM "my orders" WHERE item_id = 'j';

-- DROP, inside a transaction that is rolled back and then for good
BEGIN;
INSERT INTO "my orders" VALUES ('y', 'j', 'buy', 1, 6, 'phone');
DROP TABLE "my orders";
SELECT count(*) FROM personalize_datasets WHERE dataset_group = 'shop';
ROLLBACK;
SELECT user_id FROM "my orders";
INSERT INTO "my orders" VALUES ('z', 'j', 'buy', 1, 6, 'phone');
DROP TABLE "my orders";
SELECT name FROM sqlite_schema WHERE name LIKE '%orders%';
SELECT count(*) FROM personalize_datasets WHERE dataset_group = 'shop';
BEGIN;
CREATE VIRTUAL TABLE passing USING personalize_interactions(group='shop');
INSERT INTO passing(user_id, item_id, timestamp) VALUES ('u', 'i', 1);
ROLLBACK;
SELECT name FROM sqlite_schema WHERE name LIKE 'passing%';
CREATE VIRTUAL TABLE passing USING personalize_interactions(group='shop');
INSERT INTO passing(user_id, item_id, timestamp) VALUES ('u', 'i', 1);
SELECT rowid, user_id FROM passing;

-- an attached database has its own catalog
ATTACH 'other.db' AS other;
CREATE VIRTUAL TABLE other.interactions USING personalize_interactions;
INSERT INTO other.interactions(user_id, item_id, timestamp) VALUES ('o', 'i', 1);
SELECT user_id FROM other.interactions WHERE user_id = 'o';
SELECT name FROM other.sqlite_schema WHERE name LIKE 'interactions%' AND type = 'table';
SELECT table_name FROM other.personalize_datasets;
BEGIN;
INSERT INTO other.interactions(user_id, item_id, timestamp) VALUES ('p', 'i', 1);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('p', 'i', 1);
COMMIT;
SELECT user_id FROM other.interactions UNION ALL SELECT user_id FROM interactions;
DETACH other;

-- triggers and views over business tables, also where the schema is not trusted
PRAGMA trusted_schema = 0;
CREATE TABLE orders(customer, product, at);
CREATE TRIGGER tracked AFTER INSERT ON orders BEGIN
  INSERT INTO interactions(user_id, item_id, timestamp) VALUES (new.customer, new.product, new.at);
END;
INSERT INTO orders VALUES ('trigger', 'p1', 7);
INSERT INTO orders VALUES ('trigger', 'p1', 'noon');
SELECT count(*) FROM orders;
CREATE VIEW triggered AS SELECT item_id, timestamp FROM interactions WHERE user_id = 'trigger';
SELECT * FROM triggered;

-- VACUUM, .dump and a host that is on its guard
VACUUM;
SELECT count(*) FROM interactions;
.dbconfig defensive on
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('defensive', 'p1', 7);
INSERT INTO interactions_user(id) VALUES ('x');
SELECT personalize_import('users', '@DIR@/no.csv');
SELECT count(*) FROM interactions WHERE user_id = 'defensive';
CREATE VIRTUAL TABLE guarded USING personalize_interactions(group='guarded');
ALTER TABLE guarded RENAME TO guarded_again;
INSERT INTO guarded_again(user_id, item_id, timestamp) VALUES ('defensive', 'p1', 7);
DROP TABLE guarded_again;
