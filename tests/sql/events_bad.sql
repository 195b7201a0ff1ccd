-- What personalize_put_events and personalize_put_event refuse. Nothing of it is written.
.mode list
SELECT personalize_put_event('web', 's', 'u', '{}');
INSERT INTO personalize_event_trackers(name) VALUES ('web');
CREATE VIRTUAL TABLE interactions USING personalize_interactions(PRICE float, DEVICE string categorical, LINE_2 int);
SELECT personalize_put_event('web', 's', 'u', '{}');

-- Trackers.
INSERT INTO personalize_event_trackers(name) VALUES ('web site');
INSERT INTO personalize_event_trackers(name, dataset_group) VALUES ('web', 'shop');
INSERT INTO personalize_event_trackers(name, tracking_id) VALUES ('web', '');
INSERT INTO personalize_event_trackers(name, tracking_id) VALUES ('web', x'00');
INSERT INTO personalize_event_trackers(name, tracking_id) VALUES ('web', printf('%.*c', 257, 'x'));
INSERT INTO personalize_event_trackers(name, tracking_id) VALUES ('web', 'T');
INSERT INTO personalize_event_trackers(name, tracking_id) VALUES ('app', 'A');
INSERT INTO personalize_event_trackers(name, tracking_id) VALUES ('web', 'A');
INSERT INTO personalize_dataset_groups VALUES ('empty'), ('shop');
INSERT INTO personalize_event_trackers VALUES ('empty', 'empty', 'T');
INSERT INTO personalize_event_trackers VALUES ('empty', 'empty', 'E');
UPDATE personalize_event_trackers SET dataset_group = 'default';
UPDATE personalize_event_trackers SET dataset_group = 'none' WHERE name = 'empty';
SELECT * FROM personalize_event_trackers;

-- Not a request.
SELECT personalize_put_events();
SELECT personalize_put_events(NULL);
SELECT personalize_put_events(42);
SELECT personalize_put_events(x'7b7d');
SELECT personalize_put_events('');
SELECT personalize_put_events('{"trackingId": "T", }');
SELECT personalize_put_events('[1]');
SELECT personalize_put_events('"text"');
SELECT personalize_put_events('{}');
SELECT personalize_put_events('{"trackingID": "T"}');
SELECT personalize_put_events('{"trackingId": ["T"]}');
SELECT personalize_put_events('{"trackingId": "nobody", "sessionId": "s", "eventList": [{}]}');
SELECT personalize_put_events('{"trackingId": "T"}');
SELECT personalize_put_events('{"trackingId": "T", "sessionId": null}');
SELECT personalize_put_events('{"trackingId": "T", "sessionId": ""}');
SELECT personalize_put_events('{"trackingId": "T", "sessionId": "s"}');
SELECT personalize_put_events('{"trackingId": "T", "sessionId": "s", "userId": true}');
SELECT personalize_put_events('{"trackingId": "T", "sessionId": "s", "eventList": []}');
SELECT personalize_put_events('{"trackingId": "T", "sessionId": "s", "eventList": {"eventType": "view"}}');
SELECT personalize_put_events('{"trackingId": "T", "sessionId": "s", "eventList": [7]}');
SELECT personalize_put_events('{"trackingId": "E", "sessionId": "s", "eventList": [{}]}');
SELECT personalize_put_events(printf('{"trackingId": "T", "sessionId": "%.*c", "eventList": [{"eventType": "view", "sentAt": 1, "itemId": "7"}]}', 2049, 'x'));
SELECT personalize_put_events(printf('{"trackingId": "T", "sessionId": "s", "eventList": [{"eventType": "view", "sentAt": 1, "itemId": "%.*c"}]}', 2049, 'x'));
SELECT personalize_put_events(printf('%.*c', 1000000, '['));
SELECT personalize_put_events(printf('{"trackingId": %s%s}', replace(printf('%.*c', 100000, '['), '[', '[['), replace(printf('%.*c', 100000, ']'), ']', ']]')));

