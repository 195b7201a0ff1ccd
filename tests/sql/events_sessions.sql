-- A session's id is the user until an event names both; then the session's events are the user's.
.mode list
CREATE VIRTUAL TABLE interactions USING personalize_interactions(DEVICE string);
INSERT INTO personalize_event_trackers(name) VALUES ('web');
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('ann', 'old', 1600000000);

SELECT personalize_put_event('web', 's1', NULL, '{"eventType": "view", "sentAt": 1700000000, "itemId": "a", "impression": ["a", "b"], "properties": {"device": "tv"}}');
SELECT personalize_put_event('web', 's1', 's1', '{"eventType": "view", "sentAt": 1700000001, "itemId": "b"}');
SELECT personalize_put_event('web', 's2', NULL, '{"eventType": "view", "sentAt": 1700000002, "itemId": "c"}');
SELECT user_id, item_id, session_id FROM interactions ORDER BY timestamp;
SELECT * FROM interactions_session;

-- The user is known: his history holds the session's, whole, in order of time.
SELECT personalize_put_event('web', 's1', 'ann', '{"eventType": "buy", "sentAt": 1700000003, "itemId": "b"}');
SELECT user_id, item_id, event_type, timestamp, device, session_id, impression FROM interactions ORDER BY timestamp;
SELECT i.id, e.shown FROM interactions_exposure e JOIN interactions_item i ON i.code = e.item WHERE e.shown <> 0 ORDER BY i.id;

-- Later events of the session are his, also where a request leaves him out or names the session as its user.
SELECT personalize_put_event('web', 's1', NULL, '{"eventType": "view", "sentAt": 1700000004, "itemId": "d"}');
SELECT personalize_put_event('web', 's1', 's1', '{"eventType": "view", "sentAt": 1700000005, "itemId": "e"}');
SELECT user_id, group_concat(item_id) FROM (SELECT * FROM interactions ORDER BY timestamp) GROUP BY user_id ORDER BY user_id;

-- What was sent without him and is sent again with him is there once.
SELECT personalize_put_event('web', 's2', 'ann', '{"eventType": "view", "sentAt": 1700000002, "itemId": "c"}');
SELECT count(*) FROM interactions WHERE item_id = 'c' AND user_id = 'ann';

-- Another user of the same session: what comes from now on is his.
SELECT personalize_put_event('web', 's1', 'bob', '{"eventType": "view", "sentAt": 1700000006, "itemId": "f"}');
SELECT personalize_put_event('web', 's1', NULL, '{"eventType": "view", "sentAt": 1700000007, "itemId": "g"}');
SELECT user_id, group_concat(item_id) FROM (SELECT * FROM interactions ORDER BY timestamp) GROUP BY user_id ORDER BY user_id;
SELECT * FROM interactions_session ORDER BY session;

-- A user whose id is the same text as a session's keeps his events.
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('42', 'mine', 1600000000);
SELECT personalize_put_event('web', '42', 'cid', '{"eventType": "view", "sentAt": 1700000008, "itemId": "h"}');
SELECT user_id, item_id FROM interactions WHERE user_id IN ('42', 'cid') ORDER BY timestamp;

-- A ROLLBACK, or a bad event in the same request, parts them again.
SELECT personalize_put_event('web', 's3', NULL, '{"eventType": "view", "sentAt": 1700000009, "itemId": "i"}');
BEGIN;
SELECT personalize_put_event('web', 's3', 'dan', '{"eventType": "view", "sentAt": 1700000010, "itemId": "j"}');
SELECT item_id FROM interactions WHERE user_id = 'dan' ORDER BY timestamp;
ROLLBACK;
SELECT personalize_put_event('web', 's3', 'dan', '{"eventType": "view"}');
SELECT user_id, item_id FROM interactions WHERE session_id = 's3';
SELECT count(*) FROM interactions_session WHERE session = 's3';

-- Questions and trainings know of it at once.
INSERT INTO interactions(user_id, item_id, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299)
  SELECT 'u' || (i % 30), 'x' || ((i * 7 + i / 30) % 12), 1700000000 + i FROM n;
INSERT INTO personalize_solutions(name, recipe) VALUES ('club', 'markov');
SELECT personalize_train('club');
SELECT personalize_put_event('web', 's4', NULL, '{"eventType": "view", "sentAt": 1700001000, "itemId": "x1"}');
SELECT personalize_put_event('web', 's4', 'u1', '{"eventType": "view", "sentAt": 1700001001, "itemId": "x2"}');
CREATE TABLE joined AS SELECT rank, item_id, score FROM recommend('u1', 5, NULL);
DELETE FROM interactions WHERE session_id = 's4';
INSERT INTO interactions(user_id, item_id, event_type, timestamp) VALUES ('u1', 'x1', 'view', 1700001000), ('u1', 'x2', 'view', 1700001001);
SELECT count(*) FROM joined;
SELECT * FROM joined EXCEPT SELECT rank, item_id, score FROM recommend('u1', 5, NULL);
SELECT users FROM personalize_versions;
SELECT personalize_put_event('web', 's3', 'u1', '{"eventType": "view", "sentAt": 1700001002, "itemId": "x3"}');
SELECT personalize_train('club');
SELECT users FROM personalize_versions;

-- Nothing of a user who is forgotten is left, nor of a session.
SELECT personalize_forget('bob');
SELECT personalize_forget('42');
SELECT * FROM interactions_session ORDER BY session;

-- The table follows its dataset.
ALTER TABLE interactions RENAME TO events;
SELECT personalize_put_event('web', 's5', 'eve', '{"eventType": "view", "sentAt": 1700001003, "itemId": "x3"}');
SELECT user FROM events_session WHERE session = 's5';
DROP TABLE events;
SELECT name FROM sqlite_schema WHERE name LIKE '%session%';
