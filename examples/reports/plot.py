#!/usr/bin/python3
"""Plots what trainings have left in a database: training.svg, the loss of each version by epoch, and metrics.svg, each
version's NDCG@10 beside those of popularity and of a Markov chain on the same split.

usage: plot.py DATABASE [FOLDER]     FOLDER: where the files go, the current one if not given
"""
import os
import pathlib
import sqlite3
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.fonttype"] = "none"  # texts remain texts
matplotlib.rcParams["svg.hashsalt"] = "personalize"  # the same data, the same file
from matplotlib import pyplot  # noqa: E402

EXTENSION = pathlib.Path(__file__).resolve().parents[2] / "build" / "personalize.so"

LOSSES = """
SELECT version, epoch, loss FROM personalize_training_log
 WHERE stage = 'fit' AND loss IS NOT NULL ORDER BY version, sequence"""

METRICS = """
SELECT version, value, ifnull(standard_error, 0), baseline, markov FROM personalize_metrics
 WHERE metric = 'normalized_discounted_cumulative_gain' AND k = 10 AND seen = 'included' ORDER BY version"""


def connect(path):
    database = sqlite3.connect(f"{pathlib.Path(path).resolve().as_uri()}?mode=ro", uri=True)
    database.enable_load_extension(True)
    database.load_extension(os.environ.get("PERSONALIZE_EXTENSION", str(EXTENSION)))
    return database


def save(figure, path):
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    print(path)


def plot_training(database, path):
    """A line a version; versions whose recipe has no epochs have none."""
    losses = {}
    for version, epoch, loss in database.execute(LOSSES):
        losses.setdefault(version, []).append((epoch, loss))
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for version, points in losses.items():
        line, = axes.plot(*zip(*points), marker="o", markersize=3, label=version)
        line.set_gid(f"loss of {version}")
    axes.set(title="Training", xlabel="epoch", ylabel="loss")
    axes.xaxis.get_major_locator().set_params(integer=True)
    if losses:
        axes.legend()
    save(figure, path)


def plot_metrics(database, path):
    """A bar a version, with its standard error, and a mark for each of its baselines."""
    rows = database.execute(METRICS).fetchall()
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for place, (version, value, error, popularity, markov) in enumerate(rows):
        bar, = axes.bar(place, value, width=0.6, yerr=error, color="tab:blue", capsize=4)
        bar.set_gid(f"NDCG@10 of {version}")
        for name, baseline, color in (("popularity", popularity, "tab:orange"), ("Markov chain", markov, "tab:red")):
            if baseline is not None:
                axes.hlines(baseline, place - 0.4, place + 0.4, color=color, label=name if place == 0 else None)
    axes.set_xticks(range(len(rows)), [row[0] for row in rows])
    axes.set(title="Versions and their baselines", ylabel="NDCG@10")
    axes.margins(y=0.2)
    if rows:
        axes.legend(loc="upper center", ncols=2)
    save(figure, path)


def main():
    if len(sys.argv) not in (2, 3) or not os.path.exists(sys.argv[1]):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else ".")
    database = connect(sys.argv[1])
    plot_training(database, folder / "training.svg")
    plot_metrics(database, folder / "metrics.svg")


if __name__ == "__main__":
    main()
