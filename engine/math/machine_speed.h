// How fast this machine is, by a probe of about a millisecond: what seconds are estimated from.
#pragma once

namespace personalize {

// Of one thread, as if nothing else ran on its core.
struct MachineSpeed {
  double multiply_adds = 0;  // a second, in Kernels::product from the second level of the cache
  double updates = 0;        // a second: additions to numbers at random places of a table of 64 KiB
};

// Measured at the first call, in CPU time of the calling thread, with the kernels that kernels()
// chose. Any thread.
const MachineSpeed& machine_speed();

}  // namespace personalize
