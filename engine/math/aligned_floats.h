// An array of floats that starts at a cache line, as the kernels like it.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace personalize {

// All 0 at first. Throws std::bad_alloc if there is no memory, like the standard containers.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(size_t size)
      : data_(static_cast<float*>(
            ::operator new (size * sizeof(float), std::align_val_t{kAlignment}))),
        size_(size) {
    std::uninitialized_fill_n(data_.get(), size, 0.0F);
  }

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  size_t size() const { return size_; }
  float& operator[](size_t i) { return data_.get()[i]; }
  float operator[](size_t i) const { return data_.get()[i]; }
  std::span<float> span() { return {data_.get(), size_}; }
  std::span<const float> span() const { return {data_.get(), size_}; }

 private:
  static constexpr size_t kAlignment = 64;
  struct Free {
    void operator()(float* p) const { ::operator delete (p, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<float, Free> data_;
  size_t size_ = 0;
};

}  // namespace personalize
