// Splits a filter expression into tokens.
#pragma once

#include <string>
#include <string_view>

#include "engine/status.h"

namespace personalize {

struct FilterToken {
  enum class Kind { kEnd, kWord, kText, kNumber, kParameter, kSymbol };
  Kind kind = Kind::kEnd;
  std::string text;  // of words, texts (unquoted), parameters (without '$') and symbols
  double number = 0;
  size_t place = 0;  // of the first byte
  size_t end = 0;    // past the last one
};

// Reads one token after the other. Holds a view of the expression.
class FilterLexer {
 public:
  explicit FilterLexer(std::string_view expression) : expression_(expression) {}

  // The next token; kEnd for ever after the last. A word is letters, digits, '_' and '-', or
  // anything; a text stands in double quotes, where \" and \\ are a quote and a backslash; symbols
  // are | ( ) , . * = != < <= > >=. Errors: kInvalidInput for a text without its end, a number out
  // of range, a character that begins nothing.
  Result<FilterToken> next();

 private:
  Result<FilterToken> text();
  Result<FilterToken> number();
  FilterToken symbol(size_t length);
  std::string_view expression_;
  size_t at_ = 0;
};

}  // namespace personalize
