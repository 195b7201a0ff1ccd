// The pages of an LMDB 0.9 data file as they lie on disk (doc/file_format.md), read without LMDB
// and without trust: whatever parses lies inside its page and is free of overlaps. Layouts: mdb.c
// of LMDB 0.9.24 (MDB_page, MDB_node, MDB_db, MDB_meta), on a 64-bit little-endian machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/status.h"

namespace personalize::lmdb_page {

using PageNumber = uint64_t;
inline constexpr PageNumber kNoPage = ~PageNumber{0};
inline constexpr size_t kMetaPages = 2;
inline constexpr size_t kPageHeaderSize = 16;
inline constexpr size_t kLargestPage = 32768;  // offsets have 16 bits
inline constexpr size_t kDeepestTree = 32;     // LMDB's cursors have so many levels
inline constexpr size_t kLongestKey = 511;

// A b-tree as its parent knows it (MDB_db).
struct Tree {
  uint32_t page_size;  // of the whole file, in the first tree of a meta page; else 0
  uint16_t flags;
  uint16_t depth;
  uint64_t branch_pages, leaf_pages, overflow_pages, entries;
  PageNumber root;
};
static_assert(sizeof(Tree) == 48);

// What matters of a meta page (MDB_meta).
struct Meta {
  uint32_t magic, version;
  uint64_t address, map_size;
  Tree free_pages, main;
  PageNumber last_page;
  uint64_t transaction;
};
static_assert(sizeof(Meta) == 136);

// Checks everything about a meta page that can be checked without the rest of the file. `bytes`
// starts with the page's header.
Result<Meta> parse_meta(std::span<const std::byte> bytes, PageNumber number);

// What a leaf's node may be, besides a value in the leaf.
inline constexpr uint16_t kOverflowNode = 1;  // the value lies on pages of its own
inline constexpr uint16_t kTreeNode = 2;      // the value is a Tree, the key its name

// One node of a branch or leaf page: views into the page.
struct Node {
  std::string_view key;
  uint16_t flags = 0;               // of a leaf's node
  PageNumber child = 0;             // of a branch's node
  size_t size = 0;                  // of the value of a leaf's node
  std::span<const std::byte> data;  // in a leaf: the value; with kOverflowNode its page number
};

// The nodes of a page that is to be a branch or a leaf. kCorrupt with what is wrong ("key beyond
// page"). Fills `nodes`, whose views live as long as `page`.
Status parse_tree_page(std::span<const std::byte> page, PageNumber number, bool is_branch,
                       std::vector<Node>& nodes);

// How many pages the value takes whose first page starts with `header` (kPageHeaderSize bytes).
Result<uint64_t> parse_overflow_header(std::span<const std::byte> header, PageNumber number,
                                       size_t value_size, size_t page_size);

}  // namespace personalize::lmdb_page
