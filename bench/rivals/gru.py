"""A GRU over item embeddings in torch, with the full softmax (GRU4Rec as Klenitskiy & Vasilev set it up).

Trains on one core for so many CPU seconds, and keeps the epoch that is best at events nobody learned from.
"""
import copy
import sys
import time

import numpy as np
import torch

import rivals.judge

LONGEST = 200  # newest events of a history that it looks at
MOST_VALIDATED = 1000


class Net(torch.nn.Module):
    def __init__(self, items, size, dropout):
        super().__init__()
        self.embedding = torch.nn.Embedding(items + 1, size, padding_idx=0)  # 0: no event
        torch.nn.init.normal_(self.embedding.weight, std=0.05)
        self.gru = torch.nn.GRU(size, size, batch_first=True)
        self.dropout = torch.nn.Dropout(dropout)

    def forward(self, inputs):
        return self.dropout(self.gru(self.dropout(self.embedding(inputs)))[0])


def padded(sequences):
    rows = np.zeros((len(sequences), max(map(len, sequences))), np.int64)
    for row, sequence in zip(rows, sequences):
        row[:len(sequence)] = sequence + 1
    return torch.from_numpy(rows)


class Gru:
    def __init__(self, seconds, batch, rate, size=64, dropout=0.2, seed=1):
        self.seconds, self.batch, self.rate, self.size, self.dropout, self.seed = seconds, batch, rate, size, dropout, seed
        self.name = f"GRU of {size}, full softmax (torch, {seconds} CPU s)"

    def validation(self, split):
        """Sequences to learn from, and (history, item) pairs to choose the epoch by."""
        random = np.random.default_rng(self.seed)
        if split.validation:
            pairs = split.validation
            return split.train, [pairs[i] for i in random.permutation(len(pairs))[:MOST_VALIDATED]]
        train = list(split.train)  # the protocol sets nothing aside: the newest event of some users
        able = [user for user, sequence in enumerate(train) if len(sequence) > 2]
        pairs = []
        for user in random.permutation(able)[:MOST_VALIDATED]:
            pairs.append((train[user][:-1], train[user][-1]))
            train[user] = train[user][:-1]
        return train, pairs

    def fit(self, split):
        torch.manual_seed(self.seed)
        torch.set_num_threads(1)
        train, pairs = self.validation(split)
        sequences = [sequence[-LONGEST - 1:] for sequence in train if len(sequence) > 1]
        self.net = Net(split.items, self.size, self.dropout)
        optimizer = torch.optim.Adam(self.net.parameters(), lr=self.rate)
        random = np.random.default_rng(self.seed)
        best, best_state, used = -1.0, None, 0.0
        while used < self.seconds:
            begin, order = time.process_time(), random.permutation(len(sequences))
            self.net.train()
            for start in range(0, len(order), self.batch):
                if used + time.process_time() - begin >= self.seconds:
                    break
                batch = padded([sequences[i] for i in order[start:start + self.batch]])
                inputs, wanted = batch[:, :-1], batch[:, 1:]
                hidden = self.net(inputs)[wanted > 0]
                loss = torch.nn.functional.cross_entropy(hidden @ self.net.embedding.weight.T, wanted[wanted > 0])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            used += time.process_time() - begin
            value = self.validate(pairs)
            if value > best:
                best, best_state = value, copy.deepcopy(self.net.state_dict())
            print(f"  GRU after {used:.0f} CPU s: validation NDCG@10 {value:.4f}", file=sys.stderr, flush=True)
        self.net.load_state_dict(best_state)

    def validate(self, pairs):
        gain = 0.0
        for start in range(0, len(pairs), 256):
            part = pairs[start:start + 256]
            for scores, (history, item) in zip(self.scores([history for history, _ in part]), part):
                scores[history] = -np.inf
                place = rivals.judge.ranks(scores, np.array([item]))
                gain += rivals.judge.metrics_of_ranks(place, 1)["NDCG@10"]
        return gain / len(pairs)

    def scores(self, histories):
        self.net.eval()
        histories = [history[-LONGEST:] for history in histories]
        with torch.no_grad():
            hidden = self.net(padded(histories))[torch.arange(len(histories)),
                                                 torch.tensor([len(history) - 1 for history in histories])]
            return (hidden @ self.net.embedding.weight.T)[:, 1:].numpy()
