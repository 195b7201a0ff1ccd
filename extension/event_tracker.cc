#include "extension/event_tracker.h"

#include <fmt/format.h>

#include <vector>

#include "extension/catalog.h"

namespace personalize {
namespace {

constexpr std::string_view kMakeOne = "INSERT INTO personalize_event_trackers(name) VALUES ('web')";

Result<std::string> list_trackers(Connection& connection, const std::vector<std::string>& schemas) {
  std::string list;
  for (const std::string& schema : schemas) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        Statement statement,
        connection.cached(
            fmt::format("SELECT name, tracking_id FROM {}.personalize_event_trackers ORDER BY name",
                        sql_name(schema))));
    for (;;) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
      if (!row) break;
      list +=
          fmt::format("{}{} ({})", list.empty() ? "" : ", ", statement.text(0), statement.text(1));
    }
  }
  return list;
}

}  // namespace

Result<EventTracker> find_event_tracker(Connection& connection, std::string_view tracking_id,
                                        std::string_view caller) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> schemas, catalog_schemas(connection));
  for (const std::string_view column : {"tracking_id", "name"}) {
    for (const std::string& schema : schemas) {
      PERSONALIZE_ASSIGN_OR_RETURN(
          Statement statement,
          connection.cached(fmt::format(
              "SELECT name, dataset_group FROM {}.personalize_event_trackers WHERE {} = ?1",
              sql_name(schema), column)));
      PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.bind(1, tracking_id).step());
      if (row)
        return EventTracker{schema, std::string(statement.text(0)), std::string(statement.text(1))};
    }
  }
  const std::string start = fmt::format(
      "ResourceNotFoundException: {}: there is no event tracker '{}'; ", caller, tracking_id);
  if (schemas.empty())
    return Status(StatusCode::kNotFound,
                  start +
                      "there is no dataset yet: CREATE VIRTUAL TABLE interactions USING "
                      "personalize_interactions");
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string list, list_trackers(connection, schemas));
  return Status(StatusCode::kNotFound,
                start + (list.empty() ? fmt::format("there is none: {}", kMakeOne)
                                      : fmt::format("there are: {}", list)));
}

}  // namespace personalize
