-- Impressions: which items a user was shown. <table>_exposure counts them in the event's own
-- transaction.
.mode list
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIEW shown AS SELECT i.id, e.shown FROM interactions_exposure e
  JOIN interactions_item i ON i.code = e.item WHERE e.shown <> 0 ORDER BY i.id;

-- Amazon's form, and a JSON array; each item counts once an event.
INSERT INTO interactions(user_id, item_id, timestamp, impression) VALUES ('ann', 'b', 1, 'a|b| c ||b');
INSERT INTO interactions(user_id, item_id, timestamp, impression) VALUES ('ann', 'a', 2, '["a", 7, "x|y", "", null]');
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('ann', 'a', 3);
SELECT * FROM shown;
SELECT item_id, impression, recommendation_id FROM interactions ORDER BY timestamp;

-- It goes back with its event, and follows it when that changes.
BEGIN;
INSERT INTO interactions(user_id, item_id, timestamp, impression) VALUES ('bob', 'a', 4, 'a|new');
SELECT 'inside', * FROM shown WHERE id IN ('a', 'new');
ROLLBACK;
SELECT 'after', * FROM shown WHERE id IN ('a', 'new');
BEGIN;
SAVEPOINT s;
INSERT INTO interactions(user_id, item_id, timestamp, impression) VALUES ('bob', 'a', 4, 'a|newer');
ROLLBACK TO s;
INSERT INTO interactions(user_id, item_id, timestamp, impression) VALUES ('bob', 'a', 5, 'newest|a');
COMMIT;
SELECT * FROM shown;
UPDATE interactions SET impression = 'c|d' WHERE timestamp = 1;
UPDATE interactions SET event_value = 5;
UPDATE interactions SET user_id = 'cid' WHERE user_id = 'bob';
SELECT * FROM shown;
UPDATE interactions SET impression = NULL WHERE timestamp = 2;
DELETE FROM interactions WHERE user_id = 'cid';
SELECT * FROM shown;
SELECT personalize_forget('ann');
SELECT * FROM shown;
SELECT count(*) FROM interactions;

-- A statement that is refused counts nothing.
INSERT INTO interactions(user_id, item_id, timestamp, impression) VALUES ('ann', 'a', 'noon', 'a|b');
INSERT OR IGNORE INTO interactions(user_id, item_id, timestamp, impression)
  VALUES ('ann', 'a', 1, 'a|b'), ('ann', '', 1, 'a|b');
SELECT * FROM shown;

-- A recommendation id that is not known implies nothing; one that is none is refused.
INSERT INTO interactions(user_id, item_id, timestamp, recommendation_id) VALUES ('ann', 'b', 2, 'RID-unknown');
INSERT INTO interactions(user_id, item_id, timestamp, recommendation_id)
  VALUES ('ann', 'b', 3, '12345678901234567890123456789012345678901');
SELECT item_id, impression, recommendation_id FROM interactions ORDER BY timestamp;

-- The table follows its dataset.
DROP VIEW shown;
ALTER TABLE interactions RENAME TO events;
INSERT INTO events(user_id, item_id, timestamp, impression) VALUES ('ann', 'b', 4, 'b');
SELECT * FROM events_exposure ORDER BY item;
UPDATE events_exposure SET item = 99 WHERE item = 1;
SELECT * FROM personalize_check;
UPDATE events_exposure SET item = 1 WHERE item = 99;
SELECT count(*) FROM personalize_check;
DROP TABLE events;
SELECT name FROM sqlite_schema WHERE name LIKE 'events%' OR name LIKE 'interactions%';

-- Both in a declared schema, and from a business table, whose impressions are not counted.
CREATE VIRTUAL TABLE declared USING personalize_interactions(
  USER_ID string, ITEM_ID string, TIMESTAMP long, IMPRESSION string, RECOMMENDATION_ID string);
INSERT INTO declared VALUES ('u', 'a', 1, 'a|b', 'RID-1');
SELECT * FROM declared;
SELECT * FROM declared_exposure;
DROP TABLE declared;
CREATE TABLE visits(user_id, item_id, timestamp, seen);
CREATE INDEX visits_user ON visits(user_id);
INSERT INTO visits VALUES ('u', 'a', 1, 'a|b');
CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='visits', impression='seen');
SELECT item_id, impression, recommendation_id FROM interactions;
SELECT name FROM sqlite_schema WHERE name LIKE '%exposure%';
