-- Films from a CSV: examples/movies runs this in the sqlite3 shell, in examples/work.
.load ../../build/personalize
.mode column --wrap 0

CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE items USING personalize_items(TITLE string, YEAR int, GENRES string categorical);
SELECT personalize_import('interactions', 'interactions.csv');
SELECT personalize_import('items', 'items.csv');

.print
.print "## Learn from ratings of 7 and more"
INSERT INTO personalize_solutions(name, recipe, event_value_threshold) VALUES ('movies', 'hrnn', 7);
SELECT personalize_train('movies', '{"budget_seconds": 30}');
SELECT metric, k, round(value, 4) AS value, round(baseline, 4) AS popularity, round(markov, 4) AS markov
  FROM personalize_metrics WHERE version = 'movies/1' AND seen = 'excluded';

INSERT INTO personalize_campaigns(name, version, min_provisioned_tps, max_tps) VALUES ('home', 'movies/latest', 10, 500);

.print
.print "## What user 10280 rated last, and what he may like"
SELECT i.title, e.event_value AS rating FROM interactions e JOIN items i USING (item_id)
 WHERE e.user_id = '10280' ORDER BY e.timestamp DESC LIMIT 5;
SELECT r.rank, i.title, i.genres FROM recommend('10280', 5) r JOIN items i USING (item_id) ORDER BY r.rank;

.print
.print "## A list of films in his order"
SELECT r.rank, i.title FROM rank('10280', json_array('0111161', '1300854', '1408101', '0770828', '1670345')) r
  JOIN items i USING (item_id) ORDER BY r.rank;

.print
.print "## He rates Iron Man 3 now: the very next question knows"
INSERT INTO interactions(user_id, item_id, event_type, event_value, timestamp)
  VALUES ('10280', '1300854', 'rating', 9, unixepoch());
SELECT r.rank, i.title FROM recommend('10280', 5) r JOIN items i USING (item_id) ORDER BY r.rank;

.print
.print "## Somebody nobody knows gets what is popular"
SELECT r.rank, i.title FROM recommend('a new visitor', 3) r JOIN items i USING (item_id) ORDER BY r.rank;
