-- Filters that are refused, each with what is wrong and where.
INSERT INTO personalize_filters(name, expression) VALUES ('early', 'INCLUDE ItemID WHERE Items.A = 1');
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE items USING personalize_items(genre string categorical, price float);
INSERT INTO items(item_id, genre, price) VALUES ('a', 'Comedy', 5);
INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'a', 1), ('v', 'a', 2), ('v', 'b', 3);
INSERT INTO personalize_solutions(name, recipe) VALUES ('top', 'popularity-count');
SELECT personalize_train('top', '{"evaluation":"none"}');
.print --- names and groups
INSERT INTO personalize_filters(name, expression) VALUES ('a b', 'INCLUDE ItemID WHERE Items.PRICE = 1');
INSERT INTO personalize_filters(name, dataset_group, expression) VALUES ('a', 'shop', 'INCLUDE ItemID WHERE Items.PRICE = 1');
INSERT INTO personalize_filters(name, expression) VALUES ('a', NULL);
INSERT INTO personalize_filters(name, expression) VALUES ('a', '');
SELECT * FROM recommend('u', 1) WHERE filter = 'stock';
INSERT INTO personalize_filters(name, expression) VALUES ('cheap', 'INCLUDE ItemID WHERE Items.PRICE <= $PRICE');
SELECT * FROM recommend('u', 1) WHERE filter = 'stock';
INSERT INTO personalize_filters(name, expression) VALUES ('cheap', 'INCLUDE ItemID WHERE Items.PRICE <= 5');
DELETE FROM personalize_dataset_groups WHERE name = 'default';
.print --- syntax, with its place
INSERT INTO personalize_filters(name, expression) VALUES ('x', 'EXCLUDE ItemID WHERE Items.PRICE <> 5');
SELECT * FROM recommend('u', 1) WHERE filter = 'EXCLUDE ItemID WHERE Items.PRICE < 5 AND OR Items.PRICE > 9';
SELECT * FROM recommend('u', 1) WHERE filter = 'EXCLUDE ItemID WHERE Items.GENRE IN ("Comedy"';
SELECT * FROM recommend('u', 1) WHERE filter = 'EXCLUDE ItemID WHERE Items.GENRE NOT IN ($GENRE, "x")';
SELECT * FROM recommend('u', 1) WHERE filter = 'EXCLUDE ItemID WHERE Items.PRICE < 5 AND Interactions.EVENT_TYPE IN ("x")';
SELECT * FROM recommend('u', 1) WHERE filter = 'EXCLUDE ItemID WHERE Items.PRICE < 5 |';
SELECT * FROM recommend('u', 1) WHERE filter = 5;
SELECT * FROM recommend('u', 1) WHERE filter = '';
.print --- fields that are not there
INSERT INTO personalize_filters(name, expression) VALUES ('x', 'EXCLUDE ItemID WHERE Items.COLOUR IN ("red")');
SELECT * FROM recommend('u', 1) WHERE filter = 'EXCLUDE ItemID WHERE Items.PRICE > 1 IF CurrentUser.AGE > 18';
.print --- what a question has not
SELECT * FROM recommend('u', 1) WHERE filter = 'INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE';
SELECT * FROM similar_items('a', 1, NULL, 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)', NULL, 'top/1');
SELECT * FROM recommend('u', 1) WHERE filter = 'INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("x")';
.print --- values
SELECT * FROM recommend('u', 1) WHERE filter_values = '{"PRICE": 5}';
SELECT * FROM recommend('u', 1) WHERE filter = 'cheap' AND filter_values = 'PRICE=5';
SELECT * FROM recommend('u', 1) WHERE filter = 'cheap' AND filter_values = '{"price": 5}';
SELECT * FROM recommend('u', 1) WHERE filter = 'cheap' AND filter_values = '{"PRICE": "much"}';
SELECT * FROM recommend('u', 1) WHERE filter = 'cheap' AND filter_values = '{"PRICE": {"at": 5}}';
SELECT * FROM recommend('u', 1) WHERE filter = 'cheap';
SELECT item_id FROM recommend('u', 1) WHERE filter = 'cheap' AND filter_values = '{"PRICE": 5}';
.print --- very long ones
SELECT count(*) FROM recommend('u', 1) WHERE filter = 'INCLUDE ItemID WHERE Items.PRICE = 5' || replace(printf('%6000s', ''), ' ', ' OR Items.PRICE = 5');
SELECT count(*) FROM recommend('u', 1) WHERE filter = 'INCLUDE ItemID WHERE Items.PRICE = 5' || replace(printf('%4000s', ''), ' ', ' OR Items.PRICE = 5');
SELECT count(*) FROM recommend('u', 1) WHERE filter = 'INCLUDE ItemID WHERE ' || replace(printf('%10000s', ''), ' ', '(') || 'Items.PRICE = 5';
.print --- a dropped column
INSERT INTO personalize_filters(name, expression) VALUES ('comic', 'INCLUDE ItemID WHERE Items.GENRE IN ("Comedy")');
DROP TABLE items;
CREATE VIRTUAL TABLE items USING personalize_items(price float);
SELECT * FROM recommend('u', 1) WHERE filter = 'comic';
SELECT name, state, detail FROM personalize_status WHERE kind = 'filter';
DROP TABLE items;
SELECT * FROM recommend('u', 1) WHERE filter = 'cheap' AND filter_values = '{"PRICE": 5}';
