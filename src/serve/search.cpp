#include "serve/search.h"

#include <ATen/ATen.h>

#include "kinds/morphing/study.h"
#include "report/text.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/attribution/method.h"
#include "whence/explain/counterfactual/counterfactual.h"

namespace whence::serve {
namespace {

using nlohmann::json;
using What = SearchRequest::What;

std::string bytes_of(const at::Tensor& tensor) {
  const at::Tensor here = tensor.cpu().contiguous();
  return report::base64({static_cast<const char*>(here.data_ptr()), here.nbytes()});
}

/// {"title", "image", "probabilities"} of (1, C, H, W) in [0, 1].
json shown(const Subject& subject, const std::string& title, const at::Tensor& image) {
  const at::Tensor p = subject.classifier->logits(image).to(at::kFloat).softmax(1)[0].cpu().contiguous();
  return {{"title", title},
          {"image", bytes_of((image[0].clamp(0, 1) * 255).round().to(at::kByte))},
          {"probabilities", std::vector<float>(p.data_ptr<float>(), p.data_ptr<float>() + p.numel())}};
}

json attribution_of(const Subject& subject, const at::Tensor& image, const SearchRequest& request,
                    const std::optional<counterfactual::KnownCodes>& known,
                    const ProgressCallback& progress) {
  constexpr std::int64_t references = 64;
  const attribution::Method& method = attribution::method(request.method);
  attribution::Options options;
  options.seed = subject.seed;
  options.progress = progress;
  Generator generator = make_generator(subject.seed, "attribution/references");
  options.references = data::to_float(subject.test, data::sample_rows(subject.test, references, generator));
  if (method.needs == attribution::Needs::training) {
    constexpr std::int64_t learned_from = 2000;
    Generator rows = make_generator(subject.seed, "attribution/training");
    options.training = data::to_float(subject.test, data::sample_rows(subject.test, learned_from, rows));
  }
  if (known && subject.decoder)
    options.generator = std::make_shared<const counterfactual::ImageModel>(
        counterfactual::ImageModel{*subject.encoder, *subject.decoder, *known});
  at::Tensor target = attribution::answers_to(*subject.classifier, image);
  if (request.to >= 0) target.fill_(request.to);
  const attribution::Attribution found = method.run(*subject.classifier, image, target, options);
  json result = {{"title", std::string(method.title)},
                 {"target", target[0].item<std::int64_t>()},
                 {"score", found.scores[0].item<double>()},
                 {"map", bytes_of(found.values[0].detach().sum(0).to(at::kFloat))}};
  if (found.completeness_error.defined())
    result["completeness_error"] = found.completeness_error[0].item<double>();
  return result;
}

json counterfactual_of(const Subject& subject, const at::Tensor& image, const SearchRequest& request,
                       const ProgressCallback& progress) {
  counterfactual::CounterfactualOptions options;
  if (request.to >= 0) options.to = request.to;
  const counterfactual::Counterfactuals found = counterfactual::explain_counterfactually(
      *subject.encoder, *subject.decoder, *subject.classifier, image, subject.causal, options, progress);
  json result = {{"found", found.found[0].item<bool>()}, {"already", found.already[0].item<bool>()}};
  result["images"] = {shown(subject, "original", image),
                      shown(subject, "reconstruction", subject.decoder->decode(found.codes))};
  if (found.found[0].item<bool>()) {
    result["distance"] = found.distance[0].item<double>();
    result["images"].push_back(shown(subject, "counterfactual", subject.decoder->decode(found.moved())));
  }
  return result;
}

json morph_of(const Subject& subject, const at::Tensor& image, const SearchRequest& request,
              const std::optional<counterfactual::KnownCodes>& known, const ProgressCallback& progress) {
  kinds::MorphingOptions options;
  if (request.to >= 0) options.target = subject.class_names[static_cast<std::size_t>(request.to)];
  const kinds::MorphingModels view{*subject.classifier,
                                   {*subject.encoder, *subject.decoder, *known},
                                   nullptr,
                                   nullptr,
                                   subject.causal,
                                   subject.class_names,
                                   subject.seed};
  const kinds::MorphStudy study =
      kinds::study_morphs(view, image, options, /*with_controls=*/false, progress);
  const auto ending = static_cast<counterfactual::Ending>(study.morphs.endings[0].item<std::int64_t>());
  return {{"ending", std::string(counterfactual::name_of(ending))},
          {"iterations", study.morphs.iterations[0].item<std::int64_t>()},
          {"images",
           {shown(subject, "original", image), shown(subject, "reconstruction", study.reconstructions),
            shown(subject, "morph", study.ways.front().after)}}};
}

/// The progress of a search that was stopped, thrown through the method.
struct Stopped {};

}  // namespace

std::string obstacle(const Subject& subject, What what) {
  if (what == What::attribution) return "";
  if (subject.decoder == nullptr) return "this needs a run with a generator";
  if (what == What::counterfactual && subject.causal == 0) return "this needs a run with causal factors";
  return "";
}

json search(const Subject& subject, const SearchRequest& request,
            const std::optional<counterfactual::KnownCodes>& known, const ProgressCallback& progress) {
  const at::Tensor image = data::to_float(subject.test, request.row, 1, subject.classifier->device());
  if (request.what == What::attribution) return attribution_of(subject, image, request, known, progress);
  const at::NoGradGuard no_grad;
  if (request.what == What::counterfactual) return counterfactual_of(subject, image, request, progress);
  return morph_of(subject, image, request, known, progress);
}

Searches::Searches(const std::vector<Subject>& subjects)
    : subjects_(subjects), known_(subjects.size()), thread_([this] { work(); }) {}

Searches::~Searches() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::optional<std::int64_t> Searches::add(const SearchRequest& request) {
  constexpr std::size_t most_waiting = 16;
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= most_waiting) return {};
  entries_[next_] = {request, {{"state", "waiting"}}, false};
  waiting_.push_back(next_);
  forget_old();
  wake_.notify_all();
  return next_++;
}

