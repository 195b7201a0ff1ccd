#include "engine/recipes/hrnn/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/math/dispatch.h"
#include "engine/math/finite.h"
#include "engine/recipes/hrnn/item_ages.h"

namespace personalize::hrnn {
namespace {

constexpr float kLeastNetworkWeight = 0.01F;
// Sections of the codes of E.
constexpr std::string_view kCodes = "hrnn.scan_codes";
constexpr std::string_view kScales = "hrnn.scan_scales";
constexpr std::string_view kBounds = "hrnn.scan_bounds";

// Section "hrnn.header".
struct Header {
  uint64_t items, embedding, hidden, features;
  int64_t session_gap;
  float rho;
  float markov_weight;
  OwnHistoryWeights own;
};

class HrnnModel final : public Model {
 public:
  static Result<std::unique_ptr<HrnnModel>> open(const BlobView& blob) {
    auto model = std::make_unique<HrnnModel>();
    PERSONALIZE_ASSIGN_OR_RETURN(const auto headers, blob.section<Header>("hrnn.header", 1));
    const Header& header = headers[0];
    Cell& cell = model->cell_;
    PERSONALIZE_ASSIGN_OR_RETURN(model->users_, blob.section<float>("hrnn.users"));
    const size_t items = model->users_.size();
    if (header.items != items || header.embedding == 0 || header.hidden == 0 ||
        header.embedding > kLargestSize || header.hidden > kLargestSize)
      return Status(StatusCode::kCorrupt, "the model's sizes do not fit its items");
    cell.shape = {items, header.embedding, header.hidden, header.features};
    cell.rho = header.rho;
    cell.own = header.own;
    cell.session_gap = header.session_gap;
    model->markov_weight_ = header.markov_weight;
    PERSONALIZE_RETURN_IF_ERROR(model->open_metadata(blob));
    PERSONALIZE_RETURN_IF_ERROR(open_cell(blob, cell));
    PERSONALIZE_ASSIGN_OR_RETURN(model->popularity_, blob.section<float>("hrnn.popularity", items));
    PERSONALIZE_ASSIGN_OR_RETURN(model->inverse_norm_,
                                 blob.section<float>("hrnn.inverse_norm", items));
    model->vectors_ = {items, header.embedding, cell.embedding, cell.bias, model->inverse_norm_};
    PERSONALIZE_RETURN_IF_ERROR(open_codes(blob, model->vectors_));
    PERSONALIZE_ASSIGN_OR_RETURN(model->chain_, MarkovChain::open(blob, items));
    const float scalars[] = {header.rho, header.markov_weight, header.own.count_weight,
                             header.own.session_weight};
    for (const std::span<const float> numbers :
         {std::span<const float>(scalars), std::span<const float>(header.own.recency),
          model->users_, model->popularity_, model->inverse_norm_, cell.embedding, cell.bias,
          cell.feature, cell.input, cell.input_bias, cell.recurrent, cell.candidate_bias,
          cell.initial, cell.output, cell.output_bias, cell.side_input, cell.side_output,
          cell.value_columns, cell.recency_rows})
      if (!all_finite(numbers))
        return Status(StatusCode::kCorrupt, "the model holds numbers that are not finite");
    return model;
  }
  const Cell& cell() const { return cell_; }

  size_t item_count() const override { return cell_.shape.items; }
  size_t state_size() const override { return cell_.shape.hidden; }
  void begin(std::span<float> state) const override {
    std::copy(cell_.initial.begin(), cell_.initial.end(), state.begin());
  }
  void step(std::span<const ModelEvent> history, size_t index,
            std::span<float> state) const override {
    cell_.advance(history, index, index + 1, state.data());
  }
  void fold(std::span<const Folding> foldings) const override { cell_.fold(foldings); }

  ScoreKind score_kind() const override { return ScoreKind::kLogits; }
  void score(const Question& question, std::span<float> scores) const override {
    if (question.history.empty()) {
      std::copy(popularity_.begin(), popularity_.end(), scores.begin());
      return;
    }
    thread_local VectorQuestion reduced;
    reduce(question, reduced);
    score_all(reduced, scores);
  }
  const ItemVectors* vectors() const override { return &vectors_; }
  void reduce(const Question& question, VectorQuestion& reduced) const override {
    reduced.begin(vectors_);
    cell_.output_vector(question.state.data(), question.columns, reduced.y().data());
    if (!cell_.recency_starts.empty())
      reduced.set_row(cell_.rho, cell_.recency_row(question.history.back().timestamp));
    each_own_term(question.history, [&](ItemIndex item, float term) {
      if (static_cast<size_t>(item) < item_count()) reduced.add(item, term);
    });
    thread_local MarkovTerms terms;
    chain_.terms(question.history, terms);
    reduced.add(terms.items, markov_weight_, terms.terms);
  }

