// All or nothing for several statements inside an SQL function: works in autocommit, where it is a
// transaction, and inside the host's BEGIN, where it is a part of one.
#pragma once

#include <string_view>
#include <utility>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

// Takes everything back when it goes, unless release() succeeded.
class Savepoint {
 public:
  // In a schema that has a catalog. `caller` leads messages. Errors: kInvalidInput if a statement
  // of the host is writing, inside which SQLite allows no savepoint; kBusy if another connection
  // writes for longer than the host's busy handler waits.
  static Result<Savepoint> open(Connection& connection, std::string_view schema,
                                std::string_view caller);
  Savepoint(Savepoint&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)),
        was_autocommit_(other.was_autocommit_),
        write_(std::move(other.write_)) {}
  Savepoint& operator=(Savepoint&&) = delete;
  ~Savepoint();

  // Keeps the changes; in autocommit, commits them. Errors: as COMMIT (kBusy, kFull, kIo).
  Status release();

 private:
  Savepoint(Connection& connection, bool was_autocommit, Statement write)
      : connection_(&connection), was_autocommit_(was_autocommit), write_(std::move(write)) {}

  Connection* connection_;
  bool was_autocommit_;
  Statement write_;  // changes nothing; see the destructor
};

}  // namespace personalize
