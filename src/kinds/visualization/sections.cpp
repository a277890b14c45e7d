#include "kinds/visualization/visualization.h"

namespace whence::kinds {
namespace {

using visualization::Robustness;

constexpr double kMost = 1e6;

std::vector<std::string_view> parametrization_names() {
  std::vector<std::string_view> names;
  for (const visualization::Parametrization& each : visualization::parametrizations())
    names.push_back(each.name);
  return names;
}

template <class Member, class... Rest>
auto option(Member member, Rest... rest) {
  return config::at(&VisualizationOptions::options, member, rest...);
}

std::vector<config::Key> what_is_shown() {
  using namespace config;
  using O = VisualizationOptions;
  return {{"objectives", Choices{names_to(visualization::Goal::direction), at(&O::objectives)}, "",
           "What pictures are made for: classes (probability, logit), or units of layers (neuron, channel, "
           "layer, direction); an empty "
           "list leaves them out. A direction is what tells a class from the others in a layer."},
          {"layers", Texts{at(&O::layers)}, "",
           "Layers whose units are shown, by name; an empty list takes the last convolution."},
          {"units", Integer{at(&O::units), 1, 100'000}, "channels",
           "Channels shown of each layer: those whose response differs most between images."},
          {"parametrizations", Choices{parametrization_names(), at(&O::parametrizations)}, "",
           "What pictures are made from: pixels, a spectrum (fourier), its phases alone (maco), or codes of "
           "the run's generator "
           "(prior). Each is shown beside a control without regularizers."},
          {"count", Integer{option(&visualization::Options::count), 1, 100}, "pictures",
           "Pictures of each unit and parametrization, from different starts."},
          {"negative", Toggle{at(&O::negative)}, "", "Also pictures of the least response."},
          {"references", Integer{at(&O::references), 2, 1'000'000}, "images",
           "Test images, drawn at random, that pictures are compared with."},
          {"real", Integer{at(&O::real), 0, 12}, "images",
           "Of them shown beside the pictures: those that respond most."},
          {"judge", Toggle{at(&O::judge)}, "",
           "Trains a second classifier like the first, from another seed, and reports what it sees in the "
           "pictures."},
          {"judge_file", Path{at(&O::judge_file)}, "",
           "A classifier of your own that judges instead (.pt2, ONNX or TorchScript)."}};
}

std::vector<config::Key> how_it_is_made() {
  using namespace config;
  using Options = visualization::Options;
  return {{"starts", Integer{option(&Options::starts), 0, 1'000'000}, "",
           "Random starts of each picture, of which the one with the best response is taken. 0: 64 for "
           "the codes of a generator, else 1."},
          {"steps", Integer{option(&Options::steps), 1, 1'000'000}, "", "Steps of Adam."},
          {"learning_rate", Number{option(&Options::learning_rate), 0, kMost}, "",
           "Of the first step; it falls along a cosine. 0 takes the parametrization's own."},
          {"norm", Toggle{at(&VisualizationOptions::norm)}, "",
           "Pictures keep the mean norm of the data, of its own images for a class (Erhan et al. 2009)."},
          {"total_variation", Number{option(&Options::total_variation), 0, kMost}, "",
           "Weight of the total variation (Mahendran and Vedaldi 2015), in standard deviations of the "
           "response over the data."},
          {"gaussian_blur", Number{option(&Options::gaussian_blur), 0, 100}, "pixels",
           "Deviation of a Gaussian blur between steps, on pixels only; 0: none."},
          {"bilateral_blur", Number{option(&Options::bilateral_blur), 0, 20}, "pixels",
           "Deviation of a blur between steps that keeps edges, on pixels only; 0: none."},
          {"bilateral_range", Number{option(&Options::bilateral_range), 0, 10, true}, "",
           "Edges higher than this stay in the bilateral blur."},
          {"blur_every", Integer{option(&Options::blur_every), 1, 1'000'000}, "steps",
           "Steps between two blurs."},
          {"jitter", Number{option(&Options::robustness, &Robustness::jitter), 0, 1000}, "pixels",
           "Each step moves the picture by up to so much along each side."},
          {"rotation", Number{option(&Options::robustness, &Robustness::rotation), 0, 180}, "degrees",
           "Each step turns the picture by up to so much."},
          {"scale", Number{option(&Options::robustness, &Robustness::scale), 0, 0.9}, "share",
           "Each step enlarges or shrinks the picture by up to so much."},
          {"colour", Number{option(&Options::robustness, &Robustness::colour), 0, 1}, "share",
           "Each step changes contrast and brightness by up to so much."},
          {"diversity", Number{option(&Options::diversity), 0, kMost}, "",
           "Weight of the likeness of a unit's pictures, in standard deviations of the response."},
          {"decay", Number{option(&Options::decay), 0, 10}, "",
           "Of a spectrum: frequencies f start and move as 1 / f^decay."},
          {"code_radius", Number{option(&Options::code_radius), 0, 100, true}, "sqrt(latents)",
           "Of a learned prior: the largest norm of a code."},
          {"batch", Integer{option(&Options::batch), 1, 1'000'000}, "images",
           "Pictures that go through the classifier at once."}};
}

}  // namespace

config::Section visualization_section() {
  config::Section section{
      "visualization",
      "Pictures of what classes and units of the classifier respond to most (feature visualization).",
      what_is_shown()};
  for (config::Key& key : how_it_is_made()) section.keys.push_back(std::move(key));
  return section;
}

}  // namespace whence::kinds
