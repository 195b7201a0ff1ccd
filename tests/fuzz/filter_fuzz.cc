// What no filter expression and no filter values may do: crash, hang, or be read as something that
// refers to a place outside of the text. The entry point is libFuzzer's:
//
//   clang++-14 -std=c++20 -g -fsanitize=fuzzer,address,undefined -I. -DPERSONALIZE_LIBFUZZER
//     tests/fuzz/filter_fuzz.cc engine/serving/filter_*.cc engine/fmt_library.cc -o filter_fuzz
//   ./filter_fuzz
//
// Built as the tests are, it has a driver of its own, which mutates the examples of Amazon's guide:
//   build/filter_fuzz [rounds]
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/serving/filter_evaluation.h"
#include "engine/serving/filter_expression.h"
#include "engine/serving/filter_values.h"

using namespace personalize;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_conditions(const std::vector<FilterCondition>& conditions, size_t size) {
  for (const FilterCondition& condition : conditions) {
    require(condition.field.place <= size && !condition.field.name.empty());
    require(!condition.operands.empty());
    for (const FilterOperand& operand : condition.operands) require(operand.place <= size);
  }
}

void evaluate(const FilterExpression& expression, const FilterValues& values) {
  const std::vector<MetadataField> fields = {{"GENRE", FieldKind::kCategorical},
                                             {"PRICE", FieldKind::kNumber},
                                             {"ON_SALE", FieldKind::kBoolean},
                                             {"EVENT_TYPE", FieldKind::kText}};
  const std::vector<FieldValue> row = {FieldValue::of("Comedy|Drama"), FieldValue::of(9.5),
                                       FieldValue::of(1.0), FieldValue::missing()};
  const FilterFieldValue current = [](const FilterField&) { return FieldValue::of("Drama|"); };
  for (const FilterClause& clause : expression.clauses) {
    const auto ready = ReadyClause::make(clause, fields, values, current);
    if (ready.is_ok() && ready->has_value()) (void)(*ready)->passes(row);
  }
}

}  // namespace

// The text up to the first zero byte is an expression, what follows it the values.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t end = all.find('\0');
  const std::string_view text = all.substr(0, end);
  const auto values = FilterValues::parse(end == std::string_view::npos ? "" : all.substr(end + 1));
  const auto expression = parse_filter(text);
  if (!expression.is_ok()) {
    require(!expression.status().message().empty());
    return 0;
  }
  require(!expression->clauses.empty());
  for (const FilterClause& clause : expression->clauses) {
    require(!clause.any_of.empty() && clause.subject == expression->clauses[0].subject);
    for (const auto& group : clause.any_of) {
      require(!group.empty());
      check_conditions(group, text.size());
    }
    check_conditions(clause.conditions_of_user, text.size());
  }
  if (values.is_ok() && values->check(*expression).is_ok()) evaluate(*expression, *values);
  return 0;
}

#ifndef PERSONALIZE_LIBFUZZER

#include "engine/math/random.h"

namespace {

const std::vector<std::string> kCorpus = {
    std::string(R"(EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click", "stream"))"),
    std::string("INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) AND Items.PRICE <= $PRICE IF "
                "CurrentUser.AGE > 18\0{\"GENRE\": [\"Comedy\"], \"PRICE\": 9}",
                118),
    std::string(
        R"(INCLUDE ItemID WHERE Items.GENRE IN ($G) | EXCLUDE ItemID WHERE Items.ON_SALE = true)"),
    std::string(
        R"(EXCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE OR Items.GENRE NOT IN ("a\"b"))"),
    std::string("INCLUDE ItemID WHERE Items.GENRE IN CurrentUser.LIKES AND Items.PRICE != -1.5e3"),
    std::string("EXCLUDE ItemID WHERE Items.GENRE IN ($G)\0{\"G\": \"\\\"x\\\",\\\"y\\\"\"}", 61)};
const std::vector<std::string> kPieces = {
    "INCLUDE ", "EXCLUDE ", "ItemID ", "WHERE ", "IF ", "AND ",      "OR ",   "IN ",
    "NOT ",     "(",        ")",       "\"",     "\\",  "$",         "*",     ",",
    "|",        "<",        "<=",      "!=",     ".",   "1e999",     "Items", "true",
    "\0",       "\xc3\xa4", "\xff",    " ",      "-",   "{\"G\":[]}"};

std::string mutated(Random& random) {
  const auto below = [&](size_t n) {
    return static_cast<size_t>(random.uniform() * static_cast<double>(n));
  };
  std::string text = kCorpus[below(kCorpus.size())];
  for (size_t changes = 1 + below(6); changes > 0; changes--) {
    const size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.insert(at, kPieces[below(kPieces.size())]);
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 3: {
        const std::string& other = kCorpus[below(kCorpus.size())];
        text = text.substr(0, at) + other.substr(below(other.size()));
        break;
      }
      default:
        text.insert(at, text.substr(at / 2, below(40)));
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? std::atol(argv[1]) : 30'000;
  Random random(7, 0);
  for (const std::string& text : kCorpus)
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  for (long round = 0; round < rounds; round++) {
    const std::string text = mutated(random);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  }
  std::printf("%ld mutated filters: none did harm\n", rounds);
}

#endif
