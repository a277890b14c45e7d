// Ways to turn images into another class, which are compared: morphs, translations, latent counterfactuals and changes of pixels.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "report/page.h"
#include "whence/core/error.h"
#include "whence/explain/counterfactual/adversarial.h"
#include "whence/explain/counterfactual/judgement.h"
#include "whence/models/translator.h"

namespace whence::kinds {

/// One way to change the images; one row a case.
struct Way {
  std::string name, title;  ///< "morph", "semantic morph"
  at::Tensor after;         ///< (n, C, H, W)
  at::Tensor found;         ///< bool (n)
  at::Tensor iterations;    ///< int64 (n); undefined: not counted
  counterfactual::Judgement judged;
  double seconds = 0;  ///< for all
  /// Of translations alone; undefined elsewhere.
  at::Tensor finished = {};  ///< bool (n): the stopping rule of morphs holds
  at::Tensor entropy = {};   ///< float32 (n), bits, of the two classes
  at::Tensor cycle = {};     ///< float32 (n): mean |T(T(x, o), s) - x|
  at::Tensor mask = {};      ///< float32 (n, 1, H, W)
};

/// Whether it changes the image itself. Others change its reconstruction.
bool changes_the_image(const Way& way);

/// Images with a class to turn each into.
struct Cases {
  at::Tensor rows;      ///< int64 (n): which image each case is of
  at::Tensor from, to;  ///< int64 (n)
  std::int64_t left_out = 0;
};
/// The error of images that are all of the asked class.
class NothingToMorph : public Error {
 public:
  explicit NothingToMorph(const std::string& sentence) : Error(sentence, ExitCode::usage) {}
};
/// answers: int64 (n, 2), the two most probable classes of each image. target: "second", "every" or a class. Errors (usage): another target;
/// NothingToMorph.
Cases cases_of(const at::Tensor& answers, const std::vector<std::string>& class_names,
               const std::string& target);
/// Error (usage): a target that is neither a class nor a word for some; `key` ("morphing.target") begins the sentence.
void require_target(const std::string& key, const std::string& target,
                    const std::vector<std::string>& class_names);

/// images (n, C, H, W); from, to: int64 (n). Not judged yet.
Way adversarial_way(const models::Classifier& classifier, const at::Tensor& images, const at::Tensor& from,
                    const at::Tensor& to, counterfactual::Ball ball, double entropy);
/// T(x, e_to). Found: the classifier's answer is `to`.
Way translation_way(const models::Classifier& classifier, const models::Translator& translator,
                    const at::Tensor& images, const at::Tensor& from, const at::Tensor& to, double entropy);

/// {"title", "failed", "seconds_per_image", ...}: means over the cases that were found.
nlohmann::json to_json(const Way& way);
/// The ways in {name: to_json(way)}, in the order of the tables: the morphs first and the controls last.
std::vector<const nlohmann::json*> ways_in(const nlohmann::json& metrics);
/// One row a way and, where it has a title, `unchanged`. Columns that no way has are left out.
report::Table table_of_ways(const std::vector<const nlohmann::json*>& ways, const nlohmann::json& unchanged);
/// The same for a terminal: lines with the columns that are named, by to_json's names.
std::string lines_of_ways(const nlohmann::json& metrics, const std::vector<std::string_view>& columns);

}  // namespace whence::kinds
