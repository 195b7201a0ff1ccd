"""Publishes version after version, and deletes the old ones under those who ask them."""
import itertools

from many_at_once import asking, world

KEPT = 3  # versions of a solution


class Trainer(asking.Asking):
    """The only one who writes models.mdb: what it copies for the replay stands still."""

    PAUSE = 0.05

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.next = itertools.cycle(("net", "fresh", "net", "fast", "net", "pairs"))

    def once(self):
        solution = next(self.next)
        options = world.OPTIONS
        if solution == "net" and self.chance.random() < 0.3:
            options = options.replace("{", '{"training_mode": "UPDATE", ')
        version = world.one(self.connection, "SELECT personalize_train(?, ?)", solution, options)
        self.world.archive_version(version)
        self.counts["trainings"] += 1
        # net/1 is served by a campaign.
        old = [v for v in self.versions()[solution] if v != "net/1"][:-KEPT]
        for version in old:
            if self.chance.random() < 0.5 and solution != "pairs":
                self.delete_under_a_cursor(version)
            else:
                self.connection.execute("DELETE FROM personalize_versions WHERE version = ?", (version,))
            self.counts["versions deleted"] += 1

    def delete_under_a_cursor(self, version):
        """Who has begun to read answers of a version reads them to the end."""
        reading = self.second()
        everybody = "SELECT user_id, item_id, score FROM batch_recommend(3, ?)"
        # First the writer's lock: with a rollback journal a waiting writer would keep the reader out.
        self.connection.execute("BEGIN IMMEDIATE")
        reading.execute("BEGIN")
        wanted = reading.execute(everybody, (version,)).fetchall()
        cursor = reading.execute(everybody, (version,))
        rows = cursor.fetchmany(10)
        self.connection.execute("DELETE FROM personalize_versions WHERE version = ?", (version,))
        self.expect(version not in itertools.chain(*self.versions().values()), "a deleted version is still there", version)
        rows += cursor.fetchall()
        reading.execute("COMMIT")
        self.connection.execute("COMMIT")
        self.expect(rows == wanted, "a cursor over a deleted version went on otherwise", version, wanted, rows)
        self.counts["deleted under a cursor"] += 1
