-- Catalogs in attached databases: each with its own checks, stores and reports.
ATTACH 'shop.db' AS shop;
CREATE VIRTUAL TABLE shop.purchases USING personalize_interactions;
CREATE VIRTUAL TABLE main.interactions USING personalize_interactions;
INSERT INTO shop.personalize_solutions(name, recipe) VALUES ('near', 'sims');
INSERT INTO main.personalize_solutions(name, recipe) VALUES ('movies', 'markov');
INSERT INTO shop.purchases(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1199)
  SELECT i % 60, (i * 7 + i / 60) % 29, 1700000000 + i FROM n;
INSERT INTO main.interactions(user_id, item_id, timestamp) SELECT user_id, item_id, timestamp FROM shop.purchases;
SELECT personalize_train('near');
SELECT personalize_train('main.near');
SELECT personalize_train('shop.near');
SELECT personalize_train('movies');
INSERT INTO shop.personalize_campaigns(name, version) VALUES ('home', 'near/2');
INSERT INTO shop.personalize_campaigns(name, version) VALUES ('x', 'near/3');
INSERT INTO main.personalize_campaigns(name, version) VALUES ('x', 'near/1');
SELECT version, schema FROM personalize_versions;
SELECT version FROM personalize_versions WHERE schema = 'shop';
SELECT schema, kind, name, state FROM personalize_status WHERE kind IN ('dataset', 'version', 'campaign');
DELETE FROM personalize_versions WHERE version = 'near/2';
DELETE FROM personalize_versions WHERE version = 'near/1';
UPDATE shop.personalize_solutions SET name = 'far';
-- under another name in another connection
DETACH shop;
SELECT version FROM personalize_versions;
ATTACH 'shop.db' AS store;
SELECT version, schema FROM personalize_versions;
INSERT INTO store.personalize_campaigns(name, version) VALUES ('mail', 'near/2');
SELECT count(*) FROM similar_items('1', 3, 'mail');
SELECT * FROM personalize_check;
-- a transaction takes its catalog back with it
ATTACH ':memory:' AS scratch;
BEGIN;
CREATE VIRTUAL TABLE scratch.clicks USING personalize_interactions;
INSERT INTO scratch.personalize_solutions(name, recipe) VALUES ('clicks', 'markov');
SELECT count(*) FROM personalize_status WHERE schema = 'scratch';
ROLLBACK;
SELECT count(*) FROM personalize_status WHERE schema = 'scratch';
SELECT count(*) FROM scratch.sqlite_schema;
-- VACUUM keeps ids of campaigns
DELETE FROM store.personalize_campaigns WHERE name = 'home';
VACUUM store;
INSERT INTO store.personalize_campaigns(name, version) VALUES ('home', 'near/2');
SELECT name, id FROM store.personalize_campaigns;
