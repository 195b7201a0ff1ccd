-- Amazon's PutUsers and PutItems.
.mode list
.nullvalue NULL
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE users USING personalize_users(AGE int, MEMBERSHIP_LEVEL string categorical);
CREATE VIRTUAL TABLE items USING personalize_items(
  schema='{"type": "record", "name": "Items", "fields": [
    {"name": "ITEM_ID", "type": "string"}, {"name": "GENRES", "type": ["string", "null"], "categorical": true},
    {"name": "PRICE", "type": "float"}, {"name": "IN_STOCK", "type": ["null", "boolean"]},
    {"name": "CREATION_TIMESTAMP", "type": "long"}]}');
CREATE VIRTUAL TABLE shop_items USING personalize_items(group='shop', PRICE float);

SELECT personalize_put_users('{"users": [
  {"userId": "ann", "properties": {"age": 30, "membershipLevel": "gold"}},
  {"userId": 7, "properties": "{\"age\": \"41\", \"MEMBERSHIP_LEVEL\": null}"},
  {"userId": "bob"}]}');
SELECT * FROM users;

-- The same id replaces the whole row; the last of a request stays.
SELECT personalize_put_users('{"users": [{"userId": "ann", "properties": {"age": 31}},
  {"userId": "7", "properties": {"age": 1}}, {"userId": "7", "properties": {"age": 2}}]}');
SELECT * FROM users ORDER BY user_id;

-- The dataset by its table, its group or Amazon's name.
SELECT personalize_put_items('{"dataset": "ITEMS", "items": [{"itemId": "a",
  "properties": {"genres": "Drama|Crime", "price": 2, "inStock": true, "creationTimestamp": 1700000000}}]}');
SELECT personalize_put_items('{"datasetGroup": "shop", "items": [{"itemId": "b", "properties": {"price": 3.5}}]}');
SELECT personalize_put_items('{"datasetArn": "arn:aws:personalize:us-west-2:123456789012:dataset/shop/ITEMS",
  "items": [{"itemId": "c", "properties": {"price": 4.5}}]}');
SELECT personalize_put_items('{"dataset": "main.shop_items", "items": [{"itemId": "d", "properties": {"price": 5.5}}]}');
SELECT * FROM items;
SELECT * FROM shop_items;

-- All or nothing, alone and inside a transaction.
SELECT personalize_put_users('{"users": [{"userId": "ann", "properties": {"age": 99}}, {"userId": "cid", "properties": {"age": "old"}}]}');
BEGIN;
SELECT personalize_put_users('{"users": [{"userId": "dan", "properties": {"age": 5}}]}');
SELECT personalize_put_users('{"users": [{"userId": "ann", "properties": {"age": 99}}, {"userId": ""}]}');
SELECT * FROM users ORDER BY user_id;
ROLLBACK;
SELECT count(*) FROM users;

-- What is no request.
SELECT personalize_put_users(NULL);
SELECT personalize_put_users('users');
SELECT personalize_put_users('[]');
SELECT personalize_put_users('{}');
SELECT personalize_put_users('{"users": []}');
SELECT personalize_put_users('{"users": {"userId": "ann"}}');
SELECT personalize_put_users('{"items": [{"itemId": "a"}]}');
SELECT personalize_put_items('{"items": ["a"]}');
SELECT personalize_put_items('{"items": [{"id": "a"}]}');
SELECT personalize_put_items('{"items": [{"properties": {"price": 1}}]}');
SELECT personalize_put_items('{"items": [{"itemId": ["a"]}]}');
SELECT personalize_put_items(printf('{"items": [{"itemId": "%.*c"}]}', 2049, 'x'));
SELECT personalize_put_items('{"items": [{"itemId": "a"}]}');
SELECT personalize_put_items('{"items": [{"itemId": "a", "properties": {"price": null, "creationTimestamp": 1}}]}');
SELECT personalize_put_items('{"items": [{"itemId": "a", "properties": {"price": 1, "creationTimestamp": 1700000000000}}]}');
SELECT personalize_put_items('{"items": [{"itemId": "a", "properties": {"cost": 1}}]}');
SELECT personalize_put_items('{"items": [{"itemId": "a", "properties": {"itemId": "b"}}]}');
SELECT personalize_put_items('{"items": [{"itemId": "a", "properties": [1]}]}');
SELECT personalize_put_items('{"items": [{"itemId": "a", "properties": {"genres": ["Drama", "Crime"]}}]}');

-- Which dataset.
SELECT personalize_put_users('{"datasetGroup": "shop", "users": [{"userId": "a"}]}');
SELECT personalize_put_users('{"datasetGroup": 5, "users": [{"userId": "a"}]}');
SELECT personalize_put_users('{"dataset": "items", "users": [{"userId": "a"}]}');
SELECT personalize_put_users('{"dataset": "people", "users": [{"userId": "a"}]}');
SELECT personalize_put_users('{"dataset": "users", "datasetGroup": "default", "users": [{"userId": "a"}]}');
SELECT personalize_put_users('{"datasetArn": "users", "users": [{"userId": "a"}]}');
SELECT personalize_put_users('{"datasetArn": "arn:aws:personalize:us-west-2:123456789012:dataset/default/ITEMS", "users": [{"userId": "a"}]}');
DROP TABLE users;
SELECT personalize_put_users('{"users": [{"userId": "a"}]}');
CREATE TABLE people(user_id PRIMARY KEY, age);
CREATE VIRTUAL TABLE users USING personalize_users(content='people', AGE int);
SELECT personalize_put_users('{"users": [{"userId": "a"}]}');
CREATE TABLE results(n);
INSERT INTO results SELECT personalize_put_items('{"dataset": "shop_items", "items": [{"itemId": "e"}]}');
CREATE VIEW writing AS SELECT personalize_put_items('{"dataset": "shop_items", "items": [{"itemId": "e"}]}');
SELECT * FROM writing;
SELECT * FROM items;
