// The one test source that knows where this tree lies: the others compile alike in every checkout,
// so that a compiler cache serves them all.
#include "tests/engine/testing/shared_data.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace personalize {

std::string shared_data_folder() { return PERSONALIZE_SHARED_DATA; }

std::optional<std::vector<SourceRow>> read_shared_data(const std::string& name) {
  const std::string path = shared_data_folder() + "/" + name + "/interactions.csv.xz";
  if (std::FILE* there = std::fopen(path.c_str(), "rb"); there != nullptr)
    std::fclose(there);
  else
    return std::nullopt;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      popen(("xz -dc '" + path + "'").c_str(), "r"), pclose);
  if (pipe == nullptr) return std::nullopt;
  std::vector<SourceRow> rows;
  std::vector<std::string> names;
  char line[1024];
  while (std::fgets(line, sizeof line, pipe.get()) != nullptr) {
    std::vector<std::string> fields(1);
    for (const char* c = line; *c != '\0' && *c != '\n' && *c != '\r'; c++) {
      if (*c == ',')
        fields.emplace_back();
      else
        fields.back() += *c;
    }
    if (names.empty()) {
      names = fields;
      continue;
    }
    SourceRow row;
    for (size_t i = 0; i < fields.size() && i < names.size(); i++) {
      if (names[i] == "USER_ID") row.user = fields[i];
      if (names[i] == "ITEM_ID") row.item = fields[i];
      if (names[i] == "EVENT_TYPE") row.type = fields[i];
      if (names[i] == "TIMESTAMP") row.timestamp = std::atoll(fields[i].c_str());
      if (names[i] == "EVENT_VALUE" && !fields[i].empty())
        row.value = std::strtof(fields[i].c_str(), nullptr);
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return std::nullopt;
  return rows;
}

}  // namespace personalize
