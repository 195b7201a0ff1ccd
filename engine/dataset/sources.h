// Where the engine gets its events from. The extension implements this over shadow tables and over
// business tables (content=); tests implement it over vectors.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/ids.h"
#include "engine/status.h"

namespace personalize {

inline constexpr float kNoValue = std::numeric_limits<float>::quiet_NaN();

// One interaction of a user.
struct Event {
  int64_t timestamp = 0;              // Unix seconds
  ItemCode item = 0;                  // the source's number for it
  EventTypeCode type = kNoEventType;  // the source's number for it
  float value = kNoValue;             // EVENT_VALUE; NaN where the row has none
  // With EventSource::read_context: one an entry of context_fields(): the number, or of a text its
  // number for context_text; NaN where the row has none. A view that lives as long as the events
  // are: until the scan's call returns, or until the next of_user.
  const double* context = nullptr;
};

// Receives a scan.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Called once for each user who has events, with all of them, ordered by timestamp and, inside
  // equal timestamps, by arrival. Both views live until the call returns. A Status that is not OK
  // ends the scan.
  virtual Status user(std::string_view user_id, std::span<const Event> events) = 0;
};

// At most how much a source holds.
struct SourceBounds {
  uint64_t events = 0;
  uint64_t users = 0;
  uint64_t items = 0;
};

// Where a source stood with one user when it gave all his events.
struct UserPosition {
  uint64_t source = 0, generation = 0;  // of the source itself; 0: stands nowhere
  int64_t last_row = 0;                 // where the newest event to arrive lies
  Event last;                           // that event; its context does not count
  int64_t newest = 0;                   // the largest timestamp
  int64_t mark = 0;  // another number after each change of events that were there
};

// What has become of a user's events since a position.
enum class Continuation {
  kAppended,  // nothing but new events at the end, or not even these
  kInserted,  // the same, but a new one belongs between those that were there
  kUnknown,   // any may have changed
};

// All events of a dataset group, as one snapshot sees them. Used from one thread, that of the
// connection.
class EventSource {
 public:
  virtual ~EventSource() = default;

  // Gives every user's events to `sink`, users in ascending order of their number in the source.
  // One statement over the database: what it sees is one snapshot.
  virtual Status scan(EventSink& sink) = 0;

  // The contextual columns of the interactions: what the dataset declares beyond Amazon's own
  // columns, but for text that is neither categorical nor textual.
  virtual std::span<const MetadataField> context_fields() const { return {}; }
  // Whether the events of scan() and of_user() come with Event::context. At first they do not.
  virtual void read_context(bool /*wanted*/) {}
  // The text behind the number in Event::context; lives as long as the source.
  virtual Result<std::string_view> context_text(size_t /*field*/, double /*number*/) {
    return Status(StatusCode::kInternal, "the source has no contextual columns");
  }

  // Bounds of what scan() gives, if they can be told without reading the events.
  virtual Result<std::optional<SourceBounds>> bounds() { return std::optional<SourceBounds>(); }

  // Replaces `events` with the user's events, in the order of EventSink::user. A user without
  // events, or unknown, gives none: no error.
  virtual Status of_user(std::string_view user_id, std::vector<Event>& events) = 0;

  // Where the last of_user() left its user. Nothing: he has no events, or the source can't go on
  // from there.
  virtual std::optional<UserPosition> position() const { return std::nullopt; }
  // If the user's events go on from `position`, of this source or another: replaces `events` with
  // the new ones, in order, and moves `position` behind them. Otherwise leaves `events` empty.
  virtual Result<Continuation> go_on(UserPosition& /*position*/, std::vector<Event>& events) {
    events.clear();
    return Continuation::kUnknown;
  }

  // The texts behind the codes of events this source has given out. The views live as long as the
  // source, and a code keeps its text until `dictionary_generation` changes.
  virtual Result<std::string_view> item_id(ItemCode code) = 0;
  virtual Result<std::string_view> event_type(EventTypeCode code) = 0;

  // Changes whenever a code might have got another text (a ROLLBACK took new ids back): what a
  // caller has cached by code must then be dropped.
  virtual uint64_t dictionary_generation() const = 0;
};

}  // namespace personalize