void Searches::forget_old() {
  constexpr std::size_t kept = 100;
  for (auto each = entries_.begin(); entries_.size() > kept && each != entries_.end();) {
    const std::string& state = each->second.state.at("state").get_ref<const std::string&>();
    each = state == "waiting" || state == "working" ? std::next(each) : entries_.erase(each);
  }
}

json Searches::state(std::int64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(number);
  return found == entries_.end() ? json() : found->second.state;
}

void Searches::stop(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(number); found != entries_.end()) found->second.stopped = true;
}

void Searches::work() {
  while (true) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
    if (ended_) return;
    const std::int64_t number = waiting_.front();
    waiting_.pop_front();
    const SearchRequest request = entries_.at(number).request;
    lock.unlock();
    perform(number, request);
  }
}

void Searches::perform(std::int64_t number, const SearchRequest& request) {
  const auto set = [&](json state) {
    const std::lock_guard lock(mutex_);
    entries_.at(number).state = std::move(state);
  };
  const auto tell = [&](const Progress& step) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_.at(number);
    if (ended_ || entry.stopped) throw Stopped();
    entry.state = {{"state", "working"}, {"stage", step.stage}, {"step", step.step}, {"total", step.total}};
  };
  try {
    tell({"begins", 0, 0, {}});
    const Subject& subject = subjects_[request.subject];
    std::optional<counterfactual::KnownCodes>& known = known_[request.subject];
    const bool needed = request.what == SearchRequest::What::morph ||
                        (request.what == SearchRequest::What::attribution && subject.decoder &&
                         attribution::method(request.method).needs == attribution::Needs::generator);
    if (needed && !known && subject.known) {
      tell({"codes of known images", 0, 0, {}});
      known = subject.known();
    }
    set({{"state", "done"}, {"result", search(subject, request, known, tell)}});
  } catch (const Stopped&) {
    set({{"state", "stopped"}});
  } catch (const std::exception& error) {
    set({{"state", "failed"}, {"error", sentence_of(error)}});
  }
}

}  // namespace whence::serve
