#include "engine/store/blob.h"

#include <fmt/format.h>

namespace personalize {
namespace {

// The blob starts with a Header, then `sections` SectionEntry's, then the sections' bytes, each at
// a multiple of kAlignment. All numbers little endian.
constexpr uint64_t kMagic = 0x3142'4f4c'4250'5253;  // "SRPBLOB1"
constexpr size_t kAlignment = 64;

struct Header {
  uint64_t magic;
  uint64_t size;  // of the whole blob
  uint32_t sections;
  uint32_t reserved;
};
struct SectionEntry {
  char name[48];  // zero-padded
  uint64_t offset;
  uint64_t size;
  uint32_t element_size;
  uint32_t reserved;
};

size_t aligned(size_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

Status damaged(std::string what) {
  return {StatusCode::kCorrupt, "the model is damaged: " + std::move(what)};
}

SectionEntry entry_at(std::span<const std::byte> bytes, size_t index) {
  SectionEntry entry;
  std::memcpy(&entry, bytes.data() + sizeof(Header) + index * sizeof(SectionEntry), sizeof entry);
  return entry;
}

std::string_view name_of(const SectionEntry& entry) {
  return {entry.name, strnlen(entry.name, sizeof entry.name)};
}

}  // namespace

void BlobWriter::add_bytes(std::string_view name, uint32_t element_size,
                           std::span<const std::byte> bytes) {
  sections_.push_back({std::string(name), element_size, {bytes.begin(), bytes.end()}});
}

std::vector<std::byte> BlobWriter::finish() const {
  size_t end = aligned(sizeof(Header) + sections_.size() * sizeof(SectionEntry));
  std::vector<SectionEntry> entries;
  for (const Section& section : sections_) {
    SectionEntry entry = {};
    section.name.copy(entry.name, sizeof entry.name - 1);
    entry.offset = end;
    entry.size = section.bytes.size();
    entry.element_size = section.element_size;
    entries.push_back(entry);
    end += aligned(section.bytes.size());
  }
  std::vector<std::byte> out(end);
  const Header header = {kMagic, end, static_cast<uint32_t>(sections_.size()), 0};
  std::memcpy(out.data(), &header, sizeof header);
  for (size_t i = 0; i < entries.size(); i++) {
    std::memcpy(out.data() + sizeof header + i * sizeof(SectionEntry), &entries[i],
                sizeof(SectionEntry));
    if (!sections_[i].bytes.empty())
      std::memcpy(out.data() + entries[i].offset, sections_[i].bytes.data(),
                  sections_[i].bytes.size());
  }
  return out;
}

Result<BlobView> BlobView::parse(std::span<const std::byte> bytes) {
  Header header;
  if (bytes.size() < sizeof header) return damaged("it is shorter than its header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kMagic) return damaged("it does not start as a model does");
  if (header.size != bytes.size())
    return damaged(
        fmt::format("its header says {} bytes, there are {}", header.size, bytes.size()));
  if (header.sections > (bytes.size() - sizeof header) / sizeof(SectionEntry))
    return damaged(fmt::format("a table of {} sections does not fit into it", header.sections));
  for (size_t i = 0; i < header.sections; i++) {
    const SectionEntry entry = entry_at(bytes, i);
    if (entry.offset % kAlignment != 0 || entry.offset > bytes.size() ||
        entry.size > bytes.size() - entry.offset)
      return damaged(fmt::format("section {} lies outside of it", i));
    if (entry.element_size == 0 || entry.size % entry.element_size != 0)
      return damaged(fmt::format("section {} has a broken element size", i));
  }
  BlobView view;
  view.bytes_ = bytes;
  view.section_count_ = header.sections;
  return view;
}

Result<std::span<const std::byte>> BlobView::find(std::string_view name,
                                                  uint32_t element_size) const {
  for (size_t i = 0; i < section_count_; i++) {
    const SectionEntry entry = entry_at(bytes_, i);
    if (name_of(entry) != name) continue;
    if (entry.element_size != element_size)
      return damaged(fmt::format("section {} has elements of {} bytes, not {}", name,
                                 entry.element_size, element_size));
    return bytes_.subspan(entry.offset, entry.size);
  }
  return damaged(fmt::format("section {} is missing", name));
}

Result<std::string_view> BlobView::text(std::string_view name) const {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, find(name, 1));
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

bool BlobView::has(std::string_view name) const {
  for (size_t i = 0; i < section_count_; i++)
    if (name_of(entry_at(bytes_, i)) == name) return true;
  return false;
}

Status BlobView::wrong_count(std::string_view name, size_t found, size_t wanted) {
  return damaged(fmt::format("section {} has {} elements, not {}", name, found, wanted));
}

}  // namespace personalize
