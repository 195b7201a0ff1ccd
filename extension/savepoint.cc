#include "extension/savepoint.h"

#include <fmt/format.h>

namespace personalize {

Result<Savepoint> Savepoint::open(Connection& connection, std::string_view caller) {
  const bool was_autocommit = sqlite3_get_autocommit(connection.db()) != 0;
  const Status status = connection.execute("SAVEPOINT personalize");
  if (status.is_ok()) return Savepoint(connection, was_autocommit);
  if (status.code() != StatusCode::kBusy) return status;
  return Status(StatusCode::kInvalidInput,
                fmt::format("InvalidInputException: {0} can't run inside a statement that writes; "
                            "run it on its own: SELECT {0}(...)",
                            caller));
}

Savepoint::~Savepoint() {
  if (connection_ == nullptr) return;
  // What fails here has been rolled back by SQLite already.
  if (was_autocommit_) {
    (void)connection_->execute("ROLLBACK");
  } else {
    (void)connection_->execute("ROLLBACK TO personalize; RELEASE personalize");
  }
}

Status Savepoint::release() {
  PERSONALIZE_RETURN_IF_ERROR(connection_->execute("RELEASE personalize"));
  connection_ = nullptr;
  return Status::ok();
}

}  // namespace personalize
