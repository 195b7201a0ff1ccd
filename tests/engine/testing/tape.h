// Derivatives by machine, in double precision: a formula written with Variable is recorded step by
// step, and derivatives() goes back over the record by the chain rule. Slow and obvious, so that
// gradients worked out by hand can be compared with it.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace personalize {

class Tape;

struct Variable {
  Tape* tape = nullptr;
  size_t place = 0;
  double value = 0;
};

class Tape {
 public:
  Variable variable(double value) { return record(value, 0, 0, 0, 0); }

  // The result of a step and its derivatives by the two variables it was made of.
  Variable record(double value, size_t a, double by_a, size_t b, double by_b) {
    steps_.push_back({a, b, by_a, by_b});
    return {this, steps_.size() - 1, value};
  }

  // Of `result` by everything on the tape; [v.place] is that by v.
  std::vector<double> derivatives(const Variable& result) const {
    std::vector<double> by(steps_.size());
    by[result.place] = 1;
    for (size_t i = result.place + 1; i-- > 0;) {
      by[steps_[i].a] += by[i] * steps_[i].by_a;
      by[steps_[i].b] += by[i] * steps_[i].by_b;
    }
    return by;
  }

 private:
  struct Step {
    size_t a, b;
    double by_a, by_b;
  };
  std::vector<Step> steps_;
};

inline Variable operator+(const Variable& a, const Variable& b) {
  return a.tape->record(a.value + b.value, a.place, 1, b.place, 1);
}
inline Variable operator-(const Variable& a, const Variable& b) {
  return a.tape->record(a.value - b.value, a.place, 1, b.place, -1);
}
inline Variable operator*(const Variable& a, const Variable& b) {
  return a.tape->record(a.value * b.value, a.place, b.value, b.place, a.value);
}
inline Variable operator*(double a, const Variable& b) {
  return b.tape->record(a * b.value, b.place, a, b.place, 0);
}
inline Variable exp(const Variable& a) {
  const double value = std::exp(a.value);
  return a.tape->record(value, a.place, value, a.place, 0);
}
inline Variable log(const Variable& a) {
  return a.tape->record(std::log(a.value), a.place, 1 / a.value, a.place, 0);
}
inline Variable tanh(const Variable& a) {
  const double value = std::tanh(a.value);
  return a.tape->record(value, a.place, 1 - value * value, a.place, 0);
}
inline Variable sigmoid(const Variable& a) {
  const double value = 1 / (1 + std::exp(-a.value));
  return a.tape->record(value, a.place, value * (1 - value), a.place, 0);
}

}  // namespace personalize
