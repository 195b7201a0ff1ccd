// A loop over many independent pieces of work, on threads of this one call.
#pragma once

#include <cstddef>
#include <functional>

namespace personalize {

// As many threads as a job of ours may use: `wanted`, or one for each core if it is 0, at most 16.
int thread_count(int wanted);

// Calls body(begin, end, worker) for the blocks [0, block), [block, 2 * block), ... of 0 .. count -
// 1, in any order, on `threads` threads of its own; a worker (0 .. threads - 1) runs one block at a
// time. Meanwhile the calling thread asks `stop` every 20 ms: once it is true no further block
// begins, and false is returned when the begun ones have ended. All threads are joined before the
// return. What `body` throws (std::bad_alloc) ends the loop and is thrown again on the calling
// thread. `body` must not depend on which worker runs which block if the result is to be the same
// for any number of threads. If the system gives fewer threads, fewer are used; if it gives none,
// the calling thread does the work and asks between blocks.
//
// With `beside` one thread less is started: the calling thread calls beside(), once, while the
// others work, and then takes blocks as they do, asking between them. beside() must see for itself
// that it does not take long once `stop` would be true; what it throws counts as thrown by `body`.
bool parallel_blocks(size_t count, size_t block, int threads, const std::function<bool()>& stop,
                     const std::function<void(size_t begin, size_t end, size_t worker)>& body,
                     const std::function<void()>& beside = {});

}  // namespace personalize
