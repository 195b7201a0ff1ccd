// The rows of batch_recommend: every user of a dataset group, a block of them at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/serving/answer.h"
#include "engine/status.h"
#include "extension/exploring.h"
#include "extension/responder.h"
#include "extension/user_blocks.h"

namespace personalize {

class BatchRows {
 public:
  // `filter` and its values are as a question has them; "": none.
  BatchRows(std::shared_ptr<Responder> responder, size_t k, std::string filter,
            std::string filter_values)
      : blocks_(std::move(responder), kName, kFirstBlock),
        k_(k),
        filter_(std::move(filter)),
        filter_values_(std::move(filter_values)),
        answers_(UserBlocks::kLargestBlock) {}

  // Goes to the first or the next row; false: there is none. Errors: those of UserBlocks::next.
  Result<bool> next(Connection& connection);

  // The current row.
  const std::string& user_id() const { return blocks_.users()[user_]; }
  size_t rank() const { return row_ + 1; }
  std::string_view item_id() const {
    return item_id_of(*blocks_.responder().model, blocks_.unseen().get(),
                      answers_[user_][row_].item);
  }
  double score() const { return answers_[user_][row_].score; }

 private:
  static constexpr const char* kName = "batch_recommend";
  static constexpr size_t kFirstBlock = 16;

  Status begin(Connection& connection);
  // The filter's items, one set a user of the block.
  Status filter_block(Connection& connection);

  UserBlocks blocks_;
  size_t k_;
  std::string filter_, filter_values_;
  std::vector<std::shared_ptr<const ItemSet>> allowed_;  // empty: no filter
  bool begun_ = false;
  Exploration exploration_;
  std::vector<std::vector<Answer>> answers_;  // one a user of the block
  size_t user_ = 0, row_ = 0;
};

}  // namespace personalize
