-- Filters: every form of Amazon's grammar, inside the search, over popular items whose order is known.
CREATE VIRTUAL TABLE interactions USING personalize_interactions(device string categorical);
CREATE VIRTUAL TABLE items USING personalize_items(genre string categorical, title string, price float, on_sale boolean);
CREATE VIRTUAL TABLE users USING personalize_users(age int, likes string categorical);
INSERT INTO items(item_id, genre, title, price, on_sale) VALUES ('a', 'Comedy|Drama', 'A', 5, 1), ('b', 'Drama', 'B|C', 10, 0),
  ('c', 'Comedy', 'C', 20, 1), ('d', 'Horror', 'D', NULL, NULL), ('e', NULL, 'E', 7.5, 0);
INSERT INTO users(user_id, age, likes) VALUES ('old', 60, 'Drama|Horror'), ('young', 12, 'Comedy');
-- a, b, c, d, e, f: the more popular the earlier; f has no row among the items
INSERT INTO interactions(user_id, item_id, event_type, timestamp)
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 21)
  SELECT 'u' || i, item, 'view', 1000 + i FROM n, (SELECT 'a' AS item, 21 AS users UNION ALL SELECT 'b', 18 UNION ALL SELECT 'c', 15
    UNION ALL SELECT 'd', 12 UNION ALL SELECT 'e', 9 UNION ALL SELECT 'f', 6) WHERE i <= users;
INSERT INTO interactions(user_id, item_id, event_type, event_value, timestamp, device) VALUES ('old', 'a', 'Click', 1, 2000, 'mobile'),
  ('old', 'b', 'stream', 5, 2001, 'tv'), ('old', 'a', 'stream', 2, 2002, 'tv'), ('young', 'c', 'favorite', NULL, 2003, 'mobile');
INSERT INTO personalize_solutions(name, recipe) VALUES ('top', 'popularity-count');
SELECT personalize_train('top', '{"evaluation":"none"}');
INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'top/1');
.print --- all
SELECT group_concat(item_id, ' ') FROM recommend('old', 10);
.print --- the examples of Amazon's guide
INSERT INTO personalize_filters(name, expression) VALUES
  ('not-clicked', 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click", "stream")'),
  ('genre-price', 'INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) AND Items.PRICE <= $PRICE IF CurrentUser.AGE > 18'),
  ('category-or-favorite', 'INCLUDE ItemID WHERE Items.GENRE IN ($CATEGORY) | INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("favorite")');
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'not-clicked');
SELECT group_concat(item_id, ' ') FROM recommend('young', 10, NULL, 'not-clicked');
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'genre-price', '{"GENRE": "\"Comedy\",\"Drama\"", "PRICE": 10}');
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'genre-price', '{"GENRE": ["Comedy"], "PRICE": "19.5"}');
.print --- IF does not hold: the clause does not apply
SELECT group_concat(item_id, ' ') FROM recommend('young', 10, NULL, 'genre-price', '{"GENRE": "Comedy", "PRICE": 10}');
SELECT group_concat(item_id, ' ') FROM recommend('young', 10, NULL, 'category-or-favorite', '{"CATEGORY": "Horror"}');
.print --- chains: INCLUDEs together, less EXCLUDEs, in any order
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'EXCLUDE ItemID WHERE Items.PRICE > 9 | INCLUDE ItemID WHERE Items.GENRE IN ("Comedy") | INCLUDE ItemID WHERE Items.GENRE IN ("Drama")');
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'EXCLUDE ItemID WHERE Items.PRICE > 9 | EXCLUDE ItemID WHERE Items.TITLE IN ("D")');
.print --- operators
SELECT f, (SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'INCLUDE ItemID WHERE ' || f)) FROM (SELECT column1 AS f FROM (VALUES
  ('Items.GENRE IN ("Drama")'), ('items.genre not in ("Drama")'), ('Items.PRICE = 7.5'), ('Items.PRICE != 7.5'), ('Items.PRICE < 7.5'), ('Items.PRICE >= 7.5'),
  ('Items.PRICE > 5 AND Items.PRICE < 20'), ('Items.PRICE < 6 OR Items.PRICE > 15'), ('Items.PRICE < 6 OR Items.GENRE IN ("Horror") AND Items.TITLE = "D"'),
  ('Items.ON_SALE = true'), ('Items.ON_SALE IN ("False")'), ('Items.TITLE IN ("B|C")'), ('Items.TITLE IN ("B")'), ('Items.ITEM_ID IN ("b", "d")'), ('Items.GENRE IN (*)'),
  ('Interactions.EVENT_TYPE IN (*)'), ('Interactions.EVENT_TYPE IN ("CLICK")'), ('Interactions.EVENT_VALUE >= 3'), ('Interactions.DEVICE IN ("tv") AND Interactions.EVENT_VALUE < 3'),
  ('Items.GENRE IN CurrentUser.LIKES'), ('Items.PRICE < CurrentUser.AGE')));
