// whence trust: checks that an explanation is one.
#include "kinds/gce/trust.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "cli/texts.h"
#include "kinds/kinds.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::cli {
namespace {

struct TrustArguments {
  ModelArguments models;
  kinds::TrustOptions checks;
  flow::FlowOptions flow;
  bool json = false;
};

std::vector<config::Key> trust_keys() {
  using namespace config;
  using A = TrustArguments;
  using kinds::TrustOptions, flow::FlowOptions;
  return {
      {"with", Text{at(&A::checks, &TrustOptions::other_run)}, "RUN",
       "Another run of the same data, say with another seed"},
      {"randomized", Integer{at(&A::checks, &TrustOptions::randomized), 0, 1000}, "",
       "Classifiers with random weights; 0 leaves them out"},
      {"samples", Pair{at(&A::flow, &FlowOptions::outer), at(&A::flow, &FlowOptions::inner), 2, 1'000'000},
       "", "Draws that measure the flows, if the run has not; of texts always, where given"},
      {"json", Toggle{at(&A::json)}, "", "Prints JSON"}};
}

struct Flows {
  flow::FlowValue alpha, beta;
};

/// As the run has measured them, or measured now.
Flows flows_of(const TrustArguments& arguments, const ModelSet& models) {
  const std::filesystem::path metrics = std::filesystem::path(arguments.models.run) / "metrics.json";
  if (!arguments.models.run.empty() && std::filesystem::exists(metrics)) {
    const nlohmann::json all = read_json(metrics);
    const nlohmann::json::json_pointer key("/gce/information_flow");
    if (all.contains(key))
      return {all.at(key).at("alpha").get<flow::FlowValue>(), all.at(key).at("beta").get<flow::FlowValue>()};
  }
  const flow::FlowReport report = flow::measure_flow(*models.decoder, *models.classifier, models.causal,
                                                     arguments.flow, models.seed, show_progress());
  return {report.alpha, report.beta};
}

/// `subject`: "image" or "text".
void print(const nlohmann::json& trust, const std::string& subject) {
  const auto line = [](const std::string& name, const std::string& value) {
    std::cout << fmt::format("{:<52} {}\n", name, value);
  };
  const auto share = [](const nlohmann::json& value) {
    if (!value.at("value").is_number() || std::isnan(value.at("value").get<double>()))
      return std::string("-");
    return fmt::format("{:6.2f} % +- {:.2f}", 100 * value.at("value").get<double>(),
                       100 * value.at("se").get<double>());
  };
  line("share of the flow in the betas", share(trust.at("leak")));
  line(fmt::format("reconstructions that keep their {}'s answer", subject), share(trust.at("reencoding")));
  const nlohmann::json& random = trust.at("randomization");
  if (random.contains("left_out")) {
    line("randomized classifiers", "left out: " + random.at("left_out").get<std::string>());
  } else {
    const auto flow_of = [](const nlohmann::json& response) {
      return fmt::format("{:6.3f} nats", response.at("alpha").at("nats").get<double>());
    };
    line("flow of alpha, explained classifier", flow_of(random.at("explained")));
    for (const nlohmann::json& each : random.at("randomized"))
      line("flow of alpha, a randomized classifier", flow_of(each));
    line("share of alpha, explained classifier", share(random.at("alpha_share")));
    line("share of alpha, randomized classifiers", share(random.at("randomized_share")));
    line("correlation of their answers", fmt::format("{:6.3f}", random.at("correlation").get<double>()));
    line("the explanation is about this classifier", random.at("passed").get<bool>() ? "yes" : "not shown");
  }
  if (!trust.contains("seeds")) return;
  for (const char* kind : {"alpha", "beta"}) {
    for (const nlohmann::json& match : trust.at("seeds").at(kind)) {
      line(fmt::format("{} is {} of the other run", match.at("factor").get<std::string>(),
                       match.at("other").get<std::string>()),
           fmt::format("correlation {:.3f}", match.at("correlation").get<double>()));
    }
  }
  line("all alphas together",
       fmt::format("correlation {:.3f}", trust.at("seeds").at("alpha_subspace").get<double>()));
}

nlohmann::json checks_of_texts(const TrustArguments& arguments, const CLI::App& command) {
  refuse_for_texts(command, arguments.models, {});
  std::optional<std::pair<std::int64_t, std::int64_t>> samples;
  if (command.count("--samples") > 0) samples = {arguments.flow.outer, arguments.flow.inner};
  return trust_of_texts({.run = arguments.models.run,
                         .texts = {},
                         .count = 0,
                         .threads = arguments.models.threads,
                         .json = arguments.json},
                        arguments.checks, samples);
}

nlohmann::json checks_of_images(const TrustArguments& arguments) {
  const ModelSet models = load_models(arguments.models, true);
  const Flows flows = flows_of(arguments, models);
  return kinds::check_trust(kinds::kinds(),
                            {.encoder = *models.encoder,
                             .decoder = *models.decoder,
                             .classifier = *models.classifier,
                             .test = models.test,
                             .causal = models.causal,
                             .alpha = flows.alpha,
                             .beta = flows.beta,
                             .seed = models.seed},
                            arguments.checks, show_progress());
}

void trust(const TrustArguments& arguments, const CLI::App& command) {
  const bool texts = is_about_texts(arguments.models.run);
  const nlohmann::json result = texts ? checks_of_texts(arguments, command) : checks_of_images(arguments);
  if (arguments.json)
    std::cout << result.dump(2) << "\n";
  else
    print(result, texts ? "text" : "image");
}

}  // namespace

void add_trust(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "trust",
      "Checks an explanation: leaks, re-encoding, randomized classifiers, another run's factors",
      {"trust runs/gce/fmnist-034 --with runs/gce/fmnist-034-seed-1",
       "trust --classifier C.pt --encoder E.pt --decoder D.pt --latents 6 --causal 2 --data fashion-mnist "
       "--classes 0,3,4 --json"});
  auto values = std::make_shared<config::Values>();
  auto& arguments = values->get<TrustArguments>();
  add_model_arguments(*command, arguments.models, true);
  add_flags(*command, trust_keys(), values);
  command->callback(
      [&, values, command] { chosen = [values, &arguments, command] { trust(arguments, *command); }; });
}

}  // namespace whence::cli
