-- Before the first dataset the catalog's tables are there, empty, and say what to do first.
SELECT count(*) FROM personalize_solutions;
SELECT name, version, id FROM personalize_campaigns;
SELECT count(*) FROM personalize_datasets JOIN personalize_dataset_groups;
SELECT * FROM personalize_settings WHERE name = 'store_path';
INSERT INTO personalize_solutions(name, recipe) VALUES ('movies', 'hrnn');
INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'movies/latest');
INSERT OR REPLACE INTO personalize_settings VALUES ('store_path', '/tmp');
UPDATE personalize_solutions SET recipe = 'sims';
DELETE FROM personalize_solutions;
DROP TABLE personalize_solutions;
-- They are no part of the schema.
SELECT count(*) FROM sqlite_schema;
