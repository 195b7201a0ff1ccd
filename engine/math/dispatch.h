// Chooses the kernels for this machine.
#pragma once

#include <string_view>
#include <vector>

#include "engine/math/kernels.h"

namespace personalize {

// The kernels of the best instruction set this machine has, or of the one that the environment
// variable PERSONALIZE_ISA (base, v3, v4, v4bf16) names, if the machine has it. Decided at the
// first call. Any thread.
const Kernels& kernels();

// The kernels of one instruction set: "base" (x86-64), "v3" (AVX2 and FMA), "v4" (AVX-512),
// "v4bf16" (v4, and AVX512-BF16 for training). Null
// for another name, or if this machine can't run them.
const Kernels* kernels_of(std::string_view isa);

// What PERSONALIZE_ISA said when kernels() decided, "" if nothing; for personalize_debug().
std::string_view requested_isa();

}  // namespace personalize