  const ModelMetadata* metadata() const override {
    return metadata_.items.size() + metadata_.context.size() + metadata_.users.size() > 0
               ? &metadata_
               : nullptr;
  }
  void score_unseen(const Question& question, const UnseenItems& unseen,
                    std::span<float> scores) const override {
    std::fill(scores.begin(), scores.end(), 0.0F);
    // No history: as popular as an item without events.
    if (question.history.empty() || cell_.cold.size == 0) return;
    AlignedFloats y(cell_.shape.embedding);
    cell_.output_vector(question.state.data(), question.columns, y.data());
    cell_.cold.score(y.data(), unseen, scores);
    each_own_term(question.history, [&](ItemIndex item, float term) {
      const size_t place = static_cast<size_t>(item) - item_count();
      if (place < scores.size()) scores[place] += term;
    });
  }
  const ItemAges* item_ages() const override { return ages_.events.empty() ? nullptr : &ages_; }
  float exploration_noise() const override { return cell_.cold.numbers.noise; }

  // Cosine of the items' embeddings.
  bool similar(ItemIndex item, std::span<float> scores) const override {
    thread_local VectorQuestion reduced;
    if (reduce_similar(item, reduced)) {
      score_all(reduced, scores);
      return true;
    }
    const float most = *std::max_element(users_.begin(), users_.end());
    for (size_t j = 0; j < scores.size(); ++j) scores[j] = most > 0 ? users_[j] / most : 0;
    return false;
  }
  bool similar_to_unseen(std::span<const ColumnIndex> columns,
                         std::span<float> scores) const override {
    thread_local VectorQuestion reduced;
    if (!reduce_similar_to_unseen(columns, reduced)) return similar(kNoItem, scores);
    score_all(reduced, scores);
    return true;
  }
  bool reduce_similar(ItemIndex item, VectorQuestion& reduced) const override {
    const auto i = static_cast<size_t>(item);
    if (item < 0 || i >= item_count() || users_[i] == 0) return false;
    reduced.begin(vectors_);
    std::copy_n(row_of(i), cell_.shape.embedding, reduced.y().begin());
    reduced.ask_for_cosine(inverse_norm_[i]);
    return true;
  }
  bool reduce_similar_to_unseen(std::span<const ColumnIndex> columns,
                                VectorQuestion& reduced) const override {
    if (cell_.cold.size == 0 || columns.empty()) return false;
    reduced.begin(vectors_);
    cell_.cold.predict(columns, reduced.y().data());
    double squares = 0;
    for (const float x : reduced.y()) squares += static_cast<double>(x) * x;
    reduced.ask_for_cosine(squares > 0 ? static_cast<float>(1 / std::sqrt(squares)) : 0);
    return true;
  }
  void similar_unseen(ItemIndex item, std::span<const ColumnIndex> columns,
                      const UnseenItems& unseen, std::span<float> scores) const override {
    std::fill(scores.begin(), scores.end(), 0.0F);
    if (cell_.cold.size == 0 || (item == kNoItem && columns.empty())) return;
    if (item != kNoItem)
      cell_.cold.similar(row_of(static_cast<size_t>(item)), unseen, scores);
    else
      cell_.cold.similar(predicted(columns).data(), unseen, scores);
  }

 private:
  static constexpr uint64_t kLargestSize = 4'096;

  const float* row_of(size_t item) const {
    return cell_.embedding.data() + item * cell_.shape.embedding;
  }
  std::vector<float> predicted(std::span<const ColumnIndex> columns) const {
    std::vector<float> row(cell_.shape.embedding);
    cell_.cold.predict(columns, row.data());
    return row;
  }
  // Calls take(item, term) for every item of `history`, unseen ones too.
  template <typename Take>
  void each_own_term(std::span<const ModelEvent> history, const Take& take) const {
    thread_local OwnHistory own;
    size_t items = item_count();  // unseen ones that he had are counted on from there
    for (const ModelEvent& event : history)
      items = std::max(items, static_cast<size_t>(event.item) + 1);
    own.fit(items);
    own.add_all(history, cell_.session_gap);
    for (const OwnItem& item : own.items())
      take(item.item, own_history_term(cell_.own, item, own.last_place(), own.session_start()));
    own.clear();
  }

