-- The catalog: what users declare, in ordinary tables, so that any tool can browse and join them.
-- Made in the schema of the first dataset ("main." is replaced when that is an attached database).
--
-- Checks are triggers that call personalize_check_*(), because RAISE() takes only a
-- literal: the function fails with a sentence of its own. Without the extension the tables can be
-- read, dumped and altered; writing to them says "no such function". No views: one over a function
-- or a table of the extension would make ALTER TABLE fail on every other table where the extension
-- is not loaded.

CREATE TABLE IF NOT EXISTS main.personalize_identity(
  uuid         TEXT NOT NULL,     -- 32 hex digits; the same stands in models.mdb
  state_secret INTEGER NOT NULL   -- keys the hashes of user ids in states.mdb
);

CREATE TABLE IF NOT EXISTS main.personalize_settings(
  name  TEXT PRIMARY KEY NOT NULL,
  value TEXT
);
CREATE TRIGGER IF NOT EXISTS main.personalize_settings_insert
BEFORE INSERT ON personalize_settings BEGIN
  SELECT personalize_check_setting(new.name, new.value);
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_settings_update
BEFORE UPDATE ON personalize_settings BEGIN
  SELECT personalize_check_setting(new.name, new.value);
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_settings_delete
BEFORE DELETE ON personalize_settings BEGIN
  SELECT personalize_check_unused('setting', old.name, NULL, NULL);
END;

CREATE TABLE IF NOT EXISTS main.personalize_dataset_groups(
  name TEXT PRIMARY KEY NOT NULL
);
CREATE TRIGGER IF NOT EXISTS main.personalize_dataset_groups_insert
BEFORE INSERT ON personalize_dataset_groups BEGIN
  SELECT personalize_check_dataset_group(new.name);
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_dataset_groups_update
BEFORE UPDATE ON personalize_dataset_groups BEGIN
  SELECT personalize_check_dataset_group(new.name);
  SELECT personalize_check_unused('dataset group', old.name, 'dataset', group_concat(table_name, ', '))
    FROM personalize_datasets WHERE dataset_group = old.name AND old.name <> new.name;
  SELECT personalize_check_unused('dataset group', old.name, 'solution', group_concat(name, ', '))
    FROM personalize_solutions WHERE dataset_group = old.name AND old.name <> new.name;
  SELECT personalize_check_unused('dataset group', old.name, 'event tracker', group_concat(name, ', '))
    FROM personalize_event_trackers WHERE dataset_group = old.name AND old.name <> new.name;
  SELECT personalize_check_unused('dataset group', old.name, 'filter', group_concat(name, ', '))
    FROM personalize_filters WHERE dataset_group = old.name AND old.name <> new.name;
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_dataset_groups_delete
BEFORE DELETE ON personalize_dataset_groups BEGIN
  SELECT personalize_check_unused('dataset group', old.name, 'dataset', group_concat(table_name, ', '))
    FROM personalize_datasets WHERE dataset_group = old.name;
  SELECT personalize_check_unused('dataset group', old.name, 'solution', group_concat(name, ', '))
    FROM personalize_solutions WHERE dataset_group = old.name;
  SELECT personalize_check_unused('dataset group', old.name, 'event tracker', group_concat(name, ', '))
    FROM personalize_event_trackers WHERE dataset_group = old.name;
  SELECT personalize_check_unused('dataset group', old.name, 'filter', group_concat(name, ', '))
    FROM personalize_filters WHERE dataset_group = old.name;
END;

-- Written by CREATE VIRTUAL TABLE, ALTER TABLE RENAME and DROP TABLE alone.
CREATE TABLE IF NOT EXISTS main.personalize_datasets(
  dataset_group TEXT NOT NULL,
  kind          TEXT NOT NULL,    -- interactions, users, items
  table_name    TEXT NOT NULL,
  arguments     TEXT NOT NULL,    -- columns and mappings, as JSON
  PRIMARY KEY (dataset_group, kind)
);
CREATE TRIGGER IF NOT EXISTS main.personalize_datasets_insert
BEFORE INSERT ON personalize_datasets BEGIN
  SELECT personalize_check_managed('personalize_datasets');
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_datasets_update
BEFORE UPDATE ON personalize_datasets BEGIN
  SELECT personalize_check_managed('personalize_datasets');
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_datasets_delete
BEFORE DELETE ON personalize_datasets BEGIN
  SELECT personalize_check_managed('personalize_datasets');
END;

CREATE TABLE IF NOT EXISTS main.personalize_solutions(
  name                   TEXT PRIMARY KEY NOT NULL,
  dataset_group          TEXT NOT NULL DEFAULT 'default',
  recipe                 TEXT,    -- NULL with perform_automl
  perform_automl         INTEGER NOT NULL DEFAULT 0,    -- 1: the best of several recipes
  perform_hpo            INTEGER NOT NULL DEFAULT 0,    -- 1: the best hyperparameters of a search
  event_type             TEXT,    -- train with, and answer from, events of this type alone
  event_value_threshold  REAL,    -- ... and of at least this value
  hyperparameters        TEXT,    -- JSON object
  feature_transformation TEXT,    -- JSON object
  hpo_config             TEXT     -- JSON object: what perform_hpo searches
);
CREATE TRIGGER IF NOT EXISTS main.personalize_solutions_insert
BEFORE INSERT ON personalize_solutions BEGIN
  SELECT personalize_check_solution(new.name, new.dataset_group, new.recipe, new.perform_automl,
    new.perform_hpo, new.event_type, new.event_value_threshold, new.hyperparameters,
    new.feature_transformation, new.hpo_config,
    (SELECT group_concat(name, ', ') FROM personalize_dataset_groups));
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_solutions_update
BEFORE UPDATE ON personalize_solutions BEGIN
  SELECT personalize_check_solution(new.name, new.dataset_group, new.recipe, new.perform_automl,
    new.perform_hpo, new.event_type, new.event_value_threshold, new.hyperparameters,
    new.feature_transformation, new.hpo_config,
    (SELECT group_concat(name, ', ') FROM personalize_dataset_groups));
  SELECT personalize_check_unused('solution', old.name, 'campaign', group_concat(name, ', '))
    FROM personalize_campaigns WHERE version GLOB old.name || '/*' AND old.name <> new.name;
  SELECT personalize_check_no_versions(old.name, uuid) FROM personalize_identity WHERE old.name <> new.name;
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_solutions_delete
BEFORE DELETE ON personalize_solutions BEGIN
  SELECT personalize_check_unused('solution', old.name, 'campaign', group_concat(name, ', '))
    FROM personalize_campaigns WHERE version GLOB old.name || '/*';
