// What is known around the events of a training: of each its context, of each user his metadata, as
// the columns that a model reads beside the item.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/dataset/metadata_encoder.h"
#include "engine/dataset/sequences.h"

namespace personalize {

// Columns are numbered as in ModelMetadata: those of the context first, then, from context_size()
// on, those of the user. An event's columns are of_context(event) followed by of_user(its user).
// Immutable; safe from any number of threads. Memory: 4 bytes a column of each user and of each
// distinct context.
class SideColumns {
 public:
  SideColumns() = default;  // no columns
  // `users` is matched by the users' text ids; a user who is not there has no columns. The encoders
  // need not have been learnt from these sequences and users: a metric asks with a model's own.
  // `sequences` must outlive it.
  SideColumns(const Sequences& sequences, const MetadataTable& users,
              const MetadataEncoder& context_encoder, const MetadataEncoder& user_encoder);

  size_t context_size() const { return context_size_; }
  // All columns there are.
  size_t size() const { return size_; }
  std::span<const ColumnIndex> of_context(size_t event) const {
    return context_.size() == 0 ? std::span<const ColumnIndex>()
                                : context_.of(sequences_->context[event]);
  }
  std::span<const ColumnIndex> of_user(size_t user) const {
    return user_.size() == 0 ? std::span<const ColumnIndex>() : user_.of(user);
  }
  // Appends an event's columns; `user` is its user.
  void append(size_t event, size_t user, std::vector<ColumnIndex>& columns) const {
    const std::span<const ColumnIndex> context = of_context(event), mine = of_user(user);
    columns.insert(columns.end(), context.begin(), context.end());
    columns.insert(columns.end(), mine.begin(), mine.end());
  }

 private:
  // Lists of columns, one after the other.
  struct Lists {
    std::vector<uint64_t> start;  // size() + 1, or none
    std::vector<ColumnIndex> columns;
    size_t size() const { return start.empty() ? 0 : start.size() - 1; }
    std::span<const ColumnIndex> of(size_t list) const {
      return std::span(columns).subspan(start[list], start[list + 1] - start[list]);
    }
  };
  const Sequences* sequences_ = nullptr;
  size_t context_size_ = 0, size_ = 0;
  Lists context_;  // by row of Sequences::contexts
  Lists user_;     // by user
};

}  // namespace personalize
