"""Implicit ALS (Hu, Koren & Volinsky, ICDM 2008): confidence 1 + alpha for what a user had, 1 for all else."""
import numpy as np

from rivals.sparse import users_by_items


class Als:
    name = "ALS, 64 factors, 15 iterations (numpy)"

    def __init__(self, factors=64, iterations=15, alpha=1.0, regularization=0.01, seed=1):
        self.factors, self.iterations, self.alpha = factors, iterations, alpha
        self.regularization, self.seed = regularization, seed

    def solve(self, had, others):
        """The best factors of the rows of `had`, given those of its columns."""
        common = others.T @ others + self.regularization * np.eye(self.factors, dtype=np.float32)
        found = np.zeros((had.shape[0], self.factors), np.float32)
        for row in range(had.shape[0]):
            mine = others[had.indices[had.indptr[row]:had.indptr[row + 1]]]
            if len(mine):
                found[row] = np.linalg.solve(common + self.alpha * (mine.T @ mine), (1 + self.alpha) * mine.sum(0))
        return found

    def fit(self, split):
        had = users_by_items(split.train, split.items)
        by_item = had.T.tocsr()
        random = np.random.default_rng(self.seed)
        self.items = (random.standard_normal((split.items, self.factors)) * 0.01).astype(np.float32)
        for _ in range(self.iterations):
            users = self.solve(had, self.items)
            self.items = self.solve(by_item, users)

    def scores(self, histories):
        return self.solve(users_by_items(histories, len(self.items)), self.items) @ self.items.T
