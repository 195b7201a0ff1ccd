"""The data sets of bench/quality and the protocols they are measured by.

A data set is a list of events in the order in which they are inserted; a user's events have times that
do not run backwards. Protocols have the names of personalize_train's option `evaluation`:

  leave-last-two-out   learn without each user's last two events; the last one is asked, knowing all before it
  temporal-holdout     learn from the events up to place 0.9 n of a user's n; all others are asked
"""
import csv
import dataclasses
import lzma
import pathlib

SOURCE = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Event:
    user: str
    item: str
    time: int
    value: str = None  # as the file has it
    context: tuple = ()


@dataclasses.dataclass
class DataSet:
    name: str
    title: str
    protocol: str
    folder: str           # below the shared data
    order: str = None     # a file of lines `user item item ...`: the order of each user's events
    ids_only: bool = False  # forget values and times but for their order
    same_ids: str = None  # another data set with the same ids in the same order: all that most models look at
    shipped: str = None   # the file in examples/data that will do without shared data: perhaps a little less
    gru_seconds: int = 60  # CPU seconds of training that the GRU is given
    gru_batch: int = 32
    gru_rate: float = 0.004
    item_fields: str = None  # of its items dataset: columns of items.csv with their types
    user_fields: str = None
    interaction_fields: str = None  # contextual columns; Event.context has their values in this order


DATA_SETS = [
    DataSet("ml-1m-sasrec", "MovieLens 1M, SASRec's order, leave-one-out", "leave-last-two-out", "ml-1m",
            order="order-sasrec.txt", gru_seconds=300,
            item_fields="TITLE string textual, YEAR int, GENRES string categorical",
            user_fields="GENDER string categorical, AGE string categorical, OCCUPATION string categorical"),
    DataSet("ml-1m-ids", "MovieLens 1M, SASRec's order, leave-one-out, ids and order alone", "leave-last-two-out", "ml-1m",
            order="order-sasrec.txt", ids_only=True, same_ids="ml-1m-sasrec", gru_seconds=300),
    DataSet("ml-1m-holdout", "MovieLens 1M, temporal hold-out", "temporal-holdout", "ml-1m", gru_seconds=300),
    DataSet("ml-100k", "MovieLens 100K, leave-one-out", "leave-last-two-out", "ml-100k", gru_batch=16, gru_rate=0.005,
            item_fields="TITLE string textual, CREATION_TIMESTAMP long, GENRES string categorical",
            user_fields="AGE int, GENDER string categorical, OCCUPATION string categorical"),
    DataSet("amazon-beauty", "Amazon Beauty, leave-one-out", "leave-last-two-out", "amazon-beauty", gru_seconds=150,
            item_fields="ATTRIBUTES string categorical"),
    DataSet("online-retail", "Online Retail, leave-one-out", "leave-last-two-out", "online-retail",
            shipped="online-retail/orders.csv.xz", gru_seconds=150,
            item_fields="DESCRIPTION string textual, PRICE float", user_fields="COUNTRY string categorical"),
    DataSet("movietweetings-100k", "MovieTweetings 100K, leave-one-out", "leave-last-two-out", "movietweetings-100k",
            shipped="movietweetings/interactions.csv.xz",
            item_fields="TITLE string textual, YEAR int, GENRES string categorical"),
]

# The columns of the files, whoever made them.
COLUMNS = {"user": ("USER_ID", "customer_id"), "item": ("ITEM_ID", "product_id"),
           "time": ("TIMESTAMP", "ordered_at"), "value": ("EVENT_VALUE", "quantity")}


def source_file(data_set, shared):
    """Where the data set is, or None."""
    if shared is not None and (shared / data_set.folder / "interactions.csv").exists():
        return shared / data_set.folder / "interactions.csv"
    if data_set.shipped:
        return SOURCE / "examples" / "data" / data_set.shipped
    return None


def read_file(path):
    with (lzma.open(path, "rt", newline="") if path.suffix == ".xz" else open(path, newline="")) as file:
        reader = csv.reader(file)
        head = next(reader)
        if "USER_ID" not in head and "customer_id" not in head:
            raise ValueError(f"{path}: the first line names no columns")
        place = {what: next((head.index(name) for name in names if name in head), None)
                 for what, names in COLUMNS.items()}
        for row in reader:
            value = row[place["value"]] if place["value"] is not None else None
            yield Event(row[place["user"]], row[place["item"]], int(row[place["time"]]), value or None)


def in_published_order(events, path):
    """The events that the file names, in its order; times are made not to run backwards."""
    known = {(event.user, event.item): event for event in events}
    with open(path) as file:
        for line in file:
            user, *items = line.split()
            latest = 0
            for item in items:
                event = known[user, item]
                latest = max(latest, event.time)
                yield Event(user, item, latest, event.value)


def without_values_and_times(events):
    place = {}
    for event in events:
        place[event.user] = place.get(event.user, 0) + 1
        yield Event(event.user, event.item, place[event.user])


def read(data_set, path):
    """The data set's events in the order in which they are to be inserted."""
    events = read_file(path)
    if data_set.order:
        events = in_published_order(events, path.parent / data_set.order)
    if data_set.ids_only:
        events = without_values_and_times(events)
    return list(events)
