#include "engine/store/page_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace personalize::lmdb_page {
namespace {

constexpr uint32_t kMagic = 0xBEEFC0DE;
constexpr uint32_t kVersion = 1;

constexpr uint16_t kBranchPage = 1;
constexpr uint16_t kLeafPage = 2;
constexpr uint16_t kOverflowPage = 4;
constexpr uint16_t kMetaPage = 8;

// Flags of the free list's tree: its keys are integers; the other one is the environment's
// MDB_NOSUBDIR, which LMDB stores in the same place.
constexpr uint16_t kIntegerKeys = 0x08;
constexpr uint16_t kNoSubdirectory = 0x4000;

struct PageHeader {
  PageNumber number;
  uint16_t pad;
  uint16_t flags;
  union {
    struct {
      uint16_t lower, upper;  // where the offsets of nodes end and where the nodes begin
    } bounds;
    uint32_t overflow_pages;
  };
};
static_assert(sizeof(PageHeader) == kPageHeaderSize);

struct NodeHeader {
  uint16_t low, high;  // of a leaf: the value's size; of a branch with flags: the page number
  uint16_t flags;
  uint16_t key_size;
};
static_assert(sizeof(NodeHeader) == 8);

template <typename T>
T read(std::span<const std::byte> bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

Status wrong(std::string what) { return {StatusCode::kCorrupt, std::move(what)}; }

Status wrong_page(PageNumber number, std::string_view what) {
  return wrong(fmt::format("page {}: {}", number, what));
}

// Where a node lies, its size rounded up as LMDB does.
struct Extent {
  size_t begin, end;
};

// Reads the node at `offset`, which is inside the page.
Status parse_node(std::span<const std::byte> page, size_t offset, bool is_branch, Node& node,
                  Extent& extent) {
  if (page.size() - offset < sizeof(NodeHeader)) return wrong("node beyond page");
  const auto header = read<NodeHeader>(page, offset);
  size_t left = page.size() - offset - sizeof header;
  if (header.key_size > left) return wrong("key beyond page");
  if (header.key_size > kLongestKey) return wrong("key too long");
  const size_t key_at = offset + sizeof header;
  node.key = {reinterpret_cast<const char*>(page.data() + key_at), header.key_size};
  left -= header.key_size;
  size_t data_size = 0;
  if (is_branch) {
    node.child = header.low | PageNumber{header.high} << 16 | PageNumber{header.flags} << 32;
  } else {
    node.flags = header.flags;
    node.size = header.low | size_t{header.high} << 16;
    if (node.flags != 0 && node.flags != kOverflowNode && node.flags != kTreeNode)
      return wrong("node with unknown flags");
    data_size = node.flags == kOverflowNode ? sizeof(PageNumber) : node.size;
    if (data_size > left) return wrong("value beyond page");
    node.data = page.subspan(key_at + header.key_size, data_size);
  }
  const size_t size = sizeof header + header.key_size + data_size;
  extent = {offset, offset + size + size % 2};
  return Status::ok();
}

// Nodes fill the page from `upper` to its end without gaps: LMDB moves them so at every change, and
// what overlaps would be moved over other memory.
bool tiles(std::vector<Extent>& extents, size_t upper, size_t page_size) {
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  size_t at = upper;
  for (const Extent& extent : extents) {
    if (extent.begin != at) return false;
    at = extent.end;
  }
  return at == page_size;
}

}  // namespace

Result<Meta> parse_meta(std::span<const std::byte> bytes, PageNumber number) {
  if (bytes.size() < kPageHeaderSize + sizeof(Meta)) return wrong("it has no two meta pages");
  const auto header = read<PageHeader>(bytes, 0);
  const auto meta = read<Meta>(bytes, kPageHeaderSize);
  if (header.flags != kMetaPage || header.number != number || meta.magic != kMagic)
    return wrong_page(number, "it is no meta page of LMDB");
  if (meta.version != kVersion)
    return wrong_page(number, fmt::format("LMDB format {}, not {}", meta.version, kVersion));
  const uint32_t page_size = meta.free_pages.page_size;
  if (page_size < 4096 || page_size > kLargestPage || (page_size & (page_size - 1)) != 0)
    return wrong_page(number, fmt::format("page size {}", page_size));
  if (meta.address != 0) return wrong_page(number, "a fixed address");
  if ((meta.free_pages.flags & ~kNoSubdirectory) != kIntegerKeys || meta.main.flags != 0 ||
      meta.main.page_size != 0)
    return wrong_page(number, "unknown flags");
  return meta;
}

Status parse_tree_page(std::span<const std::byte> page, PageNumber number, bool is_branch,
                       std::vector<Node>& nodes) {
  nodes.clear();
  const auto header = read<PageHeader>(page, 0);
  if (header.number != number)
    return wrong_page(number, fmt::format("it says it is page {}", header.number));
  if (header.flags != (is_branch ? kBranchPage : kLeafPage))
    return wrong_page(number, is_branch ? "it is no branch page" : "it is no leaf page");
  const size_t lower = header.bounds.lower, upper = header.bounds.upper;
  if (lower < kPageHeaderSize || lower % 2 != 0 || lower > upper || upper > page.size())
    return wrong_page(number, "broken bounds");
  const size_t count = (lower - kPageHeaderSize) / 2;
  if (count == 0) return wrong_page(number, "no nodes");
  std::vector<Extent> extents(count);
  nodes.resize(count);
  for (size_t i = 0; i < count; i++) {
    const size_t offset = read<uint16_t>(page, kPageHeaderSize + 2 * i);
    if (offset < upper || offset >= page.size() || offset % 2 != 0)
      return wrong_page(number, "node outside of its place");
    const Status parsed = parse_node(page, offset, is_branch, nodes[i], extents[i]);
    if (!parsed.is_ok()) return wrong_page(number, parsed.message());
  }
  if (!tiles(extents, upper, page.size())) return wrong_page(number, "nodes overlap");
  return Status::ok();
}

Result<uint64_t> parse_overflow_header(std::span<const std::byte> bytes, PageNumber number,
                                       size_t value_size, size_t page_size) {
  const auto header = read<PageHeader>(bytes, 0);
  if (header.number != number || header.flags != kOverflowPage)
    return wrong_page(number, "it is no overflow page");
  const uint64_t needed = (kPageHeaderSize + value_size + page_size - 1) / page_size;
  if (header.overflow_pages < needed)
    return wrong_page(
        number, fmt::format("{} overflow pages for {} bytes", header.overflow_pages, value_size));
  return uint64_t{header.overflow_pages};
}

}  // namespace personalize::lmdb_page
