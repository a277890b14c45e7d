#include "kinds/modules/study.h"

#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/evaluation/features.h"

namespace whence::kinds {
namespace {

using namespace modularity;

/// Factors that the channels of a module are scaled by.
const std::vector<double> kFactors = {0, 0.5, 1, 1.5, 2};
/// Images that are encoded at most.
constexpr std::int64_t kMostImages = 4096;

ModulesOptions with_one_budget(ModulesOptions options) {
  options.influence.memory_bytes = options.measures.memory_bytes = options.effect.memory_bytes =
      options.memory_bytes;
  return options;
}

void check_encoder(const StudiedModels& models, const Cut& cut) {
  if (models.encoder->latents() != cut.latents())
    fail("the encoder has {} latents and the decoder {}; they must belong to one model",
         models.encoder->latents(), cut.latents());
  const auto size = models.images.sizes().slice(1);
  if (size != at::IntArrayRef(cut.image()))
    fail("the encoder's images are {}, but the decoder makes images of {}; they must belong to one model",
         fmt::join(size, "x"), fmt::join(cut.image(), "x"));
}

struct Found {
  InfluenceMaps maps;
  std::vector<RankStability> ranks;
};

Found maps_of(const Cut& exact, const Originals& originals, const ModulesOptions& options, std::uint64_t seed,
              const ProgressCallback& progress) {
  Generator of_pairs = make_generator(seed, "modules/pairs"),
            of_halves = make_generator(seed, "modules/halves");
  const Cut cut(exact.network(), exact.layer(), options.precision);
  Found found{influence_maps_within(options.map_error, cut, originals, options.pairs, options.influence,
                                    of_pairs, progress),
              {}};
  found.ranks = rank_stability(found.maps, std::max(options.largest, options.rank), options.divisions,
                               options.grouping, of_halves);
  return found;
}

Modules modules_in(const InfluenceMaps& maps, std::int64_t rank, const ModulesOptions& options,
                   std::uint64_t seed) {
  Generator generator = make_generator(seed, "modules/factorization");
  return find_modules(maps.all(), rank, options.grouping, generator);
}

using Visit = std::function<void(const SwappedImages&)>;

Modularity measured(const Cut& cut, const Modules& modules, const Originals& originals,
                    const ModulesOptions& options, std::uint64_t seed, const Visit& visit,
                    const ProgressCallback& progress) {
  Generator generator = make_generator(seed, "modules/measures");
  const Pairs pairs = draw_pairs(originals, options.measured, generator);
  return measure_modularity(cut, modules, pairs, options.measures, generator, visit, progress);
}

/// Nothing where the classifier has no layer whose values can be compared.
std::optional<models::Features> features_of(const models::Classifier* classifier) {
  if (classifier == nullptr || !models::Features::exist(*classifier)) return {};
  return models::Features(*classifier);
}

/// Fills the measures of a study that need the hybrids of the generator itself.
void measure_hybrids(ModuleStudy& study, const StudiedModels& models, const Cut& cut,
                     const StudiedOriginals& originals, const ModulesOptions& options, std::uint64_t seed,
                     const ProgressCallback& progress) {
  std::optional<ReencodingSums> reencoding;
  if (originals.encoded) reencoding.emplace(*models.encoder, *models.decoder);
  const std::optional<models::Features> features = features_of(models.classifier);
  std::optional<DistanceSums> distances;
  if (features) distances.emplace(*features, study.modules);
  const auto visit = [&](const SwappedImages& images) {
    if (reencoding) reencoding->add(images);
    if (distances) distances->add(images);
  };
  study.measured = measured(cut, study.modules, originals.measured, options, seed, visit, progress);
  if (reencoding) study.reencoding = reencoding->result();
  if (!distances) return;
  Generator generator = make_generator(seed, "modules/samples");
  study.distances =
      distances->result(models.images, cut.images(originals.found(options.measured, generator)));
}

Agreement halves_of(const std::vector<RankStability>& ranks, std::int64_t rank) {
  for (const RankStability& each : ranks)
    if (each.rank == rank) return each.halves;
  return {1, 1};  // one module
}

/// Its originals come from N(0, I): the codes of images mean nothing to it.
UntrainedControl untrained_control(const Cut& cut, std::int64_t rank, const ModulesOptions& options,
                                   std::uint64_t seed, const ProgressCallback& progress) {
  Generator generator = make_generator(seed, "modules/untrained");
  const Cut fresh(untrained(cut.network(), generator), cut.layer());
  const Originals prior = from_prior(cut.latents());
  const Found found = maps_of(fresh, prior, options, seed, progress);
  const Modules modules = modules_in(found.maps, rank, options, seed);
  return {measured(fresh, modules, prior, options, seed, {}, progress), halves_of(found.ranks, rank)};
}

flow::FlowValue mean_flow(const std::vector<Effect>& effects, std::size_t first, std::size_t count) {
  flow::FlowValue mean;
  for (std::size_t i = first; i < first + count; ++i)
    mean.nats += effects[i].flow.nats / static_cast<double>(count);
  // Between sets: they differ by more than each is unsure.
  double squares = 0;
  for (std::size_t i = first; i < first + count; ++i)
    squares += std::pow(effects[i].flow.nats - mean.nats, 2);
  if (count > 1) mean.se = std::sqrt(squares / static_cast<double>(count * (count - 1)));
  return mean;
}

/// Sets of channels whose effect is measured: the modules, for each of them random sets of its size, all channels together, each alone.
std::vector<Channels> sets_to_swap(const Modules& modules, std::int64_t random_sets, bool of_channels,
                                   at::Generator& generator) {
  const std::int64_t channels = std::ssize(modules.labels);
  std::vector<Channels> sets;
  for (std::int64_t m = 0; m < modules.rank(); ++m) sets.push_back(modules.channels_of(m));
  for (std::int64_t m = 0; m < modules.rank(); ++m)
    for (std::int64_t i = 0; i < random_sets; ++i)
      sets.push_back(random_channels(channels, std::ssize(sets[static_cast<std::size_t>(m)]), generator));
  sets.push_back(random_channels(channels, channels, generator));
  if (of_channels)
    for (std::int64_t k = 0; k < channels; ++k) sets.push_back({k});
  return sets;
}

LayerEffects effects_of(const Cut& cut, const StudiedModels& models, const Modules& modules,
                        const Originals& originals, const ModulesOptions& options, std::uint64_t seed,
                        const ProgressCallback& progress) {
  Generator generator = make_generator(seed, "modules/flow");
  const std::vector<Channels> sets =
      sets_to_swap(modules, options.measures.random_sets, options.of_channels, generator);
  const std::vector<Effect> found =
      effects(cut, *models.classifier, sets, originals, options.effect, generator, progress);
  const auto rank = static_cast<std::size_t>(modules.rank()),
             random = static_cast<std::size_t>(options.measures.random_sets), all = rank * (1 + random);
  const std::vector<ScaledAnswers> scaled =
      scaled_answers(cut, *models.classifier, {sets.begin(), sets.begin() + modules.rank()},
                     originals(options.measured, generator), kFactors, options.memory_bytes);
  LayerEffects result;
  for (std::size_t m = 0; m < rank; ++m)
    result.modules.push_back({found[m], mean_flow(found, rank + m * random, random), scaled[m]});
  result.all = found[all];
  for (std::size_t k = all + 1; k < found.size(); ++k) result.channels.push_back(found[k].flow);
  flow::FlowOptions of_latents;
  of_latents.outer = options.effect.outer;
  of_latents.inner = options.effect.inner;
  of_latents.memory_bytes = options.memory_bytes;
  result.latents = flow::shared_flows(*models.decoder, *models.classifier, of_latents, seed);
  return result;
}

}  // namespace

at::Tensor images_to_encode(const data::Dataset& test, std::uint64_t seed) {
  Generator generator = make_generator(seed, "modules/images");
  const at::Tensor order = at::randperm(test.size(), generator, at::kLong);
  return data::to_float(test, order.narrow(0, 0, std::min(test.size(), kMostImages)));
}

StudiedOriginals originals_of(const StudiedModels& models, const Cut& cut, OriginalSource source) {
  if (models.encoder == nullptr || !models.images.defined() || source == OriginalSource::prior)
    return {from_prior(cut.latents()), from_prior(cut.latents()), false};
  check_encoder(models, cut);
  const std::int64_t images = models.images.size(0);
  if (images < 4) fail("modules need 4 or more images to encode, but there are {}", images);
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> codes;
  flow::for_batches(images, flow::kBatch, [&](std::int64_t first, std::int64_t count) {
    codes.push_back(models.encoder->encode(models.images.narrow(0, first, count)).mean);
  });
  const at::Tensor all = at::cat(codes);
  return {from_codes(all.narrow(0, 0, images / 2)),
          from_codes(all.narrow(0, images / 2, images - images / 2)), true};
}

ModuleStudy study_modules(const StudiedModels& models, const ModulesOptions& asked, std::uint64_t seed,
                          const ProgressCallback& progress) {
  const ModulesOptions options = with_one_budget(asked);
  const Cut cut(*models.decoder, options.layer);
  if (options.rank > cut.channels())
    fail_usage("{} modules were asked of {} channels; give 1 to {}", options.rank, cut.channels(),
               cut.channels());
  if (cut.channels() < 2) fail_usage("layer '{}' has one channel, which makes no modules", cut.layer());
  const StudiedOriginals originals = originals_of(models, cut, options.source);
  const Found found = maps_of(cut, originals.found, options, seed, progress);
  const std::int64_t rank = options.rank > 0 ? options.rank : stable_rank(found.ranks);
  ModuleStudy study{.layer = cut.layer(),
                    .encoded = originals.encoded,
                    .pairs = found.maps.pairs(),
                    .relative_error = found.maps.relative_error(),
                    .ranks = found.ranks,
                    .modules = modules_in(found.maps, rank, options, seed),
                    .measured = {},
                    .untrained = {},
                    .reencoding = {},
                    .distances = {},
                    .effects = {}};
  measure_hybrids(study, models, cut, originals, options, seed, progress);
  if (options.untrained) study.untrained = untrained_control(cut, rank, options, seed, progress);
  if (models.classifier != nullptr)
    study.effects = effects_of(cut, models, study.modules, originals.measured, options, seed, progress);
  return study;
}

void save_modules(const Modules& modules, const std::filesystem::path& file) {
  nn::save_safetensors(file, {{"maps", modules.maps.to(at::kFloat).contiguous()},
                              {"binary", modules.binary.to(at::kFloat).contiguous()},
                              {"weights", modules.weights.to(at::kFloat).contiguous()},
                              {"templates", modules.templates.to(at::kFloat).contiguous()},
                              {"labels", at::tensor(modules.labels, at::kLong)}});
}

Modules load_modules(const std::filesystem::path& file) {
  Modules modules;
  for (const nn::NamedTensor& entry : nn::load_safetensors(file).tensors) {
    const at::Tensor& tensor = entry.tensor;
    if (entry.name == "maps") modules.maps = tensor;
    if (entry.name == "binary") modules.binary = tensor;
    if (entry.name == "weights") modules.weights = tensor;
    if (entry.name == "templates") modules.templates = tensor;
    if (entry.name == "labels")
      modules.labels.assign(tensor.data_ptr<std::int64_t>(),
                            tensor.data_ptr<std::int64_t>() + tensor.numel());
  }
  if (!modules.maps.defined() || !modules.templates.defined() || modules.labels.empty())
    fail("{} holds no modules", file.string());
  return modules;
}

}  // namespace whence::kinds
