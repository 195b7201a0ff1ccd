"""Those who only ask: in autocommit, in snapshots, and one that holds its snapshot for long."""
import time

from many_at_once import asking, jobs, questions, world


# With a rollback journal a reader must let writers pass; SQLite would wait longer and longer.
BRIEFLY = 20  # milliseconds


class Reader(asking.Asking):
    SHARE = 0.25
    PATIENCE = BRIEFLY
    PAUSE = 0.15

    def once(self):
        if self.chance.random() < 0.35:
            self.ask_in_autocommit()
        else:
            self.ask_in_a_snapshot()

    def ask_in_a_snapshot(self):
        self.connection.execute("BEGIN")
        world.one(self.connection, "SELECT n FROM snapshot")  # the snapshot begins here
        job = jobs.Job(self, self.connection) if jobs.wanted(self, self.SHARE) else None
        try:
            versions = self.few_versions()
            for _ in range(self.chance.randrange(1, 13)):
                question = questions.draw(self.chance, versions)
                answer = self.ask(question)
                if answer and job:
                    job.asked(question, *answer, "snapshot")
                if self.chance.random() < 0.3:
                    time.sleep(self.chance.random() * 0.005)  # others write meanwhile
        except BaseException:
            if job:
                job.drop()
            raise
        self.connection.execute("COMMIT")
        if job:
            job.hand_in()

    def ask_in_autocommit(self):
        """Compared only if nobody wrote between the question and the snapshot that is taken afterwards."""
        before = world.one(self.connection, "SELECT n FROM snapshot")
        versions, answers = self.few_versions(), []
        for _ in range(self.chance.randrange(1, 5)):
            question = questions.draw(self.chance, versions)
            answer = self.ask(question)
            if answer:
                answers.append((question, *answer))
        if not jobs.wanted(self, 0.8):
            return
        self.connection.execute("BEGIN")
        if world.one(self.connection, "SELECT n FROM snapshot") == before:
            job = jobs.Job(self, self.connection)
            for answer in answers:
                job.asked(*answer, "autocommit")
            job.hand_in()
        self.connection.execute("COMMIT")


class Holder(asking.Asking):
    """Holds a read transaction, and in it a cursor that is half read, while the others go on."""

    PATIENCE = BRIEFLY

    def once(self):
        # With a rollback journal nobody can commit meanwhile.
        until = time.monotonic() + (20 if self.world.journal == "WAL" else 0.05)
        self.connection.execute("BEGIN")
        asked = [("SELECT item_id, score FROM recommend(?, 10, 'first')", (questions.any_user(self.chance),))
                 for _ in range(6)]
        everybody = "SELECT user_id, item_id, score FROM batch_recommend(2, 'net/1')"
        answers = [self.connection.execute(*question).fetchall() for question in asked]
        batch = self.connection.execute(everybody).fetchall()
        cursor = self.connection.execute(everybody)
        half = cursor.fetchmany(7)
        while True:  # once at least, however slow the machine is
            for question, answer in zip(asked, answers):
                again = self.connection.execute(*question).fetchall()
                self.expect(again == answer, "a held snapshot is answered otherwise", question, answer, again)
                self.counts["answers of a held snapshot"] += 1
            self.tell_counts()
            if time.monotonic() >= until or self.world.stopped():
                break
            time.sleep(0.05)
        half += cursor.fetchall()
        self.expect(half == batch, "a cursor of a held snapshot went on otherwise", batch, half)
        self.connection.execute("COMMIT")
        time.sleep(0.4)
