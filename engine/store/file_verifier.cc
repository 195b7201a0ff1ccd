#include "engine/store/file_verifier.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>

#include "engine/store/io_status.h"
#include "engine/store/page_format.h"
#include "engine/store/value_frame.h"
#include "engine/store/writer_lock.h"

namespace personalize {
namespace {

using lmdb_page::kNoPage;
using lmdb_page::Meta;
using lmdb_page::Node;
using lmdb_page::PageNumber;
using lmdb_page::Tree;

constexpr size_t kSmallestPage = 4096;
// More pages than this beyond the end of the file cannot come from a commit of ours: pages that a
// transaction took and gave back are counted, though never written.
constexpr uint64_t kUnwrittenPages = 1 << 20;

// How much of the file is read at once, and over how wide a gap between two pages that are wanted.
constexpr size_t kPieceSize = size_t{1} << 20;
constexpr uint64_t kWidestGap = 16;

// The keys that a page may hold: from `lower`, below `upper`.
struct KeyRange {
  std::optional<std::string_view> lower, upper;
};

class Walker {
 public:
  Walker(int fd, size_t most_problems, const ValueCheck& check)
      : fd_(fd), most_problems_(most_problems), check_(check) {}

  FileWalk run();

 private:
  // The trees that are walked, which differ in what their keys and values may be.
  enum class TreeKind { kFreePages, kMain, kNamed };
  struct TreeWalk {
    Tree tree;  // what its parent says
    TreeKind kind;
    std::string name;
    uint64_t branch_pages = 0, leaf_pages = 0, overflow_pages = 0, entries = 0;  // what was found
  };
  struct Leaf {
    PageNumber page;
    TreeWalk* tree;
    KeyRange range;
  };

  bool enough() const { return walk_.problems.size() >= most_problems_; }
  void problem(std::string what) {
    if (!enough()) walk_.problems.push_back(std::move(what));
  }

  std::optional<Meta> read_meta(PageNumber number, uint64_t offset);
  std::optional<Meta> read_newest_meta();
  // Walks its branches; its leaves are for read_leaves().
  void walk_tree(const Tree& tree, TreeKind kind, std::string_view name);
  void walk_branch(PageNumber number, size_t levels, TreeWalk& tree, const KeyRange& range);
  void add_page(PageNumber number, size_t levels, TreeWalk& tree, const KeyRange& range);
  // Looks at all leaves, those of trees that it meets among them, in the order of the file: reading
  // each by itself would take several times as long as everything else.
  void read_leaves();
  void read_piece(std::span<const Leaf> leaves);
  void check_leaf(const Leaf& leaf, std::span<const std::byte> page);
  bool keys_are_right(const std::vector<Node>& nodes, bool is_branch, TreeKind kind,
                      const KeyRange& range) const;
  void check_leaf_node(const Node& node, PageNumber page, TreeWalk& tree);
  void check_overflow(const Node& node, TreeWalk& tree);
  void walk_named_tree(const Node& node);
  void compare_counts(const TreeWalk& tree);
  void add_free_pages(std::string_view key, std::span<const std::byte> list);
  void check_value(const WalkedValue& value);
  // Marks `count` pages as used; false, with a problem, if one lies outside or has a use already.
  bool use_pages(PageNumber first, uint64_t count, std::string_view as);

