#include "extension/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iterator>
#include <string>

namespace personalize {
namespace {

// To the line's start, and the rest of it empty.
constexpr std::string_view kRewrite = "\r\x1b[K";

// What fits a narrow terminal: a line that wraps could not be rewritten.
constexpr size_t kWidth = 78;

void put(const std::string& text) {
  // A terminal that takes no more loses the line, nothing else.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (shown_) put(std::string(kRewrite));
}

void ProgressLine::show(std::string_view version, const LogRow& row) {
  if (!terminal_) return;
  std::string line = fmt::format("{}: {}", version, row.stage);
  const auto more = std::back_inserter(line);
  if (row.epochs > 0) fmt::format_to(more, " {}/{}", row.epoch, row.epochs);
  if (row.loss) fmt::format_to(more, ", loss {:.4f}", *row.loss);
  if (row.events_per_second) fmt::format_to(more, ", {:.0f} events/s", *row.events_per_second);
  if (!row.message.empty()) fmt::format_to(more, ", {}", row.message);
  if (line.size() > kWidth) line.resize(kWidth);
  put(std::string(kRewrite) + line);
  shown_ = true;
}

}  // namespace personalize
