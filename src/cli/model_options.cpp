#include "cli/model_options.h"

#include "cli/options.h"
#include "whence/core/error.h"

namespace whence::cli {
namespace {

void add_classifier_files(CLI::App& command, ModelArguments& a) {
  command
      .add_option("--classifier", a.classifier,
                  "A .pt2, ONNX or TorchScript file: images to logits or probabilities")
      ->type_name("FILE");
  command.add_option("--classifier-output", a.output, "What the classifier file returns")
      ->check(CLI::IsMember({"auto", "logits", "probabilities"}))
      ->capture_default_str();
  command.add_option("--output", a.entry, "Which of several outputs of the classifier file holds the scores")
      ->type_name("NAME");
  command
      .add_option("--label", a.label,
                  "Explains one of several independent labels, by its number from 0: it against its absence")
      ->type_name("N")
      ->check(whole_number(0));
}

void add_classifier_option(CLI::App& command, ModelArguments& a) {
  command.add_option("run", a.run, "A run folder")->type_name("RUN");
  add_classifier_files(command, a);
}

void add_encoder_option(CLI::App& command, ModelArguments& a) {
  command
      .add_option("--encoder", a.encoder, "A .pt2, ONNX or TorchScript file: images to mean and log-variance")
      ->type_name("FILE");
}

void add_decoder_options(CLI::App& command, ModelArguments& a) {
  command.add_option("--decoder", a.decoder, "A .pt2, ONNX or TorchScript file: latents to images")
      ->type_name("FILE");
  command.add_option("--latents", a.latents, "How many latents the decoder takes")
      ->type_name("N")
      ->check(whole_number(1));
}

void add_data_options(CLI::App& command, ModelArguments& a) {
  command
      .add_option("--data", a.data,
                  "A known data set, or a folder of your own: IDX files, CIFAR batches or pictures")
      ->type_name("SET|DIR");
  command.add_option("--classes", a.classes, "Labels to use, in the classifier's order, such as 0,3,4")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(whole_number(0))
      ->type_name("LABELS");
}

void add_common_options(CLI::App& command, ModelArguments& a) {
  command.add_option("--seed", a.seed, "Of the random draws; a run folder has its own")
      ->check(whole_number(0))
      ->capture_default_str();
  command.add_option("--threads", a.threads, "0 uses every core")->check(whole_number(0));
  command
      .add_option(
          "--device", a.device,
          "Where a run folder's networks compute, cpu, cuda or cuda:1 (default: where its recipe says)")
      ->type_name("DEVICE");
}

models::ClassifierOutput output_of(const std::string& name) {
  if (name == "logits") return models::ClassifierOutput::logits;
  return name == "probabilities" ? models::ClassifierOutput::probabilities
                                 : models::ClassifierOutput::automatic;
}

}  // namespace

void add_model_arguments(CLI::App& command, ModelArguments& a, bool images) {
  add_classifier_option(command, a);
  if (images) add_encoder_option(command, a);
  add_decoder_options(command, a);
  command.add_option("--causal", a.causal, "How many of them, the first, are causal")
      ->type_name("K")
      ->check(whole_number(1));
  if (images) add_data_options(command, a);
  add_common_options(command, a);
}

void add_classifier_arguments(CLI::App& command, ModelArguments& a, bool pictures) {
  add_classifier_option(command, a);
  add_data_options(command, a);
  if (pictures) add_picture_option(command, a);
  add_common_options(command, a);
}

void add_generator_arguments(CLI::App& command, ModelArguments& a) {
  add_classifier_option(command, a);
  add_encoder_option(command, a);
  add_decoder_options(command, a);
  add_data_options(command, a);
  add_common_options(command, a);
}

void add_explored_files(CLI::App& command, ModelArguments& a) {
  add_classifier_files(command, a);
  add_generator_files(command, a);
  command.add_option("--causal", a.causal, "How many of the generator's latents, the first, are causal")
      ->type_name("K")
      ->check(whole_number(1));
  add_data_options(command, a);
  add_common_options(command, a);
}

void add_generator_files(CLI::App& command, ModelArguments& a) {
  command
      .add_option("--encoder", a.encoder, "A .pt2, ONNX or TorchScript file: images to mean and log-variance")
      ->type_name("FILE");
  command.add_option("--decoder", a.decoder, "A .pt2, ONNX or TorchScript file: latents to images")
      ->type_name("FILE");
}

void add_autoencoder_arguments(CLI::App& command, ModelArguments& a) {
  add_classifier_option(command, a);
  add_generator_files(command, a);
  command
      .add_option("--independent", a.independent,
                  "Another classifier's file, which judges what was found; a run folder may have its own")
      ->type_name("FILE");
  add_data_options(command, a);
  add_picture_option(command, a);
  add_common_options(command, a);
}

void add_picture_option(CLI::App& command, ModelArguments& a) {
  command.add_option("--picture", a.pictures, "A PNG or JPEG file instead of test images; may be repeated")
      ->type_name("FILE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

void add_text_option(CLI::App& command, ModelArguments& a) {
  command.add_option("--text", a.texts, "A text of your own, for a run about texts; may be repeated")
      ->type_name("TEXT")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

void add_image_choice(CLI::App& command, std::vector<std::int64_t>& images, std::int64_t& count) {
  command.add_option("--images", images, "Test images by number, such as 3,17 (default: --count)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(whole_number(0))
      ->type_name("NUMBERS");
  command.add_option("--count", count, "How many test images, drawn at random; 0 takes all")
      ->check(whole_number(0))
      ->capture_default_str();
}

void refuse_beside_run(const ModelArguments& a) {
  if (a.run.empty()) {
    if (!a.device.empty()) fail_usage("--device is for a run folder; model files compute on the processor");
    return;
  }
  const std::pair<bool, const char*> given[] = {{!a.data.empty(), "--data"},
                                                {!a.classes.empty(), "--classes"},
                                                {!a.independent.empty(), "--independent"},
                                                {!a.entry.empty(), "--output"},
                                                {a.label >= 0, "--label"},
                                                {a.latents != 0, "--latents"},
                                                {a.causal != 0, "--causal"}};
  for (const auto& [is_given, option] : given)
    if (is_given) fail_usage("{} is for model files; a run folder has its own", option);
}

void check_choice(const ModelArguments& a) {
  if (!a.pictures.empty() && !a.data.empty()) fail_usage("give either --data or --picture, not both");
  const bool files = !(a.classifier.empty() && a.encoder.empty() && a.decoder.empty());
  if (!a.run.empty() && files) fail_usage("give either a run folder or model files, not both");
  refuse_beside_run(a);
}

void check_arguments(const ModelArguments& a, bool images) {
  check_choice(a);
  if (!a.run.empty()) return;
  const std::string needed = images ? "--classifier, --encoder, --decoder, --data, --latents and --causal"
                                    : "--classifier, --decoder, --latents and --causal";
  const bool complete = !a.classifier.empty() && !a.decoder.empty() && a.latents > 0 && a.causal > 0 &&
                        (!images || (!a.encoder.empty() && !(a.data.empty() && a.pictures.empty())));
  if (!complete) fail_usage("give a run folder, or all of {}", needed);
  if (a.causal > a.latents)
    fail_usage("--causal is {}, but the decoder has only {} latents", a.causal, a.latents);
}

models::ClassifierReading reading_of(const ModelArguments& a) {
  models::ClassifierReading reading = output_of(a.output);
  reading.entry = a.entry;
  if (a.label >= 0) reading.label = a.label;
  return reading;
}

}  // namespace whence::cli