  const int fd_;
  const size_t most_problems_;
  const ValueCheck& check_;
  FileWalk walk_;
  uint64_t file_pages_ = 0;
  PageNumber last_page_ = 0;
  std::vector<bool> used_;
  std::vector<PageNumber> free_;
  std::deque<TreeWalk> trees_;
  std::deque<std::vector<std::byte>> branches_;  // the keys of ranges lie in them
  std::vector<Leaf> leaves_;                     // to be looked at
  std::vector<std::byte> piece_;
  std::vector<Node> nodes_;  // of the leaf that is looked at
};

// Free pages' keys are integers, all others are compared as text.
bool is_less(std::string_view a, std::string_view b, bool integers) {
  if (!integers) return a < b;
  uint64_t left = 0, right = 0;
  std::memcpy(&left, a.data(), sizeof left);
  std::memcpy(&right, b.data(), sizeof right);
  return left < right;
}

std::string missing_page(PageNumber number, std::string_view tree) {
  return fmt::format("page {} ({}) is missing: the file was cut", number, tree);
}

std::string keys_out_of_order(PageNumber number) {
  return fmt::format("page {}: keys are not in order", number);
}

std::optional<Meta> Walker::read_meta(PageNumber number, uint64_t offset) {
  std::byte bytes[lmdb_page::kPageHeaderSize + sizeof(Meta)];
  if (!read_at(fd_, offset, bytes)) {
    problem(fmt::format("meta page {} is missing: the file was cut", number));
    return std::nullopt;
  }
  const Result<Meta> meta = lmdb_page::parse_meta(bytes, number);
  if (meta.is_ok()) return *meta;
  problem(meta.status().message());
  return std::nullopt;
}

std::optional<Meta> Walker::read_newest_meta() {
  struct stat status;
  if (fstat(fd_, &status) != 0) status.st_size = 0;
  const std::optional<Meta> first = read_meta(0, 0);
  const uint64_t second_at = first ? first->free_pages.page_size : kSmallestPage;
  const std::optional<Meta> second = read_meta(1, second_at);
  if (!first && !second) return std::nullopt;
  if (first && second) {
    // Transactions write the meta pages in turns, the even ones the first.
    const uint64_t a = first->transaction, b = second->transaction;
    const bool is_new = a == 0 && b == 0;
    if (!is_new && ((a != b + 1 && b != a + 1) || a % 2 != 0))
      problem(fmt::format("its meta pages are of transactions {} and {}", a, b));
    if (first->free_pages.page_size != second->free_pages.page_size)
      problem("its meta pages differ in the page size");
  }
  const Meta& newest =
      first && (!second || first->transaction >= second->transaction) ? *first : *second;
  walk_.transaction = newest.transaction;
  walk_.page_size = newest.free_pages.page_size;
  file_pages_ = static_cast<uint64_t>(status.st_size) / walk_.page_size;
  last_page_ = newest.last_page;
  if (last_page_ < lmdb_page::kMetaPages - 1 || last_page_ >= file_pages_ + kUnwrittenPages) {
    problem(fmt::format("its last page is {}, but it has {}", last_page_, file_pages_));
    return std::nullopt;
  }
  return newest;
}

FileWalk Walker::run() {
  const std::optional<Meta> meta = read_newest_meta();
  if (!meta || enough()) return std::move(walk_);
  used_.assign(last_page_ + 1, false);
  used_[0] = used_[1] = true;
  walk_tree(meta->main, TreeKind::kMain, "main");
  walk_tree(meta->free_pages, TreeKind::kFreePages, "free pages");
  while (!leaves_.empty() && !enough()) read_leaves();
  for (const TreeWalk& tree : trees_) compare_counts(tree);
  for (const PageNumber page : free_)
    if (!enough()) use_pages(page, 1, "free");
  return std::move(walk_);
}

bool Walker::use_pages(PageNumber first, uint64_t count, std::string_view as) {
  if (first < lmdb_page::kMetaPages || first > last_page_ || count > last_page_ - first + 1) {
    problem(fmt::format("page {} ({}) lies outside of the file's pages", first, as));
    return false;
  }
  for (PageNumber page = first; page < first + count; page++) {
    if (used_[page]) {
      problem(fmt::format("page {} ({}) has two uses", page, as));
      return false;
    }
    used_[page] = true;
  }
  return true;
}

void Walker::walk_tree(const Tree& tree, TreeKind kind, std::string_view name) {
  if (tree.depth > lmdb_page::kDeepestTree || (tree.depth == 0) != (tree.root == kNoPage))
    return problem(fmt::format("tree '{}': depth {}, root {}", name, tree.depth, tree.root));
  trees_.push_back({tree, kind, std::string(name)});
  if (tree.depth > 0) add_page(tree.root, tree.depth, trees_.back(), {});
}

void Walker::compare_counts(const TreeWalk& walk) {
  const Tree& tree = walk.tree;
  if (walk.branch_pages == tree.branch_pages && walk.leaf_pages == tree.leaf_pages &&
      walk.overflow_pages == tree.overflow_pages && walk.entries == tree.entries)
    return;
  problem(fmt::format("tree '{}' says it has {} entries on {}+{}+{} pages, but has {} on {}+{}+{}",
                      walk.name, tree.entries, tree.branch_pages, tree.leaf_pages,
                      tree.overflow_pages, walk.entries, walk.branch_pages, walk.leaf_pages,
                      walk.overflow_pages));
}

bool Walker::keys_are_right(const std::vector<Node>& nodes, bool is_branch, TreeKind kind,
                            const KeyRange& range) const {
  const bool integers = kind == TreeKind::kFreePages;
  // The first key of a branch stands for "everything below the second" and is never looked at.
  const size_t first = is_branch ? 1 : 0;
  for (size_t i = first; i < nodes.size(); i++) {
    const std::string_view key = nodes[i].key;
    if (integers ? key.size() != sizeof(uint64_t) : key.empty()) return false;
    if (i > first && !is_less(nodes[i - 1].key, key, integers)) return false;
    if (range.lower && is_less(key, *range.lower, integers)) return false;
    if (range.upper && !is_less(key, *range.upper, integers)) return false;
  }
  return true;
}

void Walker::add_page(PageNumber number, size_t levels, TreeWalk& tree, const KeyRange& range) {
  if (enough() || !use_pages(number, 1, tree.name)) return;
  if (levels > 1) return walk_branch(number, levels, tree, range);
  leaves_.push_back({number, &tree, range});
}

void Walker::walk_branch(PageNumber number, size_t levels, TreeWalk& tree, const KeyRange& range) {
  std::vector<std::byte>& page = branches_.emplace_back(walk_.page_size);
  if (number >= file_pages_ || !read_at(fd_, number * walk_.page_size, page))
    return problem(missing_page(number, tree.name));
  std::vector<Node> nodes;
  const Status parsed = lmdb_page::parse_tree_page(page, number, true, nodes);
  if (!parsed.is_ok()) return problem(parsed.message());
  if (!keys_are_right(nodes, true, tree.kind, range)) return problem(keys_out_of_order(number));
  tree.branch_pages++;
  // LMDB asserts this, but for its list of free pages.
  if (nodes.size() < 2 && tree.kind != TreeKind::kFreePages)
    return problem(fmt::format("page {}: a branch with one node", number));
  for (size_t i = 0; i < nodes.size(); i++) {
    KeyRange below = range;
    if (i > 0) below.lower = nodes[i].key;
    if (i + 1 < nodes.size()) below.upper = nodes[i + 1].key;
    add_page(nodes[i].child, levels - 1, tree, below);
  }
}

void Walker::read_leaves() {
  std::vector<Leaf> leaves = std::exchange(leaves_, {});
  std::sort(leaves.begin(), leaves.end(),
            [](const Leaf& a, const Leaf& b) { return a.page < b.page; });
  const size_t most_pages = kPieceSize / walk_.page_size;
  for (size_t begin = 0, end; begin < leaves.size() && !enough(); begin = end) {
    for (end = begin + 1; end < leaves.size(); end++)
      if (leaves[end].page - leaves[end - 1].page > kWidestGap ||
          leaves[end].page - leaves[begin].page >= most_pages)
        break;
    read_piece(std::span(leaves).subspan(begin, end - begin));
  }
}

void Walker::read_piece(std::span<const Leaf> leaves) {
  const size_t size = walk_.page_size;
  const PageNumber first = leaves.front().page;
  piece_.resize((leaves.back().page - first + 1) * size);
  const bool is_read = leaves.back().page < file_pages_ && read_at(fd_, first * size, piece_);
  for (const Leaf& leaf : leaves) {
    const std::span<std::byte> page = std::span(piece_).subspan((leaf.page - first) * size, size);
    // A page that cannot be read does not keep others from being read.
    if (is_read || (leaf.page < file_pages_ && read_at(fd_, leaf.page * size, page)))
      check_leaf(leaf, page);
    else
      problem(missing_page(leaf.page, leaf.tree->name));
  }
}

void Walker::check_leaf(const Leaf& leaf, std::span<const std::byte> page) {
  if (enough()) return;
  TreeWalk& tree = *leaf.tree;
  const Status parsed = lmdb_page::parse_tree_page(page, leaf.page, false, nodes_);
  if (!parsed.is_ok()) return problem(parsed.message());
  if (!keys_are_right(nodes_, false, tree.kind, leaf.range))
    return problem(keys_out_of_order(leaf.page));
  tree.leaf_pages++;
  tree.entries += nodes_.size();
  for (const Node& node : nodes_) check_leaf_node(node, leaf.page, tree);
}

void Walker::check_leaf_node(const Node& node, PageNumber page, TreeWalk& tree) {
  if (enough()) return;
  if ((tree.kind == TreeKind::kMain) != (node.flags == lmdb_page::kTreeNode))
    return problem(fmt::format("page {}: a node of the wrong kind for '{}'", page, tree.name));
  if (tree.kind == TreeKind::kMain) return walk_named_tree(node);
  if (node.flags == lmdb_page::kOverflowNode) return check_overflow(node, tree);
  if (tree.kind == TreeKind::kFreePages) return add_free_pages(node.key, node.data);
  check_value({tree.name, node.key, node.size, node.data, 0});
}

void Walker::check_overflow(const Node& node, TreeWalk& tree) {
  PageNumber first;
  std::memcpy(&first, node.data.data(), sizeof first);
  std::byte bytes[lmdb_page::kPageHeaderSize + kFrameHeaderSize];
  if (first >= file_pages_ || !read_at(fd_, first * walk_.page_size, bytes))
    return problem(missing_page(first, tree.name));
  const Result<uint64_t> pages =
      lmdb_page::parse_overflow_header(bytes, first, node.size, walk_.page_size);
  if (!pages.is_ok()) return problem(pages.status().message());
  if (!use_pages(first, *pages, tree.name)) return;
  if (first + *pages > file_pages_)
    return problem(fmt::format("pages {} to {} ({}) are missing: the file was cut", file_pages_,
                               first + *pages - 1, tree.name));
  tree.overflow_pages += *pages;
  const uint64_t offset = first * walk_.page_size + lmdb_page::kPageHeaderSize;
  const size_t at_hand = std::min(node.size, kFrameHeaderSize);
  const WalkedValue value = {tree.name, node.key, node.size,
                             std::span(bytes).subspan(lmdb_page::kPageHeaderSize, at_hand), offset};
  if (tree.kind != TreeKind::kFreePages) return check_value(value);
  const Result<std::vector<std::byte>> list = read_walked(fd_, value);
  if (!list.is_ok()) return problem(list.status().message());
  add_free_pages(node.key, *list);
}

void Walker::walk_named_tree(const Node& node) {
  Tree tree;
  if (node.size != sizeof tree) return problem("a named database of a wrong size");
  std::memcpy(&tree, node.data.data(), sizeof tree);
  if (tree.flags != 0 || tree.page_size != 0)
    return problem(fmt::format("database '{}' has unknown flags", node.key));
  walk_.databases.emplace_back(node.key);
  walk_tree(tree, TreeKind::kNamed, node.key);
}

// A record of the free list: a count and so many page numbers, in falling order, that a transaction
// gave back.
void Walker::add_free_pages(std::string_view key, std::span<const std::byte> list) {
  uint64_t transaction = 0, count = 0;
  std::memcpy(&transaction, key.data(), sizeof transaction);
  if (transaction > walk_.transaction)
    return problem(fmt::format("free pages of transaction {}, to come", transaction));
  if (list.size() < sizeof count || list.size() % sizeof(PageNumber) != 0)
    return problem(fmt::format("free pages of transaction {}: a broken list", transaction));
  std::memcpy(&count, list.data(), sizeof count);
  if (count > list.size() / sizeof(PageNumber) - 1)
    return problem(fmt::format("free pages of transaction {}: a broken count", transaction));
  PageNumber previous = kNoPage;
  for (size_t i = 1; i <= count; i++) {
    PageNumber page = 0;
    std::memcpy(&page, list.data() + i * sizeof page, sizeof page);
    if (page >= previous)
      return problem(fmt::format("free pages of transaction {}: not in order", transaction));
    free_.push_back(page);
    previous = page;
  }
}

void Walker::check_value(const WalkedValue& value) {
  const Status checked = check_(value);
  if (!checked.is_ok())
    problem(fmt::format("{} '{}': {}", value.database, value.key, checked.message()));
}

// What changes with every commit: both meta pages, whatever the page size.
std::vector<std::byte> first_pages(int fd) {
  std::vector<std::byte> bytes(lmdb_page::kLargestPage + lmdb_page::kPageHeaderSize + sizeof(Meta));
  const ssize_t got = pread(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

}  // namespace

FileWalk walk_file(int fd, size_t most_problems, const ValueCheck& check) {
  return Walker(fd, most_problems, check).run();
}

Result<FileWalk> walk_file_in_use(int fd, const std::string& path, size_t most_problems,
                                  const ValueCheck& check) {
  constexpr int kFreeAttempts = 2;
  for (int attempt = 0; attempt < kFreeAttempts; attempt++) {
    const std::vector<std::byte> before = first_pages(fd);
    FileWalk walk = walk_file(fd, most_problems, check);
    if (walk.problems.empty() || before == first_pages(fd)) return walk;
  }
  PERSONALIZE_ASSIGN_OR_RETURN(
      const WriterLock lock,
      WriterLock::take(fd, path, WriterLock::Kind::kKeepOut, WriterLock::Wait::kPatient));
  return walk_file(fd, most_problems, check);
}

Result<std::vector<std::byte>> read_walked(int fd, const WalkedValue& value) {
  if (value.is_whole()) return std::vector<std::byte>(value.start.begin(), value.start.end());
  std::vector<std::byte> bytes(value.size);
  if (!read_at(fd, value.file_offset, bytes))
    return Status(StatusCode::kCorrupt, "its pages cannot be read");
  return bytes;
}

}  // namespace personalize
