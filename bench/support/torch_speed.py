"""Events a second of a GRU over item embeddings with the full softmax in torch, on one thread: the rival of bench/training."""
import time

import numpy as np
import torch

from rivals.data_sets import read_file
from training import status

SIZE = 128
LANES, WINDOW = 16, 64  # as hrnn's
BATCHES = 40


def sequences(path):
    """Each user's items in order of time, as arrays of numbers from 0, and how many items there are."""
    item_of, users = {}, {}
    for event in read_file(path):
        users.setdefault(event.user, []).append((event.time, item_of.setdefault(event.item, len(item_of))))
    return [np.array([item for _, item in sorted(events, key=lambda e: e[0])]) for events in users.values()], len(item_of)


def measure(path):
    """(events a second, bytes at the peak over the data)"""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    histories, items = sequences(path)
    stream = torch.from_numpy(np.concatenate(histories))
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")
    level = status("VmRSS")
    embedding, gru = torch.nn.Embedding(items, SIZE), torch.nn.GRU(SIZE, SIZE, batch_first=True)
    optimizer = torch.optim.Adam([*embedding.parameters(), *gru.parameters()], lr=0.004)
    span = LANES * WINDOW
    begin = None
    for batch in range(BATCHES + 2):
        if batch == 2:  # the first ones also allocate
            begin = time.process_time()
        inputs = stream[batch * span:(batch + 1) * span].view(LANES, WINDOW)
        wanted = stream[batch * span + 1:(batch + 1) * span + 1]
        hidden = gru(embedding(inputs))[0].reshape(span, SIZE)
        loss = torch.nn.functional.cross_entropy(hidden @ embedding.weight.T, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return BATCHES * span / (time.process_time() - begin), status("VmHWM") - level