.print --- a parameter left out: an EXCLUDE does not apply, an INCLUDE needs it
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'EXCLUDE ItemID WHERE Items.GENRE IN ($GENRE) | EXCLUDE ItemID WHERE Items.PRICE > 15');
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'genre-price', '{"GENRE": "Comedy"}');
.print --- k answers if k pass, with the scores of the whole catalogue
SELECT r.item_id, r.score = a.score FROM recommend('old', 2, NULL, 'INCLUDE ItemID WHERE Items.GENRE IN (*) AND Items.PRICE >= 10') r JOIN recommend('old', 10) a USING (item_id);
.print --- with among and excluding
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'not-clicked') WHERE among IN ('a', 'c', 'e') AND excluding = 'e';
.print --- rank, similar_items, batch_recommend
SELECT group_concat(item_id, ' ') FROM rank('old', json_array('e', 'b', 'stranger', 'a')) WHERE filter = 'INCLUDE ItemID WHERE Items.PRICE < 9';
INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('near', 'sims', '{"min_cointeraction_count": 1, "popularity_discount_factor": 0}');
SELECT personalize_train('near', '{"evaluation":"none"}');
SELECT group_concat(item_id, ' ') FROM similar_items('a', 10, NULL, 'INCLUDE ItemID WHERE Items.GENRE IN CurrentItem.GENRE', NULL, 'near/1');
SELECT group_concat(item_id, ' ') FROM similar_items('a', 10, NULL, 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("stream")', NULL, 'near/1') WHERE user_id = 'old';
SELECT user_id, group_concat(item_id, ' ') FROM batch_recommend(2, 'top/1', 'not-clicked') WHERE user_id IN ('old', 'u1', 'young') GROUP BY user_id;
SELECT user_id, group_concat(item_id, ' ') FROM batch_recommend(3, 'top/1', 'genre-price', '{"GENRE": "Drama", "PRICE": 100}') WHERE user_id IN ('old', 'u1', 'young') GROUP BY user_id;
.print --- what changes is seen at once, what is rolled back is not
INSERT INTO interactions(user_id, item_id, event_type, timestamp) VALUES ('young', 'a', 'click', 3000);
SELECT group_concat(item_id, ' ') FROM recommend('young', 10, NULL, 'not-clicked');
UPDATE items SET price = 50 WHERE item_id = 'a';
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'INCLUDE ItemID WHERE Items.PRICE > 15');
BEGIN;
UPDATE items SET price = 1 WHERE item_id = 'a';
INSERT INTO items(item_id, price) VALUES ('f', 30);
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'INCLUDE ItemID WHERE Items.PRICE > 15');
ROLLBACK;
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'INCLUDE ItemID WHERE Items.PRICE > 15');
DELETE FROM items WHERE item_id = 'c';
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'INCLUDE ItemID WHERE Items.PRICE > 15');
UPDATE users SET likes = 'Comedy' WHERE user_id = 'old';
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'INCLUDE ItemID WHERE Items.GENRE IN CurrentUser.LIKES');
.print --- filters of users, in user_segment
INSERT INTO personalize_solutions(name, recipe) VALUES ('chain', 'markov');
SELECT personalize_train('chain', '{"evaluation":"none"}');
INSERT INTO users(user_id, age) VALUES ('u1', 30), ('u2', 50);
SELECT f, (SELECT group_concat(user_id, ' ') FROM (SELECT user_id FROM user_segment('a', 100, 'chain/1', f) ORDER BY user_id)) FROM (SELECT column1 AS f FROM (VALUES
  ('INCLUDE UserID WHERE Users.AGE > 25'), ('INCLUDE UserID WHERE Users.AGE > 25 | EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("stream")'),
  ('INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("click", "favorite")'), ('INCLUDE UserID WHERE Users.LIKES IN ("Comedy") OR Users.AGE < 20'),
  ('EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("view")')));
SELECT user_id FROM user_segment('a', 1, 'chain/1', 'INCLUDE UserID WHERE Users.AGE > $AGE', '{"AGE": 40}') WHERE user_id <> '';
SELECT count(*) FROM user_segment('a', 1, 'chain/1', 'INCLUDE UserID WHERE Users.AGE > 25');
SELECT * FROM user_segment('a', 1, 'chain/1', 'INCLUDE ItemID WHERE Items.PRICE > 5');
SELECT * FROM user_segment('a', 1, 'chain/1', NULL, '{}');
.print --- a filter that leaves nothing, and the hint
SELECT count(*) FROM recommend('old', 10, NULL, 'INCLUDE ItemID WHERE Items.PRICE > 1000');
SELECT name, state, detail FROM personalize_status WHERE kind IN ('question', 'filter');
.print --- filters are named within their group, and one statement reads a changed one anew
UPDATE personalize_filters SET expression = 'INCLUDE ItemID WHERE Items.TITLE IN ("E")' WHERE name = 'not-clicked';
SELECT group_concat(item_id, ' ') FROM recommend('old', 10, NULL, 'not-clicked');
DELETE FROM personalize_filters WHERE name = 'not-clicked';
SELECT count(*) FROM recommend('old', 10, NULL, 'not-clicked');
