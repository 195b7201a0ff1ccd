"""What bench/training does once everything is built: trains, each time in a process of its own, and prints the tables."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import personalize_test as support
from quality import progress, table
from rivals import data_sets

MIB = 2**20
EVENT_BYTES = 16  # of an event in memory: item, timestamp, value
NONE = '{"evaluation": "none"}'


def status(name):
    """Bytes of a line of /proc/self/status."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def measure(path, recipe, hyperparameters, options):
    """One training in this process, as a dictionary."""
    connection = support.connect(path, isolation_level=None)
    connection.execute("DELETE FROM personalize_solutions")
    connection.execute("INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('measured', ?, ?)",
                       (recipe, hyperparameters or None))
    estimate = connection.execute("SELECT bytes, seconds, events FROM personalize_estimate('measured', ?)",
                                  (options,)).fetchone()
    connection.execute("SELECT count(*) FROM personalize_versions").fetchone()
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")
    level, begin, cpu_begin = status("VmRSS"), time.monotonic(), time.process_time()
    version, = connection.execute("SELECT personalize_train('measured', ?)", (options,)).fetchone()
    result = {"seconds": time.monotonic() - begin, "cpu_seconds": time.process_time() - cpu_begin,
              "bytes": status("VmHWM") - level, "estimated_bytes": estimate[0], "estimated_seconds": estimate[1],
              "events": estimate[2]}
    result["log"] = connection.execute("SELECT stage, time, events_per_second, message FROM personalize_training_log "
                                       "WHERE version = ? ORDER BY sequence", (version,)).fetchall()
    result["unseen"] = connection.execute(
        "SELECT value, markov FROM personalize_metrics WHERE version = ? AND k = 10 AND seen = 'excluded' "
        "AND metric = 'normalized_discounted_cumulative_gain'", (version,)).fetchone()
    connection.execute("DELETE FROM personalize_versions")
    return result


