// Tells a forked child from its parent without a system call.
#pragma once

#include <cstdint>

namespace personalize {

// A number that is another one after fork(), in the child. Any thread.
uint64_t process_mark();

}  // namespace personalize
