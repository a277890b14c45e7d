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
  static const Schema schema = {
      {"",
       "At the top.",
       {{"title", Text{at(&Place::title)}, "", "The heading."},
        {"source", Text{at(&Place::source)}, "", "Where it is from."}}},
      {"data",
       "Which images.",
       {{"path", Path{at(&Place::path)}, "", "The folder."},
        {"class_names", Texts{at(&Place::names)}, "", "Label 0 first."},
        {"covariance", Matrix{at(&Place::covariance)}, "", "Symmetric."},
        {"accuracy", OptionalNumber{at(&Place::accuracy), 0, 1}, "share", "On the test set."}}},
      {"explanation",
       "What is trained.",
       {{"steps", Integer{at(&Search::steps), 1, 1'000'000'000}, "", "Steps of training."},
        {"causal", Integer{at(&Search::causal), 1, 64}, "latents", "K."},
        {"lambda", Number{at(&Search::lambda), 0, 1e9}, "", "Weight of the distance."},
        {"weight", Number{at(&Search::weight), 0, inf, true}, "", "Weight of the rest."},
        {"sampling", choice(at(&Search::sampling), {"nested", "crossed"}), "", "How draws are made."},
        {"samples", Pair{at(&Search::outer), at(&Search::inner), 2, 1000}, "draws", "Outer, inner."},
        {"fresh", Toggle{at(&Search::fresh)}, "", "Begins anew."},
        {"latents", Integers{at(&Search::latents), 1, 64}, "", "K + L to try."},
        {"methods", Choices{{"gradient", "occlusion"}, at(&Place::methods)}, "", "Those compared."}}}};
  return schema;
}

}  // namespace whence::config
