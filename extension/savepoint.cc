#include "extension/savepoint.h"

#include <fmt/format.h>

namespace personalize {

Result<Savepoint> Savepoint::open(Connection& connection, std::string_view schema,
                                  std::string_view caller) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement write,
      connection.prepare(
          fmt::format("UPDATE {}.personalize_identity SET uuid = uuid WHERE 0", sql_name(schema))));
  const bool was_autocommit = sqlite3_get_autocommit(connection.db()) != 0;
  const Status status = connection.execute("SAVEPOINT personalize");
  if (status.is_ok()) {
    Savepoint savepoint(connection, was_autocommit, std::move(write));
    // Takes the right to write before anything is read: SQLite does not wait for another writer
    // where a transaction that has read wants it later.
    PERSONALIZE_RETURN_IF_ERROR(savepoint.write_.run());
    return savepoint;
  }
  if (status.code() != StatusCode::kBusy) return status;
  return Status(StatusCode::kInvalidInput,
                fmt::format("InvalidInputException: {0} can't run inside a statement that writes; "
                            "run it on its own: SELECT {0}(...)",
                            caller));
}

Savepoint::~Savepoint() {
  if (connection_ == nullptr) return;
  const Status status = connection_->execute(
      was_autocommit_ ? "ROLLBACK" : "ROLLBACK TO personalize; RELEASE personalize");
  // While an interrupt is pending SQLite runs nothing, not even ROLLBACK; but a statement that
  // could write and is interrupted takes the whole transaction back. Other failures have done so
  // already.
  if (status.code() == StatusCode::kInterrupted) (void)write_.run();
}

Status Savepoint::release() {
  PERSONALIZE_RETURN_IF_ERROR(connection_->execute("RELEASE personalize"));
  connection_ = nullptr;
  return Status::ok();
}

}  // namespace personalize
