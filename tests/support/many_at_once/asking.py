"""How a connection asks: with the versions there are, and with an excuse for those that are gone."""
import sqlite3

from many_at_once import questions, world


class Asking(world.Role):
    def versions(self):
        """The ACTIVE ones, by solution, the newest at the end."""
        found = {}
        for solution, number in self.connection.execute(
                "SELECT solution, number FROM personalize_versions WHERE status = 'ACTIVE' ORDER BY number"):
            found.setdefault(solution, []).append(f"{solution}/{number}")
        return found

    def few_versions(self):
        """One version each of two solutions: a replay has to open what was asked. Often the one that lives for the
        whole run: what a connection remembers is only met again with the same version."""
        versions = self.versions()
        few = {solution: self.chance.choice(versions[solution]) for solution in self.chance.sample(sorted(versions), 2)}
        if self.chance.random() < 0.5:
            few["net"] = "net/1"
        return few

    def newest(self, solution):
        return f"{solution}/" + str(world.one(
            self.connection, "SELECT max(number) FROM personalize_versions WHERE solution = ? AND status = 'ACTIVE'",
            solution))

    def ask(self, question):
        """(the versions of which one answered, the rows); None if the version was deleted meanwhile."""
        before = question.version or self.newest(question.solution)
        try:
            rows = self.connection.execute(question.sql, question.parameters).fetchall()
        except sqlite3.OperationalError as error:
            if question.version and "does not exist" in str(error) and world.one(
                    self.connection, "SELECT count(*) FROM personalize_versions WHERE version = ?",
                    question.version) == 0:
                self.counts["version deleted before the question"] += 1
                return None
            raise
        after = question.version or self.newest(question.solution)
        self.counts["answers"] += 1
        problem = questions.problem_of(question, rows)
        self.expect(problem is None, problem, question, rows)
        return sorted({before, after}), rows
