// Eigenvectors of a symmetric matrix that is known by its products alone: randomised subspace
// iteration (Halko, Martinsson, Tropp 2011).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "engine/math/aligned_floats.h"

namespace personalize {

// Columns the iteration works with beyond those it gives.
inline constexpr size_t kExtraColumns = 16;

// out = X q, both rows x columns. False, with `out` unfinished, to stop.
using SymmetricProduct =
    std::function<bool(const AlignedFloats& q, size_t columns, AlignedFloats& out)>;

// Writes U |l|^(1/2) for the columns - kExtraColumns eigenvalues l of X largest in magnitude, U
// their eigenvectors, to the first numbers of each row of `vectors` (rows x stride). `rows` is at
// least `columns`. False, with `vectors` unfinished, if a product stopped or the iteration came to
// nothing. Deterministic by `seed`.
bool leading_eigenvectors(size_t rows, size_t columns, uint64_t seed,
                          const SymmetricProduct& multiply, size_t stride,
                          std::span<float> vectors);

}  // namespace personalize