  Status open_metadata(const BlobView& blob) {
    PERSONALIZE_ASSIGN_OR_RETURN(metadata_.items, MetadataEncoder::open("hrnn.items", blob));
    PERSONALIZE_ASSIGN_OR_RETURN(metadata_.context, MetadataEncoder::open("hrnn.context", blob));
    PERSONALIZE_ASSIGN_OR_RETURN(metadata_.users, MetadataEncoder::open("hrnn.users", blob));
    cell_.shape.side = metadata_.context.size() + metadata_.users.size();
    PERSONALIZE_ASSIGN_OR_RETURN(
        cell_.cold, ColdItems::open(blob, metadata_.items.size(), cell_.shape.embedding));
    // Nothing is placed: then nothing need be read of the items.
    if (cell_.cold.size == 0) metadata_.items = MetadataEncoder();
    PERSONALIZE_ASSIGN_OR_RETURN(ages_, open_item_ages(blob, cell_.shape.items));
    return Status::ok();
  }

  // Models of few items have none, nor have those of a build that knew none.
  static Status open_codes(const BlobView& blob, ItemVectors& vectors) {
    if (!blob.has(kCodes)) return Status::ok();
    QuantizedVectors codes;
    codes.items = vectors.items;
    codes.width = vectors.width;
    PERSONALIZE_ASSIGN_OR_RETURN(
        codes.codes, blob.section<uint8_t>(kCodes, code_count(codes.items, codes.width)));
    PERSONALIZE_ASSIGN_OR_RETURN(codes.scales,
                                 blob.section<uint16_t>(kScales, scale_count(codes.items)));
    PERSONALIZE_ASSIGN_OR_RETURN(const auto bounds, blob.section<QuantizationBounds>(kBounds, 1));
    codes.bounds = bounds[0];
    if (!all_finite(codes))
      return {StatusCode::kCorrupt, "the scales of the model's codes are damaged"};
    vectors.codes = codes;
    return Status::ok();
  }

  static Status open_cell(const BlobView& blob, Cell& cell) {
    const size_t d = cell.shape.embedding;
    const size_t h = cell.shape.hidden;
    const size_t items = cell.shape.items;
    PERSONALIZE_ASSIGN_OR_RETURN(cell.value_columns, blob.section<float>("hrnn.value_columns"));
    if (cell.value_columns.size() > kMostValues ||
        cell.shape.features != kGapFeatures + cell.value_columns.size() ||
        !std::is_sorted(cell.value_columns.begin(), cell.value_columns.end()))
      return {StatusCode::kCorrupt, "the model's event features are damaged"};
    PERSONALIZE_ASSIGN_OR_RETURN(cell.embedding, blob.section<float>("hrnn.embedding", items * d));
    PERSONALIZE_ASSIGN_OR_RETURN(cell.bias, blob.section<float>("hrnn.bias", items));
    PERSONALIZE_ASSIGN_OR_RETURN(cell.feature,
                                 blob.section<float>("hrnn.feature", cell.shape.features * d));
    PERSONALIZE_ASSIGN_OR_RETURN(cell.input, blob.section<float>("hrnn.input", d * 3 * h));
    PERSONALIZE_ASSIGN_OR_RETURN(cell.input_bias, blob.section<float>("hrnn.input_bias", 3 * h));
    PERSONALIZE_ASSIGN_OR_RETURN(cell.recurrent, blob.section<float>("hrnn.recurrent", h * 3 * h));
    PERSONALIZE_ASSIGN_OR_RETURN(cell.candidate_bias,
                                 blob.section<float>("hrnn.candidate_bias", h));
    PERSONALIZE_ASSIGN_OR_RETURN(cell.initial, blob.section<float>("hrnn.initial", h));
    PERSONALIZE_ASSIGN_OR_RETURN(cell.output, blob.section<float>("hrnn.output", h * d));
    PERSONALIZE_ASSIGN_OR_RETURN(cell.output_bias, blob.section<float>("hrnn.output_bias", d));
    if (const size_t side = cell.shape.side * d; side > 0) {
      PERSONALIZE_ASSIGN_OR_RETURN(cell.side_input, blob.section<float>("hrnn.side_input", side));
      PERSONALIZE_ASSIGN_OR_RETURN(cell.side_output, blob.section<float>("hrnn.side_output", side));
    }
    PERSONALIZE_ASSIGN_OR_RETURN(cell.recency_starts, blob.section<int64_t>("hrnn.recency_starts"));
    PERSONALIZE_ASSIGN_OR_RETURN(
        cell.recency_rows,
        blob.section<float>("hrnn.recency_rows", cell.recency_starts.size() * items));
    if (!std::is_sorted(cell.recency_starts.begin(), cell.recency_starts.end()))
      return {StatusCode::kCorrupt, "the model's recency table is damaged"};
    return Status::ok();
  }