-- Arguments of the short form.
SELECT personalize_put_event(NULL, 's', 'u', '{}');
SELECT personalize_put_event('T', NULL, 'u', '{}');
SELECT personalize_put_event('T', 's', '', '{}');
SELECT personalize_put_event('T', 's', 1.5, '{}');
SELECT personalize_put_event('T', 's', 'u', NULL);
SELECT personalize_put_event('T', 's', 'u', '{');
SELECT personalize_put_event('T', 's', 'u');

-- Events. The first column of the list is the event.
CREATE TABLE bad(event);
INSERT INTO bad VALUES
  ('{}'),
  ('{"eventType": "view"}'),
  ('{"eventType": "view", "sentAt": 1}'),
  ('{"eventType": "", "sentAt": 1, "itemId": "7"}'),
  ('{"eventType": ["view"], "sentAt": 1, "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": null, "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": true, "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": 1700000000000, "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": 4102444800, "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": "2100-01-01T00:00:00Z", "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": -1, "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": 1e300, "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": 99999999999999999999, "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": "", "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": "now", "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": "2023-02-29", "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": "2023-02-28T24:00:00Z", "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": "2023-02-28T12:00:00 CET", "itemId": "7"}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": ""}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": 7.5}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": {"id": 7}}'),
  ('{"eventType": "view", "sentAt": 1, "itemID": "7"}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "eventValue": "much"}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "recommendationId": "12345678901234567890123456789012345678901"}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "impression": "7|8"}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "impression": ["7", null]}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "impression": ["7", ""]}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "metricAttribution": "mail"}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "metricAttribution": {}}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "metricAttribution": {"source": "mail"}}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "metricAttribution": {"eventAttributionSource": ["mail"]}}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "properties": 5}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "properties": "{price: 5}"}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "properties": "5"}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "properties": {"price": 5, "colour": "red"}}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "properties": {"price": "cheap"}}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "properties": {"price": true}}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "properties": {"line2": 3000000000}}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "properties": {"device": ["phone", "tv"]}}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "properties": {"price": 5, "PRICE": 6}}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "properties": {"itemId": "8"}}'),
  ('{"eventType": "view", "sentAt": 1, "itemId": "7", "properties": {"userId": "v"}}');
.once calls.sql
SELECT printf('SELECT personalize_put_events(%Q);', json_object('trackingId', 'T', 'sessionId', 's', 'userId', 'u',
  'eventList', json_array(json('{"eventType": "good", "sentAt": 1, "itemId": "7"}'), json(event)))) FROM bad ORDER BY rowid;
.read calls.sql
SELECT count(*) FROM interactions;
SELECT count(*) FROM interactions_item;

-- What a clock that is a little fast says is taken; so are ids that are longer than Amazon's 256.
SELECT personalize_put_event('T', printf('%.*c', 300, 's'), 'u', json_object('eventType', 'view', 'itemId', '7', 'sentAt', unixepoch() + 200));

-- Not inside a statement that writes, nor a view.
CREATE TABLE results(n);
INSERT INTO results SELECT personalize_put_event('T', 's', 'u', '{"eventType": "view", "sentAt": 1, "itemId": "7"}');
CREATE VIEW writing AS SELECT personalize_put_event('T', 's', 'u', '{"eventType": "view", "sentAt": 1, "itemId": "7"}');
SELECT * FROM writing;

-- A business table is its application's.
CREATE TABLE orders(user_id, item_id, timestamp);
CREATE INDEX orders_user ON orders(user_id);
CREATE VIRTUAL TABLE purchases USING personalize_interactions(group='shop', content='orders');
INSERT INTO personalize_event_trackers VALUES ('shop', 'shop', 'S');
SELECT personalize_put_event('S', 's', 'u', '{"eventType": "view", "sentAt": 1, "itemId": "7"}');
SELECT count(*) FROM orders;
