// A model as bytes: named sections of numbers, each 64-byte aligned from the start of the blob. The
// layout is described in doc/file_format.md. Nothing here knows LMDB; the model store keeps blobs
// as values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "engine/status.h"

namespace personalize {

// Collects sections, then gives the blob. A name may be used once; 1 to 47 bytes.
class BlobWriter {
 public:
  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void add(std::string_view name, std::span<const T> values) {
    add_bytes(name, sizeof(T), std::as_bytes(values));
  }
  template <typename T>
  void add(std::string_view name, const std::vector<T>& values) {
    add(name, std::span<const T>(values));
  }
  void add_text(std::string_view name, std::string_view text) {
    add_bytes(name, 1, std::as_bytes(std::span<const char>(text)));
  }

  // The blob of all sections added so far.
  std::vector<std::byte> finish() const;

 private:
  struct Section {
    std::string name;
    uint32_t element_size;
    std::vector<std::byte> bytes;
  };
  void add_bytes(std::string_view name, uint32_t element_size, std::span<const std::byte> bytes);
  std::vector<Section> sections_;
};

// Reads a blob in place. Holds a view: the bytes must outlive it. Trusts nothing: parse() proves
// that every section lies inside the bytes, is aligned and has a size that fits its element size.
class BlobView {
 public:
  BlobView() = default;
  // `bytes` must be 64-byte aligned in memory. Errors: kCorrupt, naming what is wrong.
  static Result<BlobView> parse(std::span<const std::byte> bytes);

  // The section `name` as T's. Errors: kCorrupt if there is none or its elements have another size.
  template <typename T>
  requires std::is_trivially_copyable_v<T> Result<std::span<const T>> section(std::string_view name)
  const {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, find(name, sizeof(T)));
    return std::span<const T>(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T));
  }
  // The same, and exactly `count` of them.
  template <typename T>
  Result<std::span<const T>> section(std::string_view name, size_t count) const {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::span<const T> values, section<T>(name));
    if (values.size() != count) return wrong_count(name, values.size(), count);
    return values;
  }
  Result<std::string_view> text(std::string_view name) const;
  bool has(std::string_view name) const;

 private:
  Result<std::span<const std::byte>> find(std::string_view name, uint32_t element_size) const;
  static Status wrong_count(std::string_view name, size_t found, size_t wanted);
  std::span<const std::byte> bytes_;
  uint32_t section_count_ = 0;
};

}  // namespace personalize
