#include "engine/training/metadata_size.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace personalize {
namespace {

// An array that grows may be there twice, one of them half empty.
constexpr double kGrowing = 3;
// Of a text in a vocabulary, beside its bytes: where it ends, and its slots.
constexpr double kVocabulary = 8 + 16;

Status interrupted() { return {StatusCode::kInterrupted, "counting the metadata was interrupted"}; }

// What learning from so many bytes of text may take: each word of 2 letters and a space could be
// one that occurs 3 times only, and is then counted, named and sorted.
double learning_bytes(double text) {
  return text / 3 * (kVocabulary + 16) * kGrowing + text / 9 * 104;
}

class RowCounter : public MetadataSink {
 public:
  explicit RowCounter(const std::function<bool()>& stop) : stop_(stop) {}
  Status row(std::string_view id, std::span<const FieldValue> values) override {
    if (stop_()) return interrupted();
    ++rows_;
    ids_ += static_cast<double>(id.size());
    for (const FieldValue& value : values) text_ += static_cast<double>(value.text.size());
    return Status::ok();
  }
  double bytes(size_t fields) const {
    const double cells = rows_ * static_cast<double>(fields);
    constexpr double kCell = 24, kNumber = 16, kColumns = 3 * 4;
    return kGrowing * (cells * (kCell + kNumber + kColumns) + rows_ * (8 + kVocabulary) + ids_ +
                       text_ * (1 + 4.0 / 2)) +
           learning_bytes(text_);
  }

 private:
  const std::function<bool()>& stop_;
  double rows_ = 0, ids_ = 0, text_ = 0;
};

Result<double> table_bytes(MetadataSource* source, const std::function<bool()>& stop) {
  if (source == nullptr) return 0.0;
  RowCounter counter(stop);
  PERSONALIZE_RETURN_IF_ERROR(source->scan(counter));
  return counter.bytes(source->fields().size());
}

// Texts of a source have numbers in order of first sight or at least few gaps.
class ContextCounter : public EventSink {
 public:
  ContextCounter(EventSource& source, const std::function<bool()>& stop)
      : source_(source), stop_(stop), texts_(source.context_fields().size()) {}

  Status user(std::string_view, std::span<const Event> events) override {
    if (stop_()) return interrupted();
    for (const Event& event : events) {
      events_ += 1;
      for (size_t f = 0; event.context != nullptr && f < texts_.size(); ++f) {
        if (!is_text(f) || std::isnan(event.context[f])) continue;
        PERSONALIZE_RETURN_IF_ERROR(see(f, event.context[f]));
      }
    }
    return Status::ok();
  }

  double bytes() const {
    const auto fields = static_cast<double>(texts_.size());
    double rows = 1, text = 0;
    for (size_t f = 0; f < texts_.size(); ++f) {
      const double values = is_text(f) ? texts_[f].seen
                            : source_.context_fields()[f].kind == FieldKind::kBoolean ? 2
                                                                                      : events_;
      rows = std::min(events_, rows * (values + 1));
      text += texts_[f].bytes;
    }
    constexpr double kNumber = 16, kColumns = 3 * 4;
    return kGrowing * (events_ * 4 + rows * (fields * (8 + kNumber + kColumns) + 8 + kVocabulary) +
                       text * (1 + kVocabulary)) +
           learning_bytes(text);
  }

 private:
  struct Texts {
    std::vector<bool> known;  // by number
    double seen = 0, bytes = 0;
  };
  bool is_text(size_t field) const {
    const FieldKind kind = source_.context_fields()[field].kind;
    return kind == FieldKind::kCategorical || kind == FieldKind::kText;
  }
  Status see(size_t field, double number) {
    Texts& texts = texts_[field];
    const auto place = static_cast<size_t>(number);
    if (place >= texts.known.size()) texts.known.resize(std::max(place + 1, 2 * place));
    if (texts.known[place]) return Status::ok();
    PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view text, source_.context_text(field, number));
    texts.known[place] = true;
    texts.seen += 1;
    texts.bytes += static_cast<double>(text.size());
    return Status::ok();
  }

  EventSource& source_;
  const std::function<bool()>& stop_;
  std::vector<Texts> texts_;  // one a field
  double events_ = 0;
};

Result<double> context_bytes(EventSource& source, const std::function<bool()>& stop) {
  if (source.context_fields().empty()) return 0.0;
  ContextCounter counter(source, stop);
  source.read_context(true);
  const Status scanned = source.scan(counter);
  source.read_context(false);
  PERSONALIZE_RETURN_IF_ERROR(scanned);
  return counter.bytes();
}

}  // namespace

Result<double> metadata_bytes(const TrainingSources& sources, const std::function<bool()>& stop) {
  double bytes = 0;
  for (MetadataSource* const source : {sources.items, sources.users}) {
    PERSONALIZE_ASSIGN_OR_RETURN(const double table, table_bytes(source, stop));
    bytes += table;
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const double contexts, context_bytes(sources.events, stop));
  return bytes + contexts;
}

}  // namespace personalize
