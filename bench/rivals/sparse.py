"""Histories as a sparse matrix."""
import numpy as np
import scipy.sparse


def users_by_items(sequences, items):
    """1 where the user has had the item, however often."""
    rows = np.repeat(np.arange(len(sequences)), [len(sequence) for sequence in sequences])
    columns = np.concatenate(sequences)
    had = scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(sequences), items))
    had.data[:] = 1
    return had
