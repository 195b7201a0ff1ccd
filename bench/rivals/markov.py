"""A plain windowed Markov chain: which items came soon after the user's last ones, nearer counting more.

It knows nothing of what the user had before: the term by which the recipe markov goes beyond it.
"""
import numpy as np
import scipy.sparse


class Markov:
    name = "Markov chain, 10 / 0.7 / 50 (numpy)"

    def __init__(self, window=10, decay=0.7, smooth=50.0):
        self.window, self.decay, self.smooth = window, decay, smooth

    def fit(self, split):
        shape = (split.items, split.items)
        follows = scipy.sparse.csr_matrix(shape, dtype=np.float32)
        for gap in range(1, self.window + 1):
            long_enough = [sequence for sequence in split.train if len(sequence) > gap]
            before = np.concatenate([sequence[:-gap] for sequence in long_enough])
            after = np.concatenate([sequence[gap:] for sequence in long_enough])
            weight = np.full(len(before), self.decay ** (gap - 1), np.float32)
            follows = follows + scipy.sparse.csr_matrix((weight, (before, after)), shape)
        total = np.asarray(follows.sum(1)).ravel()
        self.next = scipy.sparse.diags(1 / (total + self.smooth)).astype(np.float32) @ follows
        users = np.bincount(np.concatenate([np.unique(sequence) for sequence in split.train]), minlength=split.items)
        self.popular = 0.01 * users / users.sum()

    def scores(self, histories):
        asked = [history[-self.window:] for history in histories]
        rows = np.repeat(np.arange(len(asked)), [len(last) for last in asked])
        weights = np.concatenate([self.decay ** np.arange(len(last) - 1.0, -1, -1) for last in asked])
        asked = scipy.sparse.csr_matrix((weights.astype(np.float32), (rows, np.concatenate(asked))),
                                        (len(histories), len(self.popular)))
        return (asked @ self.next).toarray() + self.popular
