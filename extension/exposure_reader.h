// How often items were shown: the counts of impressions of a group's interactions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

// Reads in the snapshot of the statement that calls it; holds no open statement between calls.
// Lives no longer than `connection` and than the dataset's definition.
class ExposureReader {
 public:
  ExposureReader(Connection& connection, std::string_view schema, std::string_view table);

  // Changes whenever a count may have changed; 0 is never given. Costs about 2 us, and changes with
  // any write of this connection or any commit of another, whatever it is about.
  Result<uint64_t> generation();
  // Calls exposure(item id, shown) for each item that is in at least one event's impression. About
  // 0.5 us an item: worth keeping until the generation changes.
  Status scan(const std::function<void(std::string_view, int64_t)>& exposure);
  // How often one item was shown. Two look-ups, about 3 us.
  Result<int64_t> shown(std::string_view item_id);

 private:
  Connection& connection_;
  const std::string version_query_;
  const std::string scan_query_;
  const std::string item_query_;
};

// nullptr if the group's interactions are a business table (content=), of which impressions are not
// counted. Errors: kNotFound if there are no interactions.
Result<std::unique_ptr<ExposureReader>> open_exposure_reader(Connection& connection,
                                                             std::string_view schema,
                                                             std::string_view group);

}  // namespace personalize
