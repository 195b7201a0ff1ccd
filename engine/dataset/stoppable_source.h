// An EventSource whose scan somebody else may end.
#pragma once

#include <functional>
#include <utility>

#include "engine/dataset/sources.h"

namespace personalize {

// Hands everything on to `source`, which must outlive it. Before each user of a scan it asks
// `check`; a Status that is not OK ends the scan, and is what the scan gives.
class StoppableSource : public EventSource {
 public:
  StoppableSource(EventSource& source, std::function<Status()> check)
      : source_(source), check_(std::move(check)) {}

  Status scan(EventSink& sink) override {
    Sink stoppable(sink, check_);
    return source_.scan(stoppable);
  }
  Status of_user(std::string_view user_id, std::vector<Event>& events) override {
    return source_.of_user(user_id, events);
  }
  Result<std::string_view> item_id(ItemCode code) override { return source_.item_id(code); }
  Result<std::string_view> event_type(EventTypeCode code) override {
    return source_.event_type(code);
  }
  uint64_t dictionary_generation() const override { return source_.dictionary_generation(); }
  std::span<const MetadataField> context_fields() const override {
    return source_.context_fields();
  }
  void read_context(bool wanted) override { source_.read_context(wanted); }
  Result<std::string_view> context_text(size_t field, double number) override {
    return source_.context_text(field, number);
  }

 private:
  class Sink : public EventSink {
   public:
    Sink(EventSink& sink, const std::function<Status()>& check) : sink_(sink), check_(check) {}
    Status user(std::string_view user_id, std::span<const Event> events) override {
      PERSONALIZE_RETURN_IF_ERROR(check_());
      return sink_.user(user_id, events);
    }

   private:
    EventSink& sink_;
    const std::function<Status()>& check_;
  };

  EventSource& source_;
  std::function<Status()> check_;
};

}  // namespace personalize
