// A small language whose words tell the class.
#pragma once

#include "whence/core/random.h"
#include "whence/explain/text/train.h"

namespace whence::test {

/// Texts "a <noun> is <adjective>" and their classes: good adjectives, bad ones.
struct Toy {
  data::Vocabulary words{
      data::Words{"a", "the", "film", "plot", "actor", "is", "good", "great", "bad", "dull"}};
  at::Tensor numbers, labels;
  data::Phrases phrases;
};

inline Toy toy() {
  Toy made;
  std::vector<float> targets;
  std::vector<std::int64_t> labels;
  for (const char* article : {"a", "the"})
    for (const char* noun : {"film", "plot", "actor"})
      for (const char* adjective : {"good", "great", "bad", "dull"}) {
        made.phrases.words.push_back({article, noun, "is", adjective});
        const bool good = adjective[0] == 'g';
        labels.push_back(good ? 1 : 0);
        targets.insert(targets.end(), {good ? 0.0F : 1.0F, good ? 1.0F : 0.0F});
      }
  made.numbers = data::to_numbers(made.words, made.phrases.words);
  made.labels = at::tensor(labels, at::kLong);
  made.phrases.targets = at::tensor(targets).view({-1, 2});
  return made;
}

inline models::TextClassifierNetwork toy_classifier(const Toy& toy, models::TextArchitecture architecture) {
  Generator generator = make_generator(3, "classifier");
  return {
      {.architecture = architecture, .words = toy.words.size(), .classes = 2, .embedding = 6, .hidden = 5},
      at::normal(0.0, 0.3, {toy.words.size(), 6}, generator),
      generator};
}

inline models::SentenceVae toy_vae(const Toy& toy, std::int64_t noncausal = 3,
                                   models::VaeArchitecture architecture = models::VaeArchitecture::guided) {
  Generator generator = make_generator(4, "vae");
  models::SentenceVaeShape shape;
  shape.architecture = architecture;
  shape.words = toy.words.size();
  shape.noncausal = noncausal;
  shape.embedding = 8;
  shape.encoder_hidden = 8;
  shape.decoder_hidden = 16;
  shape.guide = 8;
  return {shape, generator};
}

}  // namespace whence::test
