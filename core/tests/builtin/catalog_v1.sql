-- A catalog of version 1, as two runs of Metaglean 0.1.0 wrote it (sqlite3's `.dump`).
PRAGMA application_id = 1296518222;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE entities (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    parent TEXT NOT NULL,
    name TEXT NOT NULL,
    fqn TEXT NOT NULL,
    source_id TEXT,
    hash BLOB,
    deleted_run INTEGER REFERENCES runs (id),
    updated REAL NOT NULL,
    created_run INTEGER NOT NULL REFERENCES runs (id),
    updated_run INTEGER NOT NULL REFERENCES runs (id),
    volatile TEXT NOT NULL,
    state TEXT NOT NULL,
    UNIQUE (kind, fqn)
);
INSERT INTO "entities" VALUES(1,'databaseService','','domo','domo',NULL,X'EA000ACF8469B7BE19C3F1693400706D',NULL,1700000000.0,1,1,'{}','{"service_type":"DomoDatabase"}');
INSERT INTO "entities" VALUES(2,'database','domo','default','domo.default',NULL,X'2AFB9B83F9314E5D029766197F539792',NULL,1700000000.0,1,1,'{}','{}');
INSERT INTO "entities" VALUES(3,'databaseSchema','domo.default','default','domo.default.default',NULL,X'2AFB9B83F9314E5D029766197F539792',NULL,1700000000.0,1,1,'{}','{}');
INSERT INTO "entities" VALUES(4,'table','domo.default.default','orders','domo.default.default.orders','a1',X'329BA8B71A3B14B1029BC1E49769B178',NULL,1700003610.0,1,2,'{}','{"source_id":"a1","description":"What was sold.","owners":[{"type":"user","name":"Ann","email":"ann@example.com"}],"columns":[{"name":"id","data_type":"STRING","description":null},{"name":"amount","data_type":"STRING","description":"net of tax"}],"display_name":"Bestellungen","tags":[{"classification":"DomoTags","name":"red"}]}');
INSERT INTO "entities" VALUES(5,'table','domo.default.default','customers','domo.default.default.customers',NULL,X'45CAAA85167C4DE1FD6E0FA67557A292',NULL,1700000000.0,1,1,'{}','{"columns":[{"name":"id","data_type":"STRING","description":null}]}');
INSERT INTO "entities" VALUES(6,'table','domo.default.default','old','domo.default.default.old',NULL,X'2A2220F1DD4A9C50145CD8C99CB50EBF',2,1700003610.0,1,2,'{}','{"columns":[]}');
INSERT INTO "entities" VALUES(7,'table','domo.default.default','daily','domo.default.default.daily',NULL,X'6FAF79AE2FC6677DA4D5C1B2075D886A',NULL,1700000000.0,1,1,'{}','{"columns":[{"name":"day","data_type":"STRING","description":null}]}');
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    entity INTEGER NOT NULL REFERENCES entities (id),
    run INTEGER NOT NULL REFERENCES runs (id),
    at REAL NOT NULL,
    action TEXT NOT NULL,
    fields TEXT NOT NULL
);
INSERT INTO "history" VALUES(1,1,1,1700000000.0,'created','{}');
INSERT INTO "history" VALUES(2,2,1,1700000000.0,'created','{}');
INSERT INTO "history" VALUES(3,3,1,1700000000.0,'created','{}');
INSERT INTO "history" VALUES(4,4,1,1700000000.0,'created','{}');
INSERT INTO "history" VALUES(5,5,1,1700000000.0,'created','{}');
INSERT INTO "history" VALUES(6,6,1,1700000000.0,'created','{}');
INSERT INTO "history" VALUES(7,7,1,1700000000.0,'created','{}');
INSERT INTO "history" VALUES(8,4,2,1700003610.0,'updated','{"display_name":[null,"Bestellungen"],"tags":[[],["DomoTags.red"]]}');
INSERT INTO "history" VALUES(9,6,2,1700003610.0,'deleted','{}');
CREATE TABLE lineage (
    entity INTEGER NOT NULL REFERENCES entities (id),
    target INTEGER NOT NULL REFERENCES entities (id),
    updated_run INTEGER NOT NULL REFERENCES runs (id),
    state TEXT NOT NULL,
    PRIMARY KEY (entity, target)
);
INSERT INTO "lineage" VALUES(4,7,1,'{"source":"ViewLineage","columns_lineage":[{"from_columns":[[["table",["domo","default","default","orders"]],"amount"]],"to_column":"day"}]}');
CREATE TABLE pipeline_runs (
    entity INTEGER NOT NULL REFERENCES entities (id),
    timestamp INTEGER NOT NULL,
    updated_run INTEGER NOT NULL REFERENCES runs (id),
    state TEXT NOT NULL,
    PRIMARY KEY (entity, timestamp)
);
CREATE TABLE profiles (
    entity INTEGER NOT NULL REFERENCES entities (id),
    timestamp INTEGER NOT NULL,
    updated_run INTEGER NOT NULL REFERENCES runs (id),
    state TEXT NOT NULL,
    PRIMARY KEY (entity, timestamp)
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    source_type TEXT NOT NULL,
    started REAL NOT NULL,
    ended REAL,
    status TEXT,
    counts TEXT
);
INSERT INTO "runs" VALUES(1,'domo','DomoDatabase',1700000000.0,1700000010.0,'success','{"database": {"created": 1}, "databaseSchema": {"created": 1}, "databaseService": {"created": 1}, "lineage": {"created": 1}, "table": {"created": 4}}');
INSERT INTO "runs" VALUES(2,'domo','DomoDatabase',1700003610.0,1700003620.0,'success','{"database": {"unchanged": 1}, "databaseSchema": {"unchanged": 1}, "databaseService": {"unchanged": 1}, "lineage": {"unchanged": 1}, "table": {"deleted": 1, "unchanged": 2, "updated": 1}}');
CREATE INDEX entities_by_parent ON entities (kind, parent);
CREATE INDEX history_by_entity ON history (entity);
CREATE INDEX history_by_run ON history (run);
CREATE INDEX lineage_by_target ON lineage (target);
COMMIT;
