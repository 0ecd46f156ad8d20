"""What a 1.2 server takes and refuses: names, keys, words, columns."""

from __future__ import annotations

from tests.server.rulebook import Step, rule
from tests.server.rulewords import (
    INT,
    TEXT,
    body,
    get,
    make,
    put,
    table,
)

CREATION = (
    rule(
        "a new table answers 201, is there, and comes with its ancestors",
        make(sourceUrl="https://x/1", tableType="Regular", has={"version": 0.1}),
        get(has={"name": "{t}", "fullyQualifiedName": "{T}", "sourceUrl": "https://x/1",
                 "databaseSchema.fullyQualifiedName": "{schema}", "database.name": "default",
                 "service.name": "{svc}", "serviceType": "DomoDatabase", "deleted": False,
                 "columns.0.dataTypeDisplay": "int", "updatedBy": "ingestion-bot"}),
    ),
    rule("a table may have no columns", make(columns=[])),
    rule("names are case sensitive", make(), put(201, name="{t}X"), put(201, name="{t}x"),
         get("tables/name/{schema}.{t}X", has={"name": "{t}X"}),
         get("tables/name/{schema}.{t}Y", status=404,
             says="table instance for {schema}.{t}Y not found")),
    *(
        rule(f"a table's name may hold {what}", put(201, name=name, has={"name": name}))
        for what, name in {
            "256 characters": "n" * 256, "blanks at its ends": " {t} ", "a tab": "a\t{t}",
            "an arrow head": "a>{t}", "a slash": "a/{t}", "a backslash": "a\\{t}",
            "a percent sign": "a%{t}", "a backtick": "a`{t}", "an emoji": "a😀{t}",
        }.items()
    ),
    rule("a dot in a name is quoted in the qualified name",
         put(201, name="x.{t}", columns=[{"name": "c.d", "dataType": "INT"}],
             has={"fullyQualifiedName": '{schema}."x.{t}"',
                  "columns.0.fullyQualifiedName": '{schema}."x.{t}"."c.d"'}),
         get("tables/name/{schema}.%22x.{t}%22", has={"name": "x.{t}"})),
    *(
        rule(f"a table's name may not be {what}", put(400, name=name, says=says))
        for what, (name, says) in {
            "with a quote": ('a"b', 'Invalid name a"b'),
            "with two colons": ("a::b", "name must match"),
            "with a line break": ("a\nb", "name must match"),
            "empty": ("", "name size must be between 1 and 256"),
            "of 257 characters": ("n" * 257, "name size must be between 1 and 256"),
        }.items()
    ),
    *(
        rule(f"a column's name may not be {what}",
             put(400, columns=[{"name": name, "dataType": "INT"}], says=says))
        for what, (name, says) in {
            "with a quote": ('a"b', 'Invalid name a"b'),
            "with two colons": ("a::b", "name must match"),
            "empty": ("", "name size must be between 1 and 256"),
            "of 257 characters": ("n" * 257, "name size must be between 1 and 256"),
        }.items()
    ),
    rule("NUL in a name, a column's name or a description is 500, and nothing is stored",
         put(500, name="{t}\x00"), put(500, columns=[{"name": "a\x00", "dataType": "INT"}]),
         put(500, description="a\x00b"), get(status=404)),
    rule("columns that differ only in case are accepted",
         make(columns=[INT, {"name": "A", "dataType": "INT"}], has={"columns.n": 2})),
    rule("a parent that isn't there is 404",
         put(404, databaseSchema="{schema}x", says="databaseSchema instance for {schema}x")),
    rule("an owner that isn't there is 404, and nothing is stored",
         put(404, owner={"id": "{nobody}", "type": "user"}, says="user instance for {nobody}"),
         get(status=404)),
    rule("only a group owns", put(400, owner={"id": "{dept}", "type": "team"},
                                  says="Team of type Department can't own entities."),
         make(owner={"id": "{group}", "type": "team"}, has={"owner.name": "{group_name}"})),
    rule("a team or a user owns", put(400, owner={"id": "{ann}", "type": "table"},
                                      says="Entity of type table can't be the owner.")),
)  # fmt: skip

