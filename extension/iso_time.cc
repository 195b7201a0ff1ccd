#include "extension/iso_time.h"

#include <chrono>

namespace personalize {
namespace {

// Takes what it recognises off the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  // One of these characters.
  bool take(std::string_view any_of) {
    if (text_.empty() || any_of.find(text_[0]) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Exactly so many digits.
  bool take_number(size_t digits, int& number) {
    if (text_.size() < digits) return false;
    number = 0;
    for (size_t i = 0; i < digits; i++) {
      if (text_[i] < '0' || text_[i] > '9') return false;
      number = number * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(digits);
    return true;
  }
  // Digits, one or more.
  bool skip_digits() {
    const size_t end = std::min(text_.find_first_not_of("0123456789"), text_.size());
    text_.remove_prefix(end);
    return end > 0;
  }

 private:
  std::string_view text_;
};

// 'Z', '+02:00', '-0330' or nothing: the seconds that the clock is ahead of UTC.
bool take_offset(Reader& reader, int64_t& seconds) {
  seconds = 0;
  if (reader.take("Zz") || reader.at_end()) return true;
  const bool behind = reader.take("-");
  if (!behind && !reader.take("+")) return false;
  int hours = 0;
  int minutes = 0;
  if (!reader.take_number(2, hours)) return false;
  reader.take(":");
  if (!reader.take_number(2, minutes) || hours > 23 || minutes > 59) return false;
  seconds = (hours * 60 + minutes) * 60 * (behind ? -1 : 1);
  return true;
}

}  // namespace

std::optional<int64_t> parse_iso_time(std::string_view text) {
  Reader reader(text);
  int year = 0;
  int month = 0;
  int day = 0;
  if (!reader.take_number(4, year) || !reader.take("-") || !reader.take_number(2, month) ||
      !reader.take("-") || !reader.take_number(2, day))
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  if (reader.at_end()) return days * 86'400;

  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!reader.take("Tt ") || !reader.take_number(2, hour) || !reader.take(":") ||
      !reader.take_number(2, minute))
    return std::nullopt;
  if (reader.take(":")) {
    if (!reader.take_number(2, second)) return std::nullopt;
    if (reader.take(".,") && !reader.skip_digits()) return std::nullopt;
  }
  int64_t offset = 0;
  if (hour > 23 || minute > 59 || second > 59 || !take_offset(reader, offset) || !reader.at_end())
    return std::nullopt;
  return days * 86'400 + (hour * 60 + minute) * 60 + second - offset;
}

}  // namespace personalize
