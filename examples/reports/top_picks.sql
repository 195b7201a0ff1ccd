-- What does the campaign pick for each segment of users (here: countries), and what is special about it?
-- percent: of the segment's users who have the product among their first ten; lift: how many times as often as among
-- all users. Segments of five users and more, the largest first. batch_recommend asks the campaign's version, so the
-- report is no request of the campaign.
WITH
picks AS MATERIALIZED (
  SELECT u.country, b.user_id, b.item_id
    FROM batch_recommend(10, (SELECT version FROM personalize_campaigns WHERE name = 'home')) b
    JOIN shop_users u ON u.user_id = b.user_id),
segments AS (
  SELECT country, count(DISTINCT user_id) AS users FROM picks GROUP BY country HAVING count(DISTINCT user_id) >= 5),
everywhere AS (
  SELECT item_id, 1.0 * count(*) / (SELECT count(DISTINCT user_id) FROM picks) AS share FROM picks GROUP BY item_id),
placed AS (
  SELECT country, users, item_id, 1.0 * count(*) / users AS share,
         row_number() OVER (PARTITION BY country ORDER BY count(*) DESC, item_id) AS place
    FROM picks JOIN segments USING (country) GROUP BY country, item_id)
SELECT p.country, p.users, p.place, i.name, round(100 * p.share, 1) AS percent, round(p.share / e.share, 2) AS lift
  FROM placed p JOIN everywhere e USING (item_id) JOIN shop_items i ON i.item_id = p.item_id
 WHERE p.place <= 3
 ORDER BY p.users DESC, p.country, p.place;
