#include "engine/serving/filter_lexer.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "engine/serving/filter_expression.h"

namespace personalize {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
// Letters of other alphabets are bytes past ASCII.
bool begins_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool continues_word(char c) { return begins_word(c) || is_digit(c) || c == '-'; }

}  // namespace

FilterToken FilterLexer::symbol(size_t length) {
  FilterToken token;
  token.kind = FilterToken::Kind::kSymbol;
  token.text = expression_.substr(at_, length);
  token.place = at_;
  at_ += length;
  token.end = at_;
  return token;
}

Result<FilterToken> FilterLexer::text() {
  FilterToken token;
  token.kind = FilterToken::Kind::kText;
  token.place = at_++;
  for (;; ++at_) {
    if (at_ >= expression_.size())
      return Status(
          StatusCode::kInvalidInput,
          at_place("the text that begins here has no closing \"", expression_, token.place));
    char c = expression_[at_];
    if (c == '"') break;
    if (c == '\\' && at_ + 1 < expression_.size() &&
        (expression_[at_ + 1] == '"' || expression_[at_ + 1] == '\\'))
      c = expression_[++at_];
    token.text.push_back(c);
  }
  token.end = ++at_;
  return token;
}

Result<FilterToken> FilterLexer::number() {
  FilterToken token;
  token.kind = FilterToken::Kind::kNumber;
  token.place = at_;
  const char* begin = expression_.data() + at_;
  const auto [end, error] =
      std::from_chars(begin, expression_.data() + expression_.size(), token.number);
  at_ += static_cast<size_t>(end - begin);
  if (error != std::errc() || !std::isfinite(token.number) ||
      (at_ < expression_.size() && continues_word(expression_[at_])))
    return Status(StatusCode::kInvalidInput,
                  at_place("a number was expected, and this is none; texts stand in double quotes",
                           expression_, token.place));
  token.end = at_;
  return token;
}

Result<FilterToken> FilterLexer::next() {
  while (at_ < expression_.size() && is_space(expression_[at_])) ++at_;
  FilterToken token;
  token.place = token.end = at_;
  if (at_ >= expression_.size()) return token;
  const char c = expression_[at_];
  const char after = at_ + 1 < expression_.size() ? expression_[at_ + 1] : '\0';
  if (c == '"') return text();
  if (is_digit(c) || ((c == '-' || c == '.') && is_digit(after))) return number();
  if ((c == '<' || c == '>' || c == '!') && after == '=') return symbol(2);
  if (std::string_view("|(),.*=<>").find(c) != std::string_view::npos) return symbol(1);
  const bool parameter = c == '$' && (begins_word(after) || is_digit(after));
  if (!begins_word(c) && !parameter)
    return Status(StatusCode::kInvalidInput,
                  at_place(c == '\'' ? "texts stand in double quotes, not in single ones"
                                     : "nothing begins with this character",
                           expression_, at_));
  if (parameter) ++at_;
  const size_t begin = at_;
  while (at_ < expression_.size() && continues_word(expression_[at_])) ++at_;
  token.kind = parameter ? FilterToken::Kind::kParameter : FilterToken::Kind::kWord;
  token.text = expression_.substr(begin, at_ - begin);
  token.end = at_;
  return token;
}

}  // namespace personalize