VALIDATION = (
    *(
        rule(f"an unknown key is refused: {key} of a table", put(
            400, **{key: value},
            says=f'Unrecognized field "{key}" (class org.openmetadata.schema.api.data.CreateTable),'
            " not marked as ignorable (19 known properties: "))
        for key, value in {"owners": [], "sourceHash": "x", "schemaDefinition": "x",
                           "domains": []}.items()
    ),
    rule("an unknown key is refused: in a column", put(
        400, columns=[{**INT, "zz": 1}], says='Unrecognized field "zz" (class '
        "org.openmetadata.schema.type.Column), not marked as ignorable (17 known properties: ")),
    rule("an unknown key is refused: state of a pipeline", body(
        "pipelines", {"name": "{t}", "service": "{pipes}", "state": "Active"}, 400,
        'Unrecognized field "state"')),
    rule("an unknown dataType is refused", put(
        400, columns=[{"name": "a", "dataType": "NOPE"}],
        says="Cannot construct instance of `org.openmetadata.schema.type.ColumnDataType`, "
        "problem: NOPE")),
    rule("an unknown tableType is refused", put(
        400, tableType="Dynamic", says="Cannot construct instance of "
        "`org.openmetadata.schema.type.TableType`, problem: Dynamic")),
    rule("an unknown serviceType is refused", body(
        "services/databaseServices", {"name": "{t}", "serviceType": "Nope"}, 400,
        "`org.openmetadata.schema.api.services.CreateDatabaseService$DatabaseServiceType`, "
        "problem: Nope")),
    rule("required keys are named", put(400, name=None, says="name must not be null"),
         put(400, columns=None, says="columns must not be null"),
         put(400, columns=[{"name": "a"}], says="dataType must not be null")),
    rule("VARCHAR needs dataLength", put(
        400, columns=[{"name": "a", "dataType": "VARCHAR"}],
        says="For column data types char, varchar, binary, varbinary dataLength must not be null")),
    rule("ARRAY needs arrayDataType", put(
        400, columns=[{"name": "a", "dataType": "ARRAY"}], says="arrayDataType must not be null")),
    rule("STRUCT needs children", put(
        400, columns=[{"name": "a", "dataType": "STRUCT"}], says="children must not be null"),
        make(columns=[{"name": "a", "dataType": "STRUCT", "children": []}])),
    rule("nested columns have names below their parent's", make(
        columns=[{"name": "a", "dataType": "STRUCT", "children": [TEXT]}],
        has={"columns.0.children.0.fullyQualifiedName": "{T}.a.b"})),
    rule("scale needs precision", put(
        400, columns=[{"name": "a", "dataType": "DECIMAL", "scale": 2}],
        says="Scale is set but precision is not set for the column a")),
    rule("a column's name stands once", put(400, columns=[INT, INT],
                                            says="Column name a is repeated")),
    rule("a constraint names columns of the table", put(
        400, tableConstraints=[{"constraintType": "UNIQUE", "columns": ["q"]}],
        says="Invalid column name found in table constraint")),
    rule("a definition needs a view's tableType",
         put(400, viewDefinition="select 1", says="ViewDefinition can only be set on"),
         put(400, viewDefinition="select 1", tableType="Regular"),
         put(400, viewDefinition="select 1", tableType="External"),
         make(viewDefinition="select 1", tableType="View")),
    rule("a list where an object belongs is 400",
         Step("bot", "PUT", "tables", [table()], 400, {}, "Cannot deserialize value of type")),
    rule("tag names have 2 to 64 characters of few kinds",
         body("tags", {"name": "a%b", "description": "d", "classification": "{cls}"}, 400,
              "name must match"),
         body("tags", {"name": "x", "description": "d", "classification": "{cls}"}, 400,
              "name size must be between 2 and 64"),
         body("tags", {"name": "x" * 65, "description": "d", "classification": "{cls}"}, 400,
              "name size must be between 2 and 64"),
         body("tags", {"name": "xy", "classification": "{cls}"}, 400,
              "description must not be null"),
         body("tags", {"name": "xy", "description": "d", "classification": "{cls}zz"}, 404,
              "classification instance for {cls}zz not found")),
    rule("classification names too",
         body("classifications", {"name": "a%b", "description": "d"}, 400, "name must match"),
         body("classifications", {"name": "x", "description": "d"}, 400, "between 2 and 64")),
)  # fmt: skip
