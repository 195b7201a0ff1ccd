-- personalize_import FULL and INCREMENTAL, and export to CSV by plain SELECT.
.mode list
.nullvalue NULL
CREATE VIRTUAL TABLE interactions USING personalize_interactions(DEVICE string categorical, IN_STOCK boolean, PRICE double);
CREATE VIRTUAL TABLE items USING personalize_items(TITLE string, PRICE double);
CREATE VIEW shown AS SELECT i.id, e.shown FROM interactions_exposure e JOIN interactions_item i ON i.code = e.item WHERE e.shown <> 0;
CREATE TEMP TABLE files(name, content);
INSERT INTO files VALUES
 ('one.csv', 'USER_ID,ITEM_ID,TIMESTAMP,IMPRESSION' || char(10) || 'ann,a,1,a|b' || char(10) || 'bob,b,2,' || char(10)),
 ('two.csv', 'USER_ID,ITEM_ID,TIMESTAMP,IMPRESSION' || char(10) || 'ann,c,3,c|d' || char(10)),
 ('bad.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(10) || 'new,n,4' || char(10) || 'new,n,noon' || char(10)),
 ('none.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(10)),
 ('items.csv', 'ITEM_ID,TITLE' || char(10) || 'a,one' || char(10) || 'b,two' || char(10) || 'a,three' || char(10)),
 ('more.csv', 'ITEM_ID,PRICE' || char(10) || 'b,2.5' || char(10) || 'c,3.5' || char(10)),
 ('bad_items.csv', 'ITEM_ID,PRICE' || char(10) || 'b,9' || char(10) || 'c,cheap' || char(10));
SELECT count(writefile(name, content)) FROM files;

-- Incremental is what goes without saying: interactions are added.
SELECT json_remove(personalize_import('interactions', 'one.csv'), '$.seconds');
SELECT json_remove(personalize_import('interactions', 'two.csv', '{"mode": "INCREMENTAL"}'), '$.seconds');
SELECT user_id, item_id, timestamp, impression FROM interactions ORDER BY timestamp;

-- Full: the file's rows take the place of all.
SELECT json_remove(personalize_import('interactions', 'two.csv', '{"mode": "full"}'), '$.seconds');
SELECT user_id, item_id, timestamp, impression FROM interactions;
SELECT * FROM shown;

-- A bad row leaves what was there, alone and inside a transaction.
SELECT personalize_import('interactions', 'bad.csv', '{"mode": "FULL"}');
BEGIN;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('mine', 'm', 9);
SELECT personalize_import('interactions', 'bad.csv', '{"mode": "FULL"}');
SELECT user_id, item_id, timestamp, impression FROM interactions;
SELECT json_remove(personalize_import('interactions', 'one.csv', '{"mode": "FULL"}'), '$.seconds');
SELECT user_id, item_id, timestamp, impression FROM interactions;
ROLLBACK;
SELECT user_id, item_id, timestamp, impression FROM interactions;
SELECT * FROM shown;
SELECT json_remove(personalize_import('interactions', 'none.csv', '{"mode": "FULL"}'), '$.seconds');
SELECT count(*) FROM interactions;
SELECT count(*) FROM shown;

-- Users and items: the same id replaces; full leaves none that the file does not have.
SELECT json_remove(personalize_import('items', 'items.csv', '{"mode": "FULL"}'), '$.seconds');
SELECT * FROM items ORDER BY item_id;
SELECT json_remove(personalize_import('items', 'more.csv', '{"mode": "INCREMENTAL"}'), '$.seconds');
SELECT * FROM items ORDER BY item_id;
SELECT personalize_import('items', 'bad_items.csv', '{"mode": "FULL"}');
SELECT * FROM items ORDER BY item_id;
SELECT json_remove(personalize_import('items', 'more.csv', '{"mode": "FULL"}'), '$.seconds');
SELECT * FROM items ORDER BY item_id;

-- Modes that are none.
SELECT personalize_import('items', 'more.csv', '{"mode": "partial"}');
SELECT personalize_import('items', 'more.csv', '{"mode": 1}');
SELECT personalize_import('items', 'more.csv', '{"importMode": "FULL"}');
SELECT personalize_import('items', 'no such file.csv', '{"mode": "FULL"}');
SELECT count(*) FROM items;

-- Export, and import of what was exported: the same rows. Hidden columns are there by name.
INSERT INTO interactions(user_id, item_id, event_type, event_value, timestamp, device, in_stock, price, session_id, impression, recommendation_id, event_attribution_source)
VALUES ('ann "the reader"', 'a,b', 'view', 0.1, 1700000000, 'tv|phone', 1, 1e-7, 's1', 'a|"b"', 'RID-1', 'mail'),
       ('bob' || char(10) || 'two lines', '007', NULL, NULL, 1700000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
       ('bob' || char(10) || 'two lines', '007', NULL, NULL, 1700000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
       ('Ünïcödé', ' spaces ', 'vi''ew', 5, 1700000001, ' x ', 0, 123456789.125, NULL, '["x|y","z"]', NULL, NULL);
CREATE TABLE before AS SELECT *, session_id, impression, recommendation_id, event_attribution_source FROM interactions;
.headers on
.mode csv
.nullvalue ''
.once exported.csv
SELECT *, session_id, impression, recommendation_id, event_attribution_source FROM interactions;
.headers off
.mode list
.nullvalue NULL
SELECT json_remove(personalize_import('interactions', 'exported.csv', '{"mode": "FULL"}'), '$.seconds');
CREATE TABLE after AS SELECT *, session_id, impression, recommendation_id, event_attribution_source FROM interactions;
SELECT (SELECT count(*) FROM before), (SELECT count(*) FROM after);
SELECT * FROM before EXCEPT SELECT * FROM after;
SELECT * FROM after EXCEPT SELECT * FROM before;
SELECT user_id = 'bob' || char(10) || 'two lines', count(*) FROM after GROUP BY user_id ORDER BY user_id;