END;

CREATE TABLE IF NOT EXISTS main.personalize_campaigns(
  name                TEXT NOT NULL UNIQUE,
  version             TEXT NOT NULL,    -- 'solution/3' or 'solution/latest'
  min_provisioned_tps INTEGER NOT NULL DEFAULT 1,
  max_tps             INTEGER,          -- NULL: no limit
  on_throttle         TEXT NOT NULL DEFAULT 'error',    -- or 'wait'
  config              TEXT,             -- JSON object: burst_seconds
  id                  INTEGER PRIMARY KEY AUTOINCREMENT -- names the campaign's counters; never used twice
);
CREATE TRIGGER IF NOT EXISTS main.personalize_campaigns_insert
BEFORE INSERT ON personalize_campaigns BEGIN
  SELECT personalize_check_campaign(new.name, new.version, new.min_provisioned_tps, new.max_tps,
    new.on_throttle, new.config,
    (SELECT group_concat(name, ', ') FROM personalize_solutions),
    (SELECT uuid FROM personalize_identity));
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_campaigns_update
BEFORE UPDATE ON personalize_campaigns BEGIN
  SELECT personalize_check_campaign(new.name, new.version, new.min_provisioned_tps, new.max_tps,
    new.on_throttle, new.config,
    (SELECT group_concat(name, ', ') FROM personalize_solutions),
    (SELECT uuid FROM personalize_identity));
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_campaigns_delete
BEFORE DELETE ON personalize_campaigns BEGIN
  SELECT personalize_check_unused('campaign', old.name, NULL, NULL);
END;

-- What personalize_cost counts by: Amazon's prices, filled in when the catalog is made.
CREATE TABLE IF NOT EXISTS main.personalize_prices(
  line TEXT PRIMARY KEY NOT NULL,   -- data ingestion, training, real-time recommendations
  unit TEXT NOT NULL,
  usd  REAL NOT NULL                -- a unit
);
CREATE TRIGGER IF NOT EXISTS main.personalize_prices_insert
BEFORE INSERT ON personalize_prices BEGIN
  SELECT personalize_check_price(new.line, new.unit, new.usd);
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_prices_update
BEFORE UPDATE ON personalize_prices BEGIN
  SELECT personalize_check_price(new.line, new.unit, new.usd);
END;

CREATE TABLE IF NOT EXISTS main.personalize_event_trackers(
  name          TEXT PRIMARY KEY NOT NULL,
  dataset_group TEXT NOT NULL DEFAULT 'default',    -- one tracker a group
  tracking_id   TEXT UNIQUE NOT NULL ON CONFLICT REPLACE DEFAULT (    -- a random UUID
    lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||
      substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))
);
CREATE TRIGGER IF NOT EXISTS main.personalize_event_trackers_insert
BEFORE INSERT ON personalize_event_trackers BEGIN
  SELECT personalize_check_event_tracker(new.name, new.dataset_group, new.tracking_id,
    (SELECT group_concat(name, ', ') FROM personalize_dataset_groups),
    (SELECT name FROM personalize_event_trackers WHERE dataset_group = new.dataset_group AND name <> new.name));
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_event_trackers_update
BEFORE UPDATE ON personalize_event_trackers BEGIN
  SELECT personalize_check_event_tracker(new.name, new.dataset_group, new.tracking_id,
    (SELECT group_concat(name, ', ') FROM personalize_dataset_groups),
    (SELECT name FROM personalize_event_trackers WHERE dataset_group = new.dataset_group AND name <> old.name));
END;

CREATE TABLE IF NOT EXISTS main.personalize_filters(
  name          TEXT NOT NULL,
  dataset_group TEXT NOT NULL DEFAULT 'default',
  expression    TEXT NOT NULL,    -- INCLUDE | EXCLUDE ItemID WHERE ...
  PRIMARY KEY (dataset_group, name)
);
CREATE TRIGGER IF NOT EXISTS main.personalize_filters_insert
BEFORE INSERT ON personalize_filters BEGIN
  SELECT personalize_check_filter(new.name, new.dataset_group, new.expression,
    (SELECT group_concat(name, ', ') FROM personalize_dataset_groups),
    (SELECT uuid FROM personalize_identity));
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_filters_update
BEFORE UPDATE ON personalize_filters BEGIN
  SELECT personalize_check_filter(new.name, new.dataset_group, new.expression,
    (SELECT group_concat(name, ', ') FROM personalize_dataset_groups),
    (SELECT uuid FROM personalize_identity));
END;
CREATE TRIGGER IF NOT EXISTS main.personalize_filters_delete
BEFORE DELETE ON personalize_filters BEGIN
  SELECT personalize_check_unused('filter', old.name, NULL, NULL);
END;
