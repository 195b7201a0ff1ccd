-- load: no
SELECT personalize_version();
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
SELECT * FROM recommend('1', 10);
.load @EXTENSION@
SELECT personalize_version() LIKE 'v%';