  Cell cell_;
  ItemVectors vectors_;  // of the cell
  float markov_weight_ = 0;
  std::span<const float> users_;         // how many users had the item
  std::span<const float> popularity_;    // ln(events + 1)
  std::span<const float> inverse_norm_;  // of E's rows
  MarkovChain chain_;
  ModelMetadata metadata_;
  ItemAges ages_;
};

}  // namespace

Cell Cell::of(const Trained& trained, int64_t session_gap) {
  const Layout& layout = trained.layout;
  const size_t d = layout.shape.embedding;
  const size_t h = layout.shape.hidden;
  const auto part = [&](size_t offset, size_t size) {
    return trained.parameters.span().subspan(offset, size);
  };
  Cell cell;
  cell.shape = layout.shape;
  cell.embedding = part(layout.embedding, layout.shape.items * d);
  cell.bias = part(layout.bias, layout.shape.items);
  cell.feature = part(layout.feature, layout.shape.features * d);
  cell.input = part(layout.input, d * 3 * h);
  cell.input_bias = part(layout.input_bias, 3 * h);
  cell.recurrent = part(layout.recurrent, h * 3 * h);
  cell.candidate_bias = part(layout.candidate_bias, h);
  cell.initial = part(layout.initial, h);
  cell.output = part(layout.output, h * d);
  cell.output_bias = part(layout.output_bias, d);
  cell.side_input = part(layout.side_input, layout.shape.side * d);
  cell.side_output = part(layout.side_output, layout.shape.side * d);
  cell.rho = trained.parameters[layout.rho];
  std::copy_n(trained.parameters.data() + layout.own, kRecencyBuckets, cell.own.recency.begin());
  cell.own.count_weight = trained.parameters[layout.own + kRecencyBuckets];
  cell.own.session_weight = trained.parameters[layout.own + kRecencyBuckets + 1];
  cell.session_gap = session_gap;
  cell.value_columns = trained.value_columns;
  cell.recency_starts = trained.recency.starts;
  cell.recency_rows = trained.recency.rows;
  return cell;
}

void Cell::output_vector(const float* state, std::span<const ColumnIndex> columns, float* y) const {
  const Kernels& k = kernels();
  const size_t d = shape.embedding;
  const auto stride = static_cast<ptrdiff_t>(d);
  std::copy(output_bias.begin(), output_bias.end(), y);
  k.product(1, d, shape.hidden, {state, 0, 1}, output.data(), stride, y, stride, true);
  for (const ColumnIndex c : columns) k.add_scaled(d, 1, side_output.data() + c * d, y);
}

void Cell::dense_logits(std::span<const ModelEvent> history, const float* y, float* logits) const {
  const Kernels& k = kernels();
  const size_t d = shape.embedding;
  k.matrix_vector(shape.items, d, embedding.data(), y, bias.data(), logits);
  if (recency_starts.empty()) return;
  k.add_scaled(shape.items, rho, recency_row(history.back().timestamp).data(), logits);
}

std::span<const float> Cell::recency_row(int64_t timestamp) const {
  const size_t bucket = recency_bucket_of(recency_starts, timestamp);
  return recency_rows.subspan(bucket * shape.items, shape.items);
}

void write_model(const Trained& trained, int64_t session_gap, const CalibrationWeights& weights,
                 const MarkovCounts& counts, std::span<const float> users,
                 std::span<const float> events, BlobWriter& blob) {
  const Cell cell = Cell::of(trained, session_gap);
  const size_t d = cell.shape.embedding;
  const auto scaled = [&](std::span<const float> values) {
    std::vector<float> result(values.begin(), values.end());
    for (float& value : result) value *= weights.a;
    return result;
  };
  Header header{cell.shape.items, cell.shape.embedding, cell.shape.hidden, cell.shape.features,
                session_gap,      weights.a * cell.rho, weights.w,         cell.own};
  for (size_t b = 0; b < kRecencyBuckets; ++b)
    header.own.recency[b] = weights.a * cell.own.recency[b] + weights.own.recency[b];
  header.own.count_weight = weights.a * cell.own.count_weight + weights.own.count_weight;
  header.own.session_weight = weights.a * cell.own.session_weight + weights.own.session_weight;

  std::vector<float> popularity(events.begin(), events.end());
  for (float& x : popularity) x = std::log(x + 1);
  std::vector<float> inverse_norm(cell.shape.items);
  for (size_t i = 0; i < inverse_norm.size(); ++i) {
    double squares = 0;
    for (const float x : cell.embedding.subspan(i * d, d)) squares += static_cast<double>(x) * x;
    inverse_norm[i] = squares > 0 ? static_cast<float>(1 / std::sqrt(squares)) : 0;
  }
  blob.add("hrnn.header", std::span<const Header>(&header, 1));
  blob.add("hrnn.calibration", std::span<const CalibrationWeights>(&weights, 1));
  blob.add("hrnn.users", users);
  blob.add("hrnn.popularity", popularity);
  blob.add("hrnn.inverse_norm", inverse_norm);
  blob.add("hrnn.embedding", cell.embedding);
  blob.add("hrnn.bias", scaled(cell.bias));
  blob.add("hrnn.feature", cell.feature);
  blob.add("hrnn.input", cell.input);
  blob.add("hrnn.input_bias", cell.input_bias);
  blob.add("hrnn.recurrent", cell.recurrent);
  blob.add("hrnn.candidate_bias", cell.candidate_bias);
  blob.add("hrnn.initial", cell.initial);
  blob.add("hrnn.output", scaled(cell.output));
  blob.add("hrnn.output_bias", scaled(cell.output_bias));
  if (cell.shape.side > 0) {
    blob.add("hrnn.side_input", cell.side_input);
    blob.add("hrnn.side_output", scaled(cell.side_output));
  }
  blob.add("hrnn.value_columns", cell.value_columns);
  blob.add("hrnn.recency_starts", cell.recency_starts);
  blob.add("hrnn.recency_rows", cell.recency_rows);
  counts.write(blob);
  if (!worth_codes(cell.shape.items, d)) return;
  if (const auto codes = quantize(cell.shape.items, d, cell.embedding)) {
    blob.add(kCodes, codes->codes);
    blob.add(kScales, codes->scales);
    blob.add(kBounds, std::span<const QuantizationBounds>(&codes->bounds, 1));
  }
}

Result<Stored> read_model(const BlobView& blob) {
  PERSONALIZE_ASSIGN_OR_RETURN(const auto model, HrnnModel::open(blob));
  PERSONALIZE_ASSIGN_OR_RETURN(const auto calibration,
                               blob.section<CalibrationWeights>("hrnn.calibration", 1));
  const CalibrationWeights& weights = calibration[0];
  if (!(weights.a >= kLeastNetworkWeight) || !std::isfinite(weights.a) || !std::isfinite(weights.w))
    return Status(StatusCode::kInvalidInput,
                  fmt::format("its network counts for nearly nothing (weight {})", weights.a));
  const Cell& cell = model->cell();
  Stored stored{{Layout(cell.shape), AlignedFloats(Layout(cell.shape).size), {}, {}},
                cell.session_gap,
                weights,
                cell.cold.size > 0 ? std::optional(cell.cold.numbers) : std::nullopt};
  Trained& trained = stored.trained;
  const Layout& layout = trained.layout;
  const auto put = [&](size_t offset, std::span<const float> values, float divisor) {
    for (size_t i = 0; i < values.size(); ++i) trained.parameters[offset + i] = values[i] / divisor;
  };
  put(layout.embedding, cell.embedding, 1);
  put(layout.bias, cell.bias, weights.a);
  put(layout.feature, cell.feature, 1);
  put(layout.input, cell.input, 1);
  put(layout.input_bias, cell.input_bias, 1);
  put(layout.recurrent, cell.recurrent, 1);
  put(layout.candidate_bias, cell.candidate_bias, 1);
  put(layout.initial, cell.initial, 1);
  put(layout.output, cell.output, weights.a);
  put(layout.output_bias, cell.output_bias, weights.a);
  put(layout.side_input, cell.side_input, 1);
  put(layout.side_output, cell.side_output, weights.a);
  put(layout.rho, {&cell.rho, 1}, weights.a);
  float* own = trained.parameters.data() + layout.own;
  for (size_t b = 0; b < kRecencyBuckets; ++b)
    own[b] = (cell.own.recency[b] - weights.own.recency[b]) / weights.a;
  own[kRecencyBuckets] = (cell.own.count_weight - weights.own.count_weight) / weights.a;
  own[kRecencyBuckets + 1] = (cell.own.session_weight - weights.own.session_weight) / weights.a;
  trained.recency.starts.assign(cell.recency_starts.begin(), cell.recency_starts.end());
  trained.recency.rows.assign(cell.recency_rows.begin(), cell.recency_rows.end());
  trained.value_columns.assign(cell.value_columns.begin(), cell.value_columns.end());
  return stored;
}

Result<std::unique_ptr<Model>> open_model(const BlobView& blob) {
  PERSONALIZE_ASSIGN_OR_RETURN(std::unique_ptr<Model> model, HrnnModel::open(blob));
  return model;
}

}  // namespace personalize::hrnn
