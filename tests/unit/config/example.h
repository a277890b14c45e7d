// A schema with a key of every type, over two options structures.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "config/schema.h"
#include "support/errors.h"

namespace whence::config {

enum class Sampling { nested, crossed };

struct Search {
  std::int64_t steps = 8000, causal = 1, outer = 200, inner = 200;
  double lambda = 0.05, weight = 1;
  Sampling sampling = Sampling::nested;
  bool fresh = false;
  std::vector<std::int64_t> latents;
};
struct Place {
  std::string title, path, source;
  std::optional<double> accuracy;
  std::vector<std::string> names, methods;
  std::vector<std::vector<double>> covariance;
};

inline const Schema& example() {
  const double inf = std::numeric_limits<double>::infinity();
  const auto steps = [](auto& o) -> auto& { return o.steps; };
  static const Schema schema = {
      {"",
       "At the top.",
       {{"title", Text{field(&Place::title)}, "", "The heading."},
        {"source", Text{field(&Place::source)}, "", "Where it is from."}}},
      {"data",
       "Which images.",
       {{"path", Path{field(&Place::path)}, "", "The folder."},
        {"class_names", Texts{field(&Place::names)}, "", "Label 0 first."},
        {"covariance", Matrix{field(&Place::covariance)}, "", "Symmetric."},
        {"accuracy", OptionalNumber{field(&Place::accuracy), 0, 1}, "share", "On the test set."}}},
      {"explanation",
       "What is trained.",
       {{"steps", Integer{field<Search>(steps), 1, 1'000'000'000}, "", "Steps of training."},
        {"causal", Integer{field(&Search::causal), 1, 64}, "latents", "K."},
        {"lambda", Number{field(&Search::lambda), 0, 1e9}, "", "Weight of the distance."},
        {"weight", Number{field(&Search::weight), 0, inf, true}, "", "Weight of the rest."},
        {"sampling", choice(&Search::sampling, {"nested", "crossed"}), "", "How draws are made."},
        {"samples", Pair{field(&Search::outer), field(&Search::inner), 2, 1000}, "draws", "Outer, inner."},
        {"fresh", Toggle{field(&Search::fresh)}, "", "Begins anew."},
        {"latents", Integers{field(&Search::latents), 1, 64}, "", "K + L to try."},
        {"methods", Choices{{"gradient", "occlusion"}, field(&Place::methods)}, "", "Those compared."}}}};
  return schema;
}

}  // namespace whence::config
