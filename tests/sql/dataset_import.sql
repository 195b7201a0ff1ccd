-- personalize_import: columns by name, all or nothing, and every error with its place.
.mode list
CREATE TEMP TABLE files(name, content);
INSERT INTO files VALUES
 ('good.csv', 'timestamp,Item_Id,USER_ID,extra,EVENT_TYPE' || char(10) || '2,i2,b,x,click' || char(10) || '1,i1,a,"a ""quoted"", x",' || char(10) || char(10) || '3,"i,3",b,,"buy"'),
 ('crlf.csv', char(65279) || 'USER_ID;ITEM_ID;TIMESTAMP' || char(13,10) || 'c;i1;"4"' || char(13,10) || 'c; i2 ;5' || char(13,10)),
 ('cr.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(13) || 'd,i1,6' || char(13) || 'd,i2,x' || char(13)),
 ('tab.tsv', 'USER_ID' || char(9) || 'ITEM_ID' || char(9) || 'TIMESTAMP' || char(10) || 'e f' || char(9) || 'i1' || char(9) || '7'),
 ('empty.csv', ''),
 ('header.csv', 'USER_ID,ITEM_ID,TIMESTAMP'),
 ('missing.csv', 'USER_ID,ITEM_ID,TIME' || char(10) || 'a,i,1'),
 ('twice.csv', 'USER_ID,ITEM_ID,TIMESTAMP,user_id' || char(10) || 'a,i,1,a'),
 ('short.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(10) || 'a,i,1' || char(10) || 'a,i'),
 ('long.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(10) || 'a,i,1,9'),
 ('noid.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(10) || 'a,i,1' || char(10) || ',i,1'),
 ('notime.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(10) || 'a,i,'),
 ('millis.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(10) || '"a",i,"1700000000000"'),
 ('longid.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(10) || printf('%.10000c', 'x') || ',i,1'),
 ('value.csv', 'USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE' || char(10) || 'a,i,1,high'),
 ('quote.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(10) || 'a,i,1' || char(10) || 'a,"i"x,1'),
 ('inner.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(10) || 'a,i"x,1'),
 ('open.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(10) || 'a,i,1' || char(10) || 'b,"i,1' || char(10) || 'c,i,1'),
 ('multi.csv', 'ITEM_ID,TITLE' || char(10) || '1,"two' || char(10) || 'lines"' || char(10) || '2,x' || char(10) || '1,again' || char(10) || ',x'),
 ('items.csv', 'ITEM_ID,TITLE,YEAR' || char(10) || '1,one,1999' || char(10) || '2,,' || char(10) || '1,again,2000');
SELECT count(writefile(name, content)) FROM files;
SELECT writefile('latin1.csv', CAST('USER_ID,ITEM_ID,TIMESTAMP' || char(10) || 'a,caf' AS BLOB) || x'e9' || ',1') > 0;
SELECT writefile('utf16.csv', x'fffe5500') > 0;

CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE items USING personalize_items(TITLE string);
SELECT json_remove(personalize_import('interactions', 'good.csv'), '$.seconds');
SELECT json_remove(personalize_import('INTERACTIONS', 'crlf.csv', '{"delimiter":";"}'), '$.seconds');
SELECT json_remove(personalize_import('main.interactions', 'tab.tsv', '{"delimiter":"\t"}'), '$.seconds');
SELECT json_remove(personalize_import('interactions', 'header.csv', NULL), '$.seconds');
SELECT rowid, * FROM interactions;
SELECT json_remove(personalize_import('items', 'items.csv'), '$.seconds');
SELECT *, typeof(title) FROM items;
SELECT json_type(personalize_import('items', 'items.csv'), '$.seconds');

-- each error, after which nothing of the file is in
SELECT personalize_import('interactions', 'cr.csv');
SELECT personalize_import('interactions', 'none.csv');
SELECT personalize_import('interactions', '.');
SELECT personalize_import('interactions', 'empty.csv');
SELECT personalize_import('interactions', 'missing.csv');
SELECT personalize_import('interactions', 'twice.csv');
SELECT personalize_import('interactions', 'short.csv');
SELECT personalize_import('interactions', 'long.csv');
SELECT personalize_import('interactions', 'noid.csv');
SELECT personalize_import('interactions', 'notime.csv');
SELECT personalize_import('interactions', 'millis.csv');
SELECT personalize_import('interactions', 'longid.csv');
SELECT personalize_import('interactions', 'value.csv');
SELECT personalize_import('interactions', 'quote.csv');
SELECT personalize_import('interactions', 'inner.csv');
SELECT personalize_import('interactions', 'open.csv');
SELECT personalize_import('interactions', 'latin1.csv');
SELECT personalize_import('interactions', 'utf16.csv');
SELECT personalize_import('items', 'multi.csv');
SELECT count(*) FROM interactions;
SELECT * FROM items;

-- in line 90,000 of 100,000
CREATE TEMP VIEW bad_lines(name, bad) AS VALUES ('broken', 'u9,"i,1'), ('missing', 'u9,i'), ('text', 'u9,i,noon'), ('null', ',i,1');
WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)
SELECT count(writefile(name || '90000.csv', 'USER_ID,ITEM_ID,TIMESTAMP' || char(13, 10) || rows)) FROM (
  SELECT name, group_concat(CASE n WHEN 90000 THEN bad ELSE 'u' || (n % 100) || ',i' || (n % 1000) || ',' || n END, char(13, 10)) AS rows
  FROM bad_lines, n GROUP BY name);
SELECT personalize_import('interactions', 'broken90000.csv');
SELECT personalize_import('interactions', 'missing90000.csv');
SELECT personalize_import('interactions', 'text90000.csv');
SELECT personalize_import('interactions', 'null90000.csv');
SELECT count(*) FROM interactions;

-- arguments
SELECT personalize_import('interactions');
SELECT personalize_import('nothing', 'good.csv');
SELECT personalize_import('files', 'good.csv');
SELECT personalize_import(NULL, 'good.csv');
SELECT personalize_import('interactions', 5);
SELECT personalize_import('interactions', 'good.csv', 'x');
SELECT personalize_import('interactions', 'good.csv', '{"delimiter":";;"}');
SELECT personalize_import('interactions', 'good.csv', '{"delimiter":"\""}');
SELECT personalize_import('interactions', 'good.csv', '{"separator":";"}');

-- in a transaction of the host, which a failed import leaves as it was
BEGIN;
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('mine', 'i', 1);
SELECT personalize_import('interactions', 'short.csv');
SELECT json_extract(personalize_import('interactions', 'good.csv'), '$.rows');
SELECT count(*) FROM interactions;
ROLLBACK;
SELECT count(*) FROM interactions;
BEGIN;
SELECT json_extract(personalize_import('interactions', 'good.csv'), '$.rows');
COMMIT;
SELECT count(*) FROM interactions;

-- not from inside a statement that writes, nor from a view
CREATE TABLE log(line);
INSERT INTO log SELECT personalize_import('interactions', 'good.csv');
CREATE VIEW import AS SELECT personalize_import('interactions', 'good.csv');
SELECT * FROM import;
SELECT count(*) FROM interactions;
DROP VIEW import;

-- the shell's own import goes by position

SELECT writefile('position.csv', 'USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP' || char(10) || 's,i,click,,1700000000' || char(10) || 's,i,,2.5,1700000001') > 0;
.import --csv position.csv interactions
SELECT * FROM interactions WHERE user_id = 's';
DELETE FROM interactions WHERE user_id = 's';
.import --csv --skip 1 position.csv interactions
SELECT * FROM interactions WHERE user_id = 's';
