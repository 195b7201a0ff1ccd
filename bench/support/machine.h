// What this machine can do at best, measured in the same run: what a question's time is to be held
// against.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bench/support/bench.h"

namespace bench {

// Microseconds to read so many bytes from one end to the other, on one thread, by the widest loads
// there are: the best of many times, since whatever disturbs makes it slower.
double stream_microseconds(size_t bytes);

// Microseconds of a read transaction and a look-up of one of 100,000 keys of 24 bytes with values
// of 512 bytes, in an LMDB file that it makes in `folder`.
double lmdb_get_microseconds(const std::string& folder);

// The microseconds of each pause of more than five that a thread which does nothing but look at the
// clock sees within a second: interrupts, and the machine's own host. No high quantile can be below
// what they take.
std::vector<double> pauses_of_a_second();

// Adds the table-valued function empty_table(rows), with the columns rank, item_id and score, which
// are there without anybody having looked for them: what SQLite itself takes for an answer.
void add_empty_table(sqlite3* connection);

}  // namespace bench
