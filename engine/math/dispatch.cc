#include "engine/math/dispatch.h"

#include <cstdlib>
#include <string>

namespace personalize {

namespace kernels_base {
extern const Kernels table;
}
#if defined(PERSONALIZE_X86_LEVELS)
namespace kernels_v3 {
extern const Kernels table;
}
namespace kernels_v4 {
extern const Kernels table;
}
namespace kernels_v4bf16 {
extern const ItemSoftmax item_softmax;
void pair_product(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                  float* c, ptrdiff_t ldc, bool accumulate, float* room);
ExponentialSum scan_codes(size_t size, const CodeBlock& block, float limit, const float* reference,
                          float* estimates, float* uppers, uint64_t* masks);
}  // namespace kernels_v4bf16
#endif

namespace {

#if defined(PERSONALIZE_X86_LEVELS)
// v4 with training's products in bf16, and those of codes by the instruction (VNNI) that every
// processor with bf16 has. All but training computes the same bits as v4.
const Kernels& v4bf16() {
  static const Kernels table = [] {
    Kernels result = kernels_v4::table;
    result.isa = "v4bf16";
    result.product_bf16 = kernels_v4bf16::pair_product;
    result.softmax_bf16 = &kernels_v4bf16::item_softmax;
    result.scan_codes = kernels_v4bf16::scan_codes;
    return result;
  }();
  return table;
}
#endif

struct Choice {
  std::string requested;
  const Kernels* table;
};

const Choice& choice() {
  static const Choice chosen = [] {
    const char* variable = std::getenv("PERSONALIZE_ISA");
    Choice result{variable == nullptr ? "" : variable, nullptr};
    result.table = kernels_of(result.requested);
    for (const char* isa : {"v4bf16", "v4", "v3", "base"})
      if (result.table == nullptr) result.table = kernels_of(isa);
    return result;
  }();
  return chosen;
}

}  // namespace

const Kernels& kernels() { return *choice().table; }

std::string_view requested_isa() { return choice().requested; }

const Kernels* kernels_of(std::string_view isa) {
  if (isa == "base") return &kernels_base::table;
#if defined(PERSONALIZE_X86_LEVELS)
  if (isa == "v3" && __builtin_cpu_supports("x86-64-v3")) return &kernels_v3::table;
  if (isa == "v4" && __builtin_cpu_supports("x86-64-v4")) return &kernels_v4::table;
  if (isa == "v4bf16" && __builtin_cpu_supports("x86-64-v4") &&
      __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni"))
    return &v4bf16();
#endif
  return nullptr;
}

}  // namespace personalize
