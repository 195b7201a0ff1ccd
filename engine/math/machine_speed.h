// How fast this machine is, by a probe of about a millisecond: what seconds are estimated from.
#pragma once

namespace personalize {

// Of one thread, as if nothing else ran on its core.
struct MachineSpeed {
  // Multiplications with an addition a second:
  double products = 0;          // of Kernels::product
  double softmax_products = 0;  // of the training softmax's products with E, exponentials included
  // Additions a second to numbers at random places of a table of 64 KiB.
  double updates = 0;
};

// Measured at the first call, in CPU time of the calling thread, with the kernels that kernels()
// chose. Any thread.
const MachineSpeed& machine_speed();

// Seconds that the calling thread has worked: a clock that stands still while others do.
double thread_seconds();

}  // namespace personalize
