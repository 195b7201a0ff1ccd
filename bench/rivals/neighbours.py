#!/usr/bin/python3
"""What libraries of nearest neighbours take for the search that a question is: the 10 largest products of one
vector with those of all items. faiss exactly, and faiss and hnswlib by a graph (HNSW), which finds some of the 10:
how many is its recall. Each question by itself, on one thread, its overhead in Python included; and exactly in
blocks of 512 on all cores, as batch_recommend asks.

The vectors are random, of the shape of the model's: an exact search takes as long for any. A graph finds less
among them than among trained ones of that size, which lie in fewer directions.

usage: neighbours.py [--graph-items N] ITEMS:WIDTH...   (graphs of more than N items, 100000, are not built: minutes)
Prints rows as bench/run does: what, measured, beside it, required.
"""
import argparse
import os
import time

# A team of OpenMP threads that spin for one another takes a thousand times as long on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import faiss
import hnswlib
import numpy

TOP, QUESTIONS, BLOCK = 10, 1000, 512
LINKS, BUILDING, SEARCHING = 16, 100, 64  # of an HNSW graph: M, efConstruction, efSearch


def quantiles(seconds):
    p50, p99, p999 = numpy.quantile(numpy.array(seconds) * 1e6, (0.5, 0.99, 0.999))
    return f"p50 {p50:.1f} us, p99 {p99:.1f} us, p99.9 {p999:.1f} us"


def ask(search, questions):
    """Asks one question after the other: what each took, and the items found."""
    seconds, found = [], []
    for question in questions:
        start = time.perf_counter()
        items = search(question.reshape(1, -1))
        seconds.append(time.perf_counter() - start)
        found.append(items[0])
    return seconds, found


def recall(found, right):
    return numpy.mean([len(set(a) & set(b)) / TOP for a, b in zip(found, right)])


def measure(items, width, graph_items):
    chance = numpy.random.default_rng(1)
    vectors = chance.standard_normal((items, width), dtype=numpy.float32)
    questions = chance.standard_normal((min(QUESTIONS, max(50, 40_000_000 // items)), width), dtype=numpy.float32)

    def report(what, measured, beside=""):
        print(f"{items} items, d = {width}: {what}\t{measured}\t{beside}\t", flush=True)

    faiss.omp_set_num_threads(1)
    exact = faiss.IndexFlatIP(width)
    exact.add(vectors)
    seconds, right = ask(lambda q: exact.search(q, TOP)[1], questions)
    report("faiss IndexFlatIP, exact", quantiles(seconds))
    faiss.omp_set_num_threads(os.cpu_count())
    block = chance.standard_normal((BLOCK, width), dtype=numpy.float32)
    exact.search(block, TOP)
    start = time.perf_counter()
    exact.search(block, TOP)
    report(f"faiss IndexFlatIP, {BLOCK} at once on all cores", f"{BLOCK / (time.perf_counter() - start):.0f} users/s")
    if items > graph_items:
        report("HNSW of faiss and hnswlib", f"not built: more than {graph_items} items (--graph-items)")
        return

    start = time.perf_counter()
    graph = faiss.IndexHNSWFlat(width, LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = BUILDING, SEARCHING
    graph.add(vectors)
    built = time.perf_counter() - start
    faiss.omp_set_num_threads(1)
    seconds, found = ask(lambda q: graph.search(q, TOP)[1], questions)
    report("faiss IndexHNSWFlat", quantiles(seconds), f"recall {recall(found, right):.3f}, built in {built:.0f} s")

    start = time.perf_counter()
    graph = hnswlib.Index("ip", width)
    graph.init_index(items, ef_construction=BUILDING, M=LINKS)
    graph.add_items(vectors)
    built = time.perf_counter() - start
    graph.set_ef(SEARCHING)
    graph.set_num_threads(1)
    seconds, found = ask(lambda q: graph.knn_query(q, TOP)[0], questions)
    report("hnswlib", quantiles(seconds), f"recall {recall(found, right):.3f}, built in {built:.0f} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--graph-items", type=int, default=100_000)
    parser.add_argument("sizes", nargs="+")
    arguments = parser.parse_args()
    for size in arguments.sizes:
        items, width = size.split(":")
        measure(int(items), int(width), arguments.graph_items)


if __name__ == "__main__":
    main()
