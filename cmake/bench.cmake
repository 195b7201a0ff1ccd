# Benchmarks: every bench/*.cc is a program of its own.