def measured(path, recipe, hyperparameters="", options=NONE, isa=None):
    """The same in a process of its own."""
    progress(f"  {recipe} {hyperparameters} {options} {isa or ''}")
    environment = dict(os.environ, **({"PERSONALIZE_ISA": isa} if isa else {}))
    done = subprocess.run([sys.executable, __file__, "--measure", path, recipe, hyperparameters, options],
                          env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def has(isa):
    """Whether this machine trains with that instruction set where it is asked for."""
    code = "import personalize_test; print(personalize_test.connect().execute('SELECT personalize_debug()').fetchone()[0])"
    shown = subprocess.run([sys.executable, "-c", code], env=dict(os.environ, PERSONALIZE_ISA=isa),
                           stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(shown)["instruction_set"] == isa


class Bench:
    def __init__(self, shared, folder, quick):
        self.shared, self.folder, self.quick = shared, folder, quick
        self.rows, self.paths, self.runs = [], {}, {}

    def database(self, name):
        """The path of a database with the events of a data set, or of one of bench/quality's (its order of events)."""
        if name not in self.paths:
            progress(f"importing {name}")
            path = self.paths[name] = f"{self.folder}/{name}.db"
            connection = support.connect(path, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
            ordered = next((d for d in data_sets.DATA_SETS if d.name == name and d.order), None)
            if ordered:
                connection.execute("BEGIN")
                connection.executemany(
                    "INSERT INTO interactions(user_id, item_id, event_value, timestamp) VALUES (?, ?, ?, ?)",
                    ((e.user, e.item, e.value, e.time)
                     for e in data_sets.read(ordered, data_sets.source_file(ordered, self.shared))))
                connection.execute("COMMIT")
            else:
                connection.execute("SELECT personalize_import('interactions', ?)",
                                   (str(self.shared / name / "interactions.csv"),))
            connection.close()
        return self.paths[name]

    def row(self, what, value, unit, goal, reached, note="", digits=0):
        shown = f"{value:,.{digits}f} {unit}".strip()
        verdict = "" if goal is None else "reached" if reached else f"missed by {abs(value - goal):,.{max(digits, 1 if goal < 100 else 0)}f}"
        self.rows.append([what, shown, "" if goal is None else f"{goal:,} {unit}".strip(), verdict, note])

    def at_least(self, what, value, unit, goal, note="", digits=0):
        self.row(what, value, unit, goal, goal is not None and value >= goal, note, digits)

    def at_most(self, what, value, unit, goal, note="", digits=1):
        self.row(what, value, unit, goal, goal is not None and value <= goal, note, digits)

    def run(self, name, recipe, hyperparameters="", options=NONE, isa=None):
        key = name, recipe, hyperparameters, options, isa
        if key not in self.runs:
            self.runs[key] = measured(self.database(name), *key[1:])
        return self.runs[key]

    # Each of the following adds its rows.

    def speed(self):
        for isa, kind, goal in ("v4", "f32", 120_000), ("v4bf16", "bf16", 180_000):
            if not has(isa):
                progress(f"this machine has no {isa}")
                continue
            rate = {}
            for threads in 2, 1:
                run = self.run("ml-1m", "hrnn", '{"epochs": 1, "hidden_dimension": 128}',
                               json.dumps({"evaluation": "none", "threads": threads}), isa)
                rate[threads] = [speed for _, _, speed, _ in run["log"] if speed][-1]
            self.at_least(f"ML-1M, H = D = 128, {kind} ({isa}), 2 threads", rate[2], "events/s", goal)
            self.at_least("the same, 1 thread", rate[1], "events/s", None)
            self.at_least(f"two threads against one, {kind}", rate[2] / rate[1], "", 1.85, digits=2)

    def whole(self):
        run = self.run("ml-1m", "hrnn")
        self.at_most("ML-1M, personalize_train to ACTIVE, without evaluation", run["seconds"], "s", 60,
                     f"{run['cpu_seconds']:.0f} CPU s")
        data = EVENT_BYTES * run["events"]
        self.at_most("memory while that trains, over the data in memory", (run["bytes"] - data) / MIB, "MiB", 200,
                     f"{run['bytes'] / MIB:.0f} MiB with the data ({data / MIB:.0f})", 0)
        run = self.run("ml-100k", "hrnn", "", "{}")
        self.at_most("ML-100K, whole personalize_train with evaluation", run["seconds"], "s", 10,
                     f"NDCG@10 {run['unseen'][0]:.3f} unseen, Amazon's split; {run['cpu_seconds']:.0f} CPU s")

    def soon(self):
        run = self.run("ml-1m-sasrec", "hrnn", '{"epochs": 1}',
                       '{"evaluation": "leave-last-two-out", "final_fit": false, "tie_order": "arrival"}')
        began = next(at for stage, at, _, _ in run["log"] if stage == "read")
        fitted = next(at for stage, at, _, message in run["log"] if message and message.startswith("calibrated"))
        value, markov = run["unseen"]
        self.at_most("ML-1M in SASRec's order, fit of one epoch", fitted - began, "s", 15,
                     f"NDCG@10 {value:.4f} unseen, to be above {max(markov, 0.160):.3f}"
                     + ("" if value > max(markov, 0.160) else ": it is not"))

    def counted(self):
        for recipe in "markov", "sims":
            times = [measured(self.database("ml-1m"), recipe) for _ in range(1 if self.quick else 5)]
            self.runs["ml-1m", recipe, "", NONE, None] = times[0]
            self.at_most(f"{recipe} on ML-1M, personalize_train without evaluation",
                         statistics.median(run["seconds"] for run in times), "s", 0.7,
                         f"median of {len(times)}; {times[0]['cpu_seconds']:.2f} CPU s", 2)

    def estimates(self):
        """What was estimated beside what was measured: another table."""
        rows = []
        for name in "ml-100k", "ml-1m", "amazon-beauty":
            for recipe in "hrnn", "markov", "sims":
                for options in (NONE, "{}") if name == "ml-100k" else (NONE,):
                    run = self.run(name, recipe, "", options)
                    memory = run["estimated_bytes"] / run["bytes"]
                    pace = run["estimated_seconds"] / run["seconds"]
                    fits = 1 <= memory <= 1.5 and 0.5 <= pace <= 2
                    rows.append([name, recipe, "none" if options == NONE else "amazon", f"{run['bytes'] / MIB:.1f}",
                                 f"{run['estimated_bytes'] / MIB:.1f}", f"{memory:.2f}", f"{run['seconds']:.2f}",
                                 f"{run['estimated_seconds']:.2f}", f"{pace:.2f}", "reached" if fits else "missed"])
        return table(["data", "recipe", "evaluation", "MiB taken", "estimated", "ratio (1 to 1.5)", "seconds", "estimated",
                      "ratio (0.5 to 2)", ""], rows)

    def rivals(self):
        import torch_speed  # only where it is asked for
        rate, taken = torch_speed.measure(self.shared / "ml-1m" / "interactions.csv")
        self.rows.append(["a GRU of 128 with the full softmax in torch, 1 thread", f"{rate:,.0f} events/s", "", "",
                          f"a few batches of ML-1M; {taken / MIB:.0f} MiB over the data"])


PARTS = {"speed": Bench.speed, "whole": Bench.whole, "soon": Bench.soon, "counted": Bench.counted}


def main():
    parser = argparse.ArgumentParser(prog="bench/training", description="How fast hrnn, markov and sims train, and in how "
                                     "much memory, beside what is required and what was estimated.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"parts: {', '.join(PARTS)}, estimates (all)")
    parser.add_argument("--rivals", action="store_true", help="a GRU in torch (Debian's python3-torch) as well")
    parser.add_argument("--quick", action="store_true", help="once where the median of several is taken")
    parser.add_argument("--header", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.names or [*PARTS, "estimates"]
    for name in names:
        if name not in [*PARTS, "estimates"]:
            sys.exit(f"there is no part '{name}'; there are: {', '.join(PARTS)}, estimates")
    shared = support.shared_data()
    if shared is None:
        sys.exit(f"bench/training {support.NO_SHARED_DATA}")

    with tempfile.TemporaryDirectory(prefix="personalize-training-") as folder:
        bench = Bench(pathlib.Path(shared), folder, options.quick)
        for name in names:
            if name in PARTS:
                progress(name)
                PARTS[name](bench)
        if options.rivals:
            bench.rivals()
        print(options.header + "\n")
        print(table(["what", "measured", "required", "", ""], bench.rows))
        if "estimates" in names:
            print("\n### personalize_estimate beside what was measured\n\nMiB: the process's peak over its level before.\n")
            print(bench.estimates())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(*sys.argv[2:])))
    else:
        main()
