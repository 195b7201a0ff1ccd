#include "engine/store/recommendation_store.h"

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <utility>

#include "engine/store/memo_file.h"
#include "engine/store/value_frame.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace personalize {
namespace {

// A list lies in the set that the hash of its id names; a set holds some lists, the newest first,
// and drops the oldest. So the file is bounded and no order of all lists is kept.
constexpr uint64_t kSets = 16'384;
constexpr size_t kListsOfSet = 8;
constexpr size_t kBytesOfSet = 16'384;  // unless a single list takes more
constexpr size_t kBytesOfList = 8'192;

constexpr int kWriteAttempts = 20;
constexpr unsigned kMicrosecondsBetween = 500;

std::string key_of(std::string_view id) {
  const uint64_t set = XXH3_64bits(id.data(), id.size()) % kSets;
  return {static_cast<char>(set >> 8), static_cast<char>(set & 0xFF)};
}

// A set is a sequence of lists, a list a sequence of texts: its id and the items, preceded by their
// number. Texts and numbers: 4 bytes, then so many bytes.
void put_number(std::string& out, size_t number) {
  const auto small = static_cast<uint32_t>(number);
  out.append(reinterpret_cast<const char*>(&small), sizeof small);
}
void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out.append(text);
}

std::string list_of(std::string_view id, std::span<const std::string_view> items) {
  std::string texts;
  size_t kept = 0;
  for (const std::string_view item : items) {
    if (texts.size() + sizeof(uint32_t) + item.size() > kBytesOfList) break;
    put_text(texts, item);
    ++kept;
  }
  std::string list;
  put_number(list, kept + 1);
  put_text(list, id);
  return list + texts;
}

// Reads what put_number and put_text wrote; false at the end and where it is damaged.
struct Reader {
  std::string_view rest;
  bool number(uint32_t& value) {
    if (rest.size() < sizeof value) return false;
    std::memcpy(&value, rest.data(), sizeof value);
    rest.remove_prefix(sizeof value);
    return true;
  }
  bool text(std::string_view& value) {
    uint32_t size = 0;
    if (!number(size) || size > rest.size()) return false;
    value = rest.substr(0, size);
    rest.remove_prefix(size);
    return true;
  }
  // The texts of the next list.
  bool list(std::vector<std::string_view>& texts) {
    uint32_t count = 0;
    texts.clear();
    if (!number(count)) return false;
    for (uint32_t i = 0; i < count; ++i)
      if (!text(texts.emplace_back())) return false;
    return !texts.empty();
  }
};

// The lists of a set: a view into `value`; empty if there is none or it is damaged.
std::string_view lists_in(const std::optional<std::span<const std::byte>>& value,
                          std::string_view key) {
  if (!value) return {};
  const auto payload = read_frame(FrameKind::kRecommendation, key, *value);
  if (!payload.is_ok()) return {};
  return {reinterpret_cast<const char*>(payload->data()), payload->size()};
}

class NoRecommendationStore final : public RecommendationStore {
 public:
  void remember(std::string_view, std::span<const std::string_view>) override {}
  bool find(std::string_view, std::vector<std::string>&) override { return false; }
};

class LmdbRecommendationStore final : public RecommendationStore {
 public:
  LmdbRecommendationStore(std::string directory, std::string like_file)
      : memo_(std::move(directory), std::move(like_file)) {}

  void remember(std::string_view id, std::span<const std::string_view> items) override;
  bool find(std::string_view id, std::vector<std::string>& items) override;

 private:
  MemoFile memo_;
};

void LmdbRecommendationStore::remember(std::string_view id,
                                       std::span<const std::string_view> items) {
  if (id.empty() || id.size() > kLongestRecommendationId) return;
  const std::shared_ptr<SharedEnv> file = memo_.file();
  if (!file) return;
  const std::string key = key_of(id), list = list_of(id, items);
  const auto change = [&](LmdbTxn& txn) -> Status {
    PERSONALIZE_ASSIGN_OR_RETURN(const auto value, txn.get(kRecommendationDatabase, key));
    std::string set = list;
    Reader reader{lists_in(value, key)};
    std::vector<std::string_view> texts;
    for (size_t lists = 1; lists < kListsOfSet; ++lists) {
      const std::string_view before = reader.rest;
      if (!reader.list(texts)) break;
      const std::string_view older = before.substr(0, before.size() - reader.rest.size());
      if (texts[0] == id) continue;
      if (set.size() + older.size() > kBytesOfSet) break;
      set.append(older);
    }
    PERSONALIZE_ASSIGN_OR_RETURN(std::byte* const out, txn.reserve(kRecommendationDatabase, key,
                                                                   kFrameOverhead + set.size()));
    write_frame(FrameKind::kRecommendation, key, std::as_bytes(std::span<const char>(set)), out);
    return Status::ok();
  };
  for (int attempt = 0; attempt < kWriteAttempts; ++attempt) {
    const Status written = file->write(change, WriterLock::Wait::kNever);
    if (written.is_ok()) return;
    if (written.code() != StatusCode::kBusy) return memo_.lose(file, written);
    usleep(kMicrosecondsBetween);
  }
}

bool LmdbRecommendationStore::find(std::string_view id, std::vector<std::string>& items) {
  items.clear();
  const std::shared_ptr<SharedEnv> file = memo_.file();
  if (!file) return false;
  Status failure;
  {
    Result<SharedEnv::Reading> reading = file->begin_read();
    failure = reading.status();
    if (reading.is_ok()) {
      const std::string key = key_of(id);
      const auto value = reading->txn().get(kRecommendationDatabase, key);
      failure = value.status();
      if (value.is_ok()) {
        Reader reader{lists_in(*value, key)};
        std::vector<std::string_view> texts;
        while (reader.list(texts)) {
          if (texts[0] != id) continue;
          items.assign(texts.begin() + 1, texts.end());
          return true;
        }
        return false;
      }
    }
  }
  memo_.lose(file, failure);
  return false;
}

}  // namespace

std::shared_ptr<RecommendationStore> RecommendationStore::open(const std::string& directory,
                                                               OpenMode mode,
                                                               const std::string& like_file) {
  if (mode == OpenMode::kReadOnly || remembering_is_switched_off())
    return std::make_shared<NoRecommendationStore>();
  return std::make_shared<LmdbRecommendationStore>(directory, like_file);
}

}  // namespace personalize
