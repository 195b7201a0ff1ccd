"""The metadata of a data set's items and users: rows for the datasets of an SQLite database."""
import csv


def column_names(fields):
    return [field.split()[0] for field in fields.split(",")]


def read(data_set, path, kind):
    """(declaration, [(id, value, ...)]) of `kind`, "items" or "users"; None where there are none. `path`: of the interactions."""
    fields = data_set.item_fields if kind == "items" else data_set.user_fields
    if not fields or not (path.parent / f"{kind}.csv").exists():
        return None
    names = column_names(fields)
    with open(path.parent / f"{kind}.csv", newline="") as file:
        rows = [(row["ITEM_ID" if kind == "items" else "USER_ID"], *(row[name] or None for name in names))
                for row in csv.DictReader(file)]
    return fields, rows


def declare(connection, kind, declaration):
    connection.execute(f"CREATE VIRTUAL TABLE {kind} USING personalize_{kind}({declaration})")


def insert(connection, kind, rows):
    if rows:
        connection.executemany(f"INSERT INTO {kind} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def insert_events(connection, data_set, events):
    """Makes the interactions, where there are none yet, and inserts into them."""
    fields = data_set.interaction_fields
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'interactions'").fetchone():
        connection.execute(f"CREATE VIRTUAL TABLE interactions USING personalize_interactions({fields or ''})")
    names = ["user_id", "item_id", "event_value", "timestamp", *(column_names(fields) if fields else [])]
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO interactions({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
                           ((e.user, e.item, e.value, e.time, *e.context) for e in events))
    connection.execute("COMMIT")


def load(connection, data_set, path, events):
    """The whole data set: interactions, and items and users where it has them."""
    insert_events(connection, data_set, events)
    for kind in ("items", "users"):
        found = read(data_set, path, kind) if path else None
        if found:
            declare(connection, kind, found[0])
            connection.execute("BEGIN")
            insert(connection, kind, found[1])
            connection.execute("COMMIT")
