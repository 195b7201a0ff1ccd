-- Amazon's PutEvents: event trackers, and events as JSON.
.mode list
CREATE VIRTUAL TABLE interactions USING personalize_interactions(
  DISCOUNT_RATE float, DEVICE string categorical, IN_STOCK boolean);
CREATE VIRTUAL TABLE visits USING personalize_interactions(group='shop');

-- A tracker has a random id, if none is given; a group has one tracker.
INSERT INTO personalize_event_trackers(name) VALUES ('web');
INSERT INTO personalize_event_trackers VALUES ('shop', 'shop', NULL);
SELECT name, dataset_group, tracking_id GLOB replace(printf('%.*c-%.*c-4%.*c-[89ab]%.*c-%.*c', 8, 'x', 4, 'x', 3, 'x', 3, 'x', 12, 'x'), 'x', '[0-9a-f]')
  FROM personalize_event_trackers ORDER BY name;
SELECT count(DISTINCT tracking_id) FROM personalize_event_trackers;
UPDATE personalize_event_trackers SET tracking_id = 'tracking-' || name;
UPDATE personalize_event_trackers SET name = 'site' WHERE name = 'web';
SELECT * FROM personalize_event_trackers ORDER BY name;

-- Amazon's shape: properties as JSON text or as an object, by names in camelCase or as they are.
SELECT personalize_put_events('{
  "trackingId": "tracking-web", "sessionId": "session-1", "userId": "ann",
  "eventList": [
    {"eventType": "click", "sentAt": 1700000000, "eventId": "e-1", "itemId": "50", "eventValue": 4.5,
     "properties": "{\"discountRate\": 0.25, \"device\": \"phone\"}"},
    {"eventType": "buy", "sentAt": "1700000060", "itemId": 7, "recommendationId": "RID-1",
     "properties": {"DISCOUNT_RATE": "0.5", "Device": null, "inStock": true}},
    {"eventType": "view", "sentAt": "2023-11-14T23:15:20+01:00", "impression": ["3", 4, "5"],
     "properties": {"itemId": "3", "eventValue": "2"}}]}');
SELECT *, session_id, impression, recommendation_id FROM interactions;

-- Times: seconds with a fraction, which is cut off, and ISO 8601, in UTC if there is no offset.
SELECT personalize_put_event('tracking-shop', 's', 'u', json_object('eventType', 'view', 'itemId', key, 'sentAt', atom))
  FROM json_each('[1700000000.9, "1700000000.9", "2023-11-14 22:13:20", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20.999Z",
    "2023-11-15T03:43:20+0530", "2023-11-14T22:13", "2023-11-14", 0]');
SELECT item_id, timestamp, datetime(timestamp, 'unixepoch') FROM visits ORDER BY rowid;

-- The name of a tracker is as good as its id. The events are the group's.
SELECT personalize_put_event('shop', 's', 42, '{"eventType": "view", "sentAt": 1700000000, "itemId": "9"}');
SELECT count(*) FROM visits WHERE user_id = '42';
SELECT count(*) FROM interactions WHERE user_id = '42';

-- Without a user the session's id stands for him. What is null is not there.
SELECT personalize_put_event('site', 'session-2', NULL, '{"eventType": "view", "sentAt": 1700000000, "itemId": "9", "eventValue": null}');
SELECT user_id, session_id, event_value FROM interactions WHERE item_id = '9';

-- Of equal events one is kept: the first.
SELECT personalize_put_events('{"trackingId": "site", "sessionId": "s3", "userId": "bob", "eventList": [
  {"eventType": "click", "sentAt": 1700000000, "itemId": "1", "impression": ["1", "2"]},
  {"eventType": "click", "sentAt": 1700000000, "itemId": "1", "impression": ["1", "2"]},
  {"eventType": "click", "sentAt": 1700000000, "itemId": "1", "impression": ["1", "3"]},
  {"eventType": "click", "sentAt": 1700000000, "itemId": "2"},
  {"eventType": "click", "sentAt": 1700000001, "itemId": "2"},
  {"eventType": "buy", "sentAt": 1700000001, "itemId": "2"},
  {"eventType": "buy", "sentAt": 1700000001, "itemId": "2", "properties": {"inStock": false}},
  {"eventType": "buy", "sentAt": 1700000001, "itemId": "2", "recommendationId": "RID-2"},
  {"eventType": "buy", "sentAt": 1700000001, "itemId": "2", "recommendationId": "RID-2"}]}');
SELECT personalize_put_event('site', 's3', 'bob', '{"eventType": "buy", "sentAt": 1700000001, "itemId": "2", "properties": {"IN_STOCK": "false"}}');
SELECT personalize_put_event('site', 's3', 'bob', '{"eventType": "buy", "sentAt": 1700000001, "itemId": "2", "properties": {"IN_STOCK": 1}}');
SELECT item_id, event_type, timestamp, in_stock, impression, recommendation_id FROM interactions WHERE user_id = 'bob' ORDER BY rowid;

-- What the user was shown is counted.
SELECT i.id, e.shown FROM interactions_exposure e JOIN interactions_item i ON i.code = e.item ORDER BY i.id;

-- All or nothing, also inside a transaction, which it leaves open.
BEGIN;
SELECT personalize_put_event('site', 's4', 'cid', '{"eventType": "view", "sentAt": 1700000000, "itemId": "1"}');
SELECT personalize_put_events('{"trackingId": "site", "sessionId": "s4", "userId": "cid", "eventList": [
  {"eventType": "view", "sentAt": 1700000001, "itemId": "new"}, {"eventType": "view", "sentAt": 1700000002, "itemId": ""}]}');
SELECT count(*) FROM interactions WHERE user_id = 'cid';
ROLLBACK;
SELECT count(*) FROM interactions WHERE user_id = 'cid';
SELECT count(*) FROM interactions_item WHERE id = 'new';

-- A column EVENT_ID tells equal events by their ids alone; metricAttribution goes to EVENT_ATTRIBUTION_SOURCE.
CREATE VIRTUAL TABLE calls USING personalize_interactions(group='calls', EVENT_ID string);
INSERT INTO personalize_event_trackers VALUES ('calls', 'calls', 'T');
SELECT personalize_put_events('{"trackingId": "T", "sessionId": "s", "userId": "u", "eventList": [
  {"eventType": "call", "sentAt": 1700000000, "itemId": "1", "eventId": "a", "metricAttribution": {"eventAttributionSource": "mail"}},
  {"eventType": "call", "sentAt": 1700000009, "itemId": "2", "eventId": "a"},
  {"eventType": "call", "sentAt": 1700000000, "itemId": "1", "eventId": "b"},
  {"eventType": "call", "sentAt": 1700000000, "itemId": "1"}]}');
SELECT item_id, event_id, event_attribution_source FROM calls;

-- In an attached database.
ATTACH 'other.db' AS other;
CREATE VIRTUAL TABLE other.interactions USING personalize_interactions;
INSERT INTO other.personalize_event_trackers VALUES ('other', 'default', 'O');
SELECT personalize_put_event('O', 's', 'u', '{"eventType": "view", "sentAt": 1700000000, "itemId": "1"}');
SELECT user_id FROM other.interactions;

-- A group with a tracker stays.
DROP TABLE calls;
DELETE FROM personalize_dataset_groups WHERE name = 'calls';
UPDATE personalize_dataset_groups SET name = 'telephone' WHERE name = 'calls';
DELETE FROM personalize_event_trackers WHERE name = 'calls';
DELETE FROM personalize_dataset_groups WHERE name = 'calls';
SELECT name FROM personalize_dataset_groups;
