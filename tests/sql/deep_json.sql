-- JSON that is nested a hundred thousand times: refused wherever a user can hand it over.
.mode list
CREATE TABLE deep(json);
INSERT INTO deep VALUES (printf('{"name": %s%s}', replace(printf('%.*c', 100000, 'x'), 'x', '['), replace(printf('%.*c', 100000, 'x'), 'x', ']')));
CREATE VIRTUAL TABLE interactions USING personalize_interactions(DEVICE string categorical);
CREATE VIRTUAL TABLE users USING personalize_users(AGE int);
INSERT INTO personalize_event_trackers VALUES ('web', 'default', 'T');
SELECT personalize_put_events(json) FROM deep;
SELECT personalize_put_events(json_object('trackingId', 'T', 'sessionId', 's', 'eventList', json_array(json_object(
  'eventType', 'view', 'sentAt', 1, 'itemId', '7', 'properties', json)))) FROM deep;
SELECT personalize_put_event('T', 's', 'u', json) FROM deep;
SELECT personalize_put_users(json) FROM deep;
SELECT personalize_put_items(json) FROM deep;
SELECT personalize_import('users', 'users.csv', json) FROM deep;
INSERT INTO personalize_solutions(name, recipe, hyperparameters) SELECT 'a', 'hrnn', json FROM deep;
INSERT INTO personalize_solutions(name, recipe, feature_transformation) SELECT 'a', 'hrnn', json FROM deep;
INSERT INTO personalize_solutions(name, recipe, perform_hpo, hpo_config) SELECT 'a', 'hrnn', 1, json FROM deep;
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('a', 'hrnn-metadata', '{"epochs": 1, "hidden_dimension": 32}');
INSERT INTO personalize_campaigns(name, version, config) SELECT 'c', 'a/latest', json FROM deep;
INSERT INTO interactions(user_id, item_id, timestamp, impression) SELECT 'u', 'a', 1, json FROM deep;
INSERT INTO interactions(user_id, item_id, timestamp, impression) SELECT 'u', 'a', 1, substr(json, 10, 200000) FROM deep;
INSERT INTO interactions(user_id, item_id, timestamp, device) SELECT 'u' || (value / 10), 'i' || (value % 10), value, 'd' || (value % 3) FROM generate_series(1, 1000);
UPDATE personalize_datasets SET arguments = (SELECT json FROM deep);
SELECT count(*) FROM personalize_campaigns;
SELECT count(*) FROM interactions;
SELECT personalize_train('a', json) FROM deep;
SELECT personalize_train('a');
SELECT item_id FROM recommend('u1', 5, NULL) WHERE context = (SELECT json FROM deep);
SELECT item_id FROM recommend('u1', 5) WHERE among = (SELECT json FROM deep);
SELECT item_id FROM rank('u1', (SELECT json FROM deep));
SELECT item_id FROM recommend('u1', 5) WHERE filter = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($TYPE)' AND filter_values = (SELECT json FROM deep);
