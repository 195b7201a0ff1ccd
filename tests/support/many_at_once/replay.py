"""Asks what was asked, of a copy of the snapshot, in one thread and without any memo of states."""
import collections
import contextlib
import json
import os
import pathlib
import shutil
import time
import traceback

from many_at_once import world

PATIENCE = 60  # seconds, for the archive of a version that was published a moment ago
KEPT_ARCHIVES = 60


def wait_for(path):
    end = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > end:
            raise AssertionError(f"{path} did not come")
        time.sleep(0.01)


def remove_database(path):
    for suffix in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")


class Replay:
    def __init__(self, world_):
        if not os.environ.get("PERSONALIZE_NO_STATE"):
            raise AssertionError("the replay is to run with PERSONALIZE_NO_STATE=1")
        self.world = world_
        self.compared = collections.Counter()

    def run(self):
        try:
            while True:
                over = self.world.stopped()
                waiting = sorted(self.world.jobs.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
                for path in waiting:
                    self.do(path)
                if over and not waiting:
                    break
                self.forget_old_archives()
                time.sleep(0.01)
        except BaseException:  # told to the test
            world.write_whole(self.world.failures / "replay.txt", f"replay\n{traceback.format_exc()}")

    def do(self, path):
        job = json.loads(path.read_text())
        copy = self.world.jobs / f"{job['name']}.db"
        asked = [step for step in job["steps"] if "ask" in step]
        answers = collections.defaultdict(dict)  # by place in `asked`: rows by version
        for version in sorted({version for step in asked for version in step["versions"]}):
            self.replay(job, copy, version, answers)
        for place, step in enumerate(asked):
            if step["rows"] not in answers[place].values():
                raise AssertionError(self.difference(job, step, answers[place]))
            self.compared[step["kind"]] += 1
            self.compared[step["how"]] += 1
            self.compared["all"] += 1
        remove_database(copy)
        path.unlink()
        world.write_whole(self.world.counts / "compared.json", json.dumps(self.compared))

    def replay(self, job, copy, version, answers):
        """Does the job's statements as they came, asking what `version` may have answered."""
        folder = self.world.archive_folder(version)
        wait_for(folder)
        path = folder / "copy.db"
        remove_database(path)
        shutil.copyfile(copy, path)
        connection = self.world.open(str(path))
        if world.one(connection, "SELECT n FROM snapshot") != job["number"]:
            raise AssertionError(f"{job['name']}: the copy is of another snapshot")
        connection.execute("BEGIN")
        place = 0
        for step in job["steps"]:
            if "do" in step:
                connection.execute(step["do"], step["parameters"]).fetchall()
                continue
            if version in step["versions"]:
                rows = connection.execute(step["ask"], step["parameters"]).fetchall()
                answers[place][version] = [list(row) for row in rows]
            place += 1
        connection.execute("ROLLBACK")
        connection.close()

    def difference(self, job, step, replayed):
        lines = [f"{job['name']}: {step['ask']} with {step['parameters']}, {step['how']}"]
        lines += [f"  statements before it: {[s for s in job['steps'][:job['steps'].index(step)] if 'do' in s]}"]
        lines += [f"  answered: {step['rows']}"]
        lines += [f"  replayed with {version}: {rows}" for version, rows in replayed.items()]
        return "an answer is not that of its snapshot\n" + "\n".join(lines)

    def forget_old_archives(self):
        """Those whose versions were deleted long ago. net/1 lives as long as the run."""
        folders = sorted((p for p in self.world.archive.iterdir() if p.name not in ("making", "net-1")),
                         key=lambda path: path.stat().st_mtime_ns)
        for folder in folders[:-KEPT_ARCHIVES]:
            shutil.rmtree(folder, ignore_errors=True)
