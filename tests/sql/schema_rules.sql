-- Amazon's rules for schemas: reserved columns, and types with null.
.mode list
.nullvalue NULL
-- Reserved columns have their types, whatever way they are declared.
CREATE VIRTUAL TABLE t USING personalize_interactions(RECOMMENDATION_ID int);
CREATE VIRTUAL TABLE t USING personalize_interactions(EVENT_ATTRIBUTION_SOURCE boolean);
CREATE VIRTUAL TABLE t USING personalize_interactions(IMPRESSION long);
CREATE VIRTUAL TABLE t USING personalize_interactions(EVENT_TYPE int);
CREATE VIRTUAL TABLE t USING personalize_interactions(EVENT_VALUE boolean);
CREATE VIRTUAL TABLE t USING personalize_interactions(USER_ID string, ITEM_ID string, TIMESTAMP int);
CREATE VIRTUAL TABLE t USING personalize_items(PRICE float, CREATION_TIMESTAMP int);
CREATE VIRTUAL TABLE t USING personalize_items(PRICE float, CREATION_TIMESTAMP string);
CREATE VIRTUAL TABLE t USING personalize_items(schema='{"type": "record", "name": "Items", "fields": [
  {"name": "ITEM_ID", "type": "string"}, {"name": "CREATION_TIMESTAMP", "type": ["double", "null"]}]}');
CREATE VIRTUAL TABLE t USING personalize_interactions(schema='{"type": "record", "name": "Interactions", "fields": [
  {"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}, {"name": "TIMESTAMP", "type": "long"},
  {"name": "recommendation_id", "type": ["null", "long"]}]}');

-- What every row must have allows no null; elsewhere a union may come in any order.
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type": "record", "name": "Users", "fields": [
  {"name": "USER_ID", "type": ["string", "null"]}, {"name": "AGE", "type": "int"}]}');
CREATE VIRTUAL TABLE t USING personalize_items(schema='{"type": "record", "name": "Items", "fields": [
  {"name": "item_id", "type": ["null", "string"]}, {"name": "PRICE", "type": "float"}]}');
CREATE VIRTUAL TABLE t USING personalize_interactions(schema='{"type": "record", "name": "Interactions", "fields": [
  {"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}, {"name": "TIMESTAMP", "type": ["long", "null"]}]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type": "record", "fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": ["int", "long"]}]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type": "record", "fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": ["null", "null"]}]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type": "record", "fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": []}]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type": "record", "fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": [["int"]]}]}');
CREATE VIRTUAL TABLE t USING personalize_users(schema='{"type": "record", "fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": {"type": "int"}}]}');
SELECT count(*) FROM sqlite_schema;

-- One of each, as Amazon has them.
CREATE VIRTUAL TABLE interactions USING personalize_interactions(schema='{"type": "record", "name": "Interactions", "fields": [
  {"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}, {"name": "TIMESTAMP", "type": "long"},
  {"name": "EVENT_TYPE", "type": "string"}, {"name": "EVENT_VALUE", "type": ["float", "null"]}, {"name": "IMPRESSION", "type": "string"},
  {"name": "RECOMMENDATION_ID", "type": ["string", "null"]}, {"name": "EVENT_ATTRIBUTION_SOURCE", "type": ["null", "string"]},
  {"name": "DEVICE", "type": ["string", "null"], "categorical": true}]}');
CREATE VIRTUAL TABLE items USING personalize_items(schema='{"type": "record", "name": "Items", "fields": [
  {"name": "ITEM_ID", "type": "string"}, {"name": "PRICE", "type": ["null", "float"]},
  {"name": "CREATION_TIMESTAMP", "type": "long"}, {"name": "TITLE", "type": ["string", "null"], "textual": true}]}');
INSERT INTO interactions VALUES ('u', 'i', 1, 'view', NULL, 'a|b', NULL, NULL, NULL);
INSERT INTO interactions(user_id, item_id, timestamp, event_type) VALUES ('u', 'i', 2, 'view');
INSERT INTO interactions(user_id, item_id, timestamp, impression) VALUES ('u', 'i', 3, 'a');
INSERT INTO items VALUES ('i', NULL, 1700000000, NULL);
INSERT INTO items VALUES ('old', NULL, -86400, '');
INSERT INTO items(item_id) VALUES ('j');
INSERT INTO items VALUES ('j', NULL, 1700000000000, NULL);
INSERT INTO items VALUES ('j', NULL, '2023-11-14', NULL);
INSERT INTO items VALUES ('j', 'cheap', 1700000000, NULL);
SELECT * FROM interactions;
SELECT * FROM items;
SELECT name, "notnull" FROM pragma_table_info('items_row');
