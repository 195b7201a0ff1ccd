"""Those who write, each transaction one of many kinds, and ask in the middle of some."""
import sqlite3

from many_at_once import asking, jobs, questions, world

# More events than this, and the next transactions delete.
MOST_EVENTS = 2 * world.EVENTS
LAST_TIME = world.FIRST_TIME + world.EVENTS * 600
INSERT = "INSERT INTO interactions(user_id, item_id, event_type, timestamp) VALUES (?, ?, ?, ?)"


class Writer(asking.Asking):
    def user(self):
        user = questions.any_user(self.chance)
        return "n0" if user == "nobody" else user

    def item(self):
        item = questions.any_item(self.chance)
        return "i0" if item == "no such item" else item

    def event(self, late=False):
        time = world.FIRST_TIME + self.chance.randrange(world.EVENTS * 600) if late \
            else LAST_TIME + self.chance.randrange(10_000_000)
        return (self.user(), self.item(), self.chance.choice(("view", "buy")), time)

    # Each gives statements with their parameters.
    def insert(self):
        user = self.user()
        return [(INSERT, (user, *self.event()[1:])) for _ in range(self.chance.randrange(1, 9))]

    def insert_late(self):
        return [(INSERT, self.event(late=True)) for _ in range(self.chance.randrange(1, 4))]

    def delete_some(self):
        begin = world.FIRST_TIME + self.chance.randrange(world.EVENTS * 600)
        return [("DELETE FROM interactions WHERE user_id = ? AND timestamp >= ?", (self.user(), begin))]

    def delete_one_by_one(self):
        one = ("DELETE FROM interactions WHERE user_id = ?1 AND rowid = (SELECT rowid FROM interactions "
               "WHERE user_id = ?1 ORDER BY rowid LIMIT 1 OFFSET ?2)")
        user = self.user()
        return [(one, (user, self.chance.randrange(4))) for _ in range(self.chance.randrange(2, 5))]

    def delete_newest(self):
        return [("DELETE FROM interactions WHERE timestamp >= ?", (LAST_TIME + self.chance.randrange(10_000_000),))]

    def update(self):
        return [self.chance.choice((
            ("UPDATE interactions SET item_id = ? WHERE user_id = ? AND item_id = ?", (self.item(), self.user(), self.item())),
            ("UPDATE interactions SET timestamp = timestamp + 17 WHERE user_id = ? AND event_type = 'buy'", (self.user(),)),
            ("UPDATE interactions SET user_id = ? WHERE user_id = ? AND event_type = 'buy'",
             (f"n{self.chance.randrange(world.NEW_USERS)}", f"n{self.chance.randrange(world.NEW_USERS)}")),
            ("UPDATE items SET genres = ? WHERE item_id = ?", (self.chance.choice(world.GENRES), self.item()))))]

    def new_item(self):
        item = f"x{self.chance.randrange(world.NEW_ITEMS)}"
        if self.chance.random() < 0.4:
            return [("DELETE FROM items WHERE item_id = ?", (item,))]
        return [("INSERT OR REPLACE INTO items VALUES (?, ?)", (item, self.chance.choice(world.GENRES))),
                (INSERT, (self.user(), item, "view", LAST_TIME + self.chance.randrange(10_000_000)))]

    def forget(self):
        return [("SELECT personalize_forget(?)", (f"n{self.chance.randrange(world.NEW_USERS)}",))]

    KINDS = (insert, insert, insert, insert_late, insert_late, delete_some, delete_one_by_one, update, update, new_item, forget)

    def some_change(self):
        return self.chance.choice(self.KINDS)(self)

    def with_savepoints(self):
        statements = [("SAVEPOINT a", ())] + self.some_change() + [("SAVEPOINT b", ())] + self.some_change()
        statements += [(self.chance.choice(("ROLLBACK TO b", "ROLLBACK TO a", "RELEASE b")), ())] + self.some_change()
        return statements + [("RELEASE a", ())]

    def once(self):
        pick = self.chance.random()
        if pick < 0.2:
            user, item, _, time = self.event(late=pick < 0.05)
            self.connection.execute("INSERT INTO inbox VALUES (?, ?, ?)", (user, item, time))
            self.counts["transactions"] += 1
            return
        if world.one(self.connection, "SELECT count(*) FROM interactions") > MOST_EVENTS:
            statements = self.delete_newest()
        else:
            statements = self.with_savepoints() if pick < 0.5 else self.some_change() + self.some_change()
        self.transaction(statements)

    def transaction(self, statements):
        self.connection.execute("BEGIN IMMEDIATE")
        job = self.snapshot() if jobs.wanted(self, 0.5) else None
        try:
            versions = self.few_versions()
            for sql, parameters in [("UPDATE snapshot SET n = n + 1", ())] + statements:
                self.connection.execute(sql, parameters).fetchall()
                if job:
                    job.did(sql, parameters)
                if self.chance.random() < 0.4:
                    self.ask_here(versions, job, parameters)
        except sqlite3.OperationalError:
            if job:
                job.drop()
            raise
        rolled_back = self.chance.random() < 0.3
        self.connection.execute("ROLLBACK" if rolled_back else "COMMIT")
        self.counts["rolled back" if rolled_back else "transactions"] += 1
        if job:
            job.hand_in()

    def snapshot(self):
        """What the transaction starts from, through another connection: one that writes can't be copied."""
        second = self.second()
        second.execute("BEGIN")
        job = jobs.Job(self, second)
        second.execute("COMMIT")
        return job

    def ask_here(self, versions, job, changed):
        """Often of a user among the parameters `changed`; leaves a memo of what may be rolled back."""
        question = questions.draw(self.chance, versions)
        users = [name for name in changed if str(name)[0] in "un"]
        if users and question.kind in questions.ABOUT_USERS and self.chance.random() < 0.7:
            question.parameters[0] = users[0]
        answer = self.ask(question)
        if answer and job:
            job.asked(question, *answer, "transaction")
