#include "extension/id_dictionary.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <limits>

namespace personalize {
namespace {

// A writer of many millions of users must not keep all of them in its host's memory.
constexpr size_t kMostRemembered = 1 << 20;

}  // namespace

size_t TextHash::operator()(std::string_view text) const {
  return XXH3_64bits(text.data(), text.size());
}

void IdDictionary::remember(std::string_view id, int64_t code) {
  if (codes_.size() >= kMostRemembered) codes_.clear();
  codes_.emplace(id, code);
}

Result<int64_t> IdDictionary::find(std::string_view id) {
  if (const auto found = codes_.find(id); found != codes_.end()) return found->second;
  if (!select_) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        select_, connection_->cached(fmt::format("SELECT code FROM {} WHERE id = ?1", table_)));
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row, select_.bind(1, id).step());
  const int64_t code = row ? select_.integer(0) : 0;
  select_.reset();
  if (code > 0) remember(id, code);
  return code;
}

Result<int64_t> IdDictionary::find_or_add(std::string_view id) {
  PERSONALIZE_ASSIGN_OR_RETURN(int64_t code, find(id));
  if (code > 0) return code;
  if (!insert_) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        insert_, connection_->cached(fmt::format("INSERT INTO {}(id) VALUES (?1)", table_)));
  }
  PERSONALIZE_RETURN_IF_ERROR(insert_.bind(1, id).run());
  code = sqlite3_last_insert_rowid(connection_->db());
  if (code > std::numeric_limits<int32_t>::max())
    return Status(StatusCode::kLimitExceeded,
                  fmt::format("LimitExceededException: {} holds 2^31 ids already", table_));
  remember(id, code);
  return code;
}

void IdDictionary::release() {
  select_ = Statement();
  insert_ = Statement();
}

Result<std::string_view> CodeTexts::text(int64_t code) {
  if (rollbacks_ != connection_->rollbacks()) {
    forget();
    rollbacks_ = connection_->rollbacks();
  }
  if (const auto found = texts_.find(code); found != texts_.end()) return found->second;
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection_->cached(fmt::format("SELECT id FROM {} WHERE code = ?1", table_)));
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.bind(1, code).step());
  if (!row)
    return Status(StatusCode::kCorrupt,
                  fmt::format("{} has no code {}: it was changed by hand", table_, code));
  const std::string_view kept = *storage_.emplace(statement.text(0)).first;
  texts_.emplace(code, kept);
  return kept;
}

}  // namespace personalize
