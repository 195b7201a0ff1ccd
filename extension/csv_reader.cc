#include "extension/csv_reader.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <new>

namespace personalize {
namespace {

constexpr size_t kPiece = size_t{256} << 10;
// A quote that is never closed must not take the whole file into memory.
constexpr size_t kLongestRow = size_t{16} << 20;

}  // namespace

Result<std::unique_ptr<CsvReader>> CsvReader::open(const std::string& path, char delimiter) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr)
    return Status(StatusCode::kInvalidInput,
                  fmt::format("can't be opened: {}", std::strerror(errno)));
  std::unique_ptr<CsvReader> reader(new CsvReader(file, delimiter));
  PERSONALIZE_RETURN_IF_ERROR(reader->refill().status());
  const std::string_view start(reader->buffer_.data(), reader->filled_);
  if (start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff"))
    return Status(StatusCode::kInvalidInput, "is UTF-16; save it as UTF-8");
  if (start.starts_with("\xef\xbb\xbf")) reader->position_ = 3;
  return reader;
}

CsvReader::CsvReader(std::FILE* file, char delimiter) : file_(file), buffer_(kPiece) {
  // Fails only for a null parser.
  (void)csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI);
  csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
}

CsvReader::~CsvReader() {
  csv_free(&parser_);
  (void)std::fclose(file_);
}

Result<bool> CsvReader::refill() {
  position_ = 0;
  filled_ = std::fread(buffer_.data(), 1, buffer_.size(), file_);
  if (filled_ == 0 && std::ferror(file_) != 0)
    return Status(errno == EISDIR ? StatusCode::kInvalidInput : StatusCode::kIo,
                  fmt::format("can't be read: {}", std::strerror(errno)));
  return filled_ > 0;
}

void CsvReader::on_field(void* text, size_t size, void* self) {
  auto& reader = *static_cast<CsvReader*>(self);
  try {
    reader.text_.append(static_cast<const char*>(text), size);
    reader.ends_.push_back(reader.text_.size());
  } catch (...) {
    reader.out_of_memory_ = true;
  }
}

void CsvReader::on_row(int, void* self) { static_cast<CsvReader*>(self)->row_is_complete_ = true; }

Status CsvReader::broken_quote() const {
  return {
      StatusCode::kInvalidInput,
      "a quote is broken: a value with quotes must begin and end with one, and a quote inside it "
      "is written twice"};
}

Status CsvReader::feed_line() {
  const char* begin = buffer_.data() + position_;
  const char* limit = buffer_.data() + filled_;
  const char* end = begin;
  while (end < limit && *end != '\n' && *end != '\r') end++;
  const bool ends_line = end < limit;
  // The LF of a CRLF whose CR has been counted.
  const bool is_second_half = after_carriage_return_ && end == begin && ends_line && *end == '\n';
  if (ends_line) end++;
  const auto size = static_cast<size_t>(end - begin);
  if (!in_row_ && !is_second_half) {
    row_line_ = line_;
    row_bytes_ = 0;
  }
  const size_t parsed = csv_parse(&parser_, begin, size, on_field, on_row, this);
  position_ += size;
  if (out_of_memory_ || csv_error(&parser_) == CSV_ENOMEM) throw std::bad_alloc();
  if (parsed != size) return broken_quote();
  in_row_ = !row_is_complete_ && (in_row_ || size > (ends_line ? 1 : 0));
  if (ends_line && !is_second_half) line_++;
  after_carriage_return_ = ends_line && end[-1] == '\r';
  row_bytes_ += size;
  if (in_row_ && row_bytes_ > kLongestRow)
    return {
        StatusCode::kInvalidInput,
        fmt::format("the row has no end within {} MiB: a quote is not closed", kLongestRow >> 20)};
  return Status::ok();
}

Result<bool> CsvReader::next(std::vector<std::string_view>& fields) {
  text_.clear();
  ends_.clear();
  row_is_complete_ = false;
  while (!row_is_complete_) {
    if (position_ == filled_ && !at_end_) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool more, refill());
      at_end_ = !more;
    }
    if (!at_end_) {
      PERSONALIZE_RETURN_IF_ERROR(feed_line());
      continue;
    }
    if (csv_fini(&parser_, on_field, on_row, this) != 0) return broken_quote();
    if (out_of_memory_) throw std::bad_alloc();
    if (!row_is_complete_) return false;
  }
  fields.clear();
  size_t begin = 0;
  for (const size_t end : ends_) {
    fields.push_back(std::string_view(text_).substr(begin, end - begin));
    begin = end;
  }
  return true;
}

bool is_utf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      i++;
      continue;
    }
    const size_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length == 0 || length > text.size() - i) return false;
    uint32_t point = lead & (0x7f >> length);
    for (size_t k = 1; k < length; k++) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (overlong || surrogate || point > 0x10ffff) return false;
    i += length;
  }
  return true;
}

}  // namespace personalize
