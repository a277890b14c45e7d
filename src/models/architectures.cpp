#include "whence/models/architectures.h"

namespace whence::models {
namespace {

using enum ParafitaSet;

nn::Network make_base_cnn(const ClassifierRequest& request) {
  BaseCnnOptions options{.image = request.image, .classes = request.classes};
  if (request.width != 0) options.width = request.width;
  options.channel_dropout = request.channel_dropout;
  return base_cnn(options);
}

template <nn::Network (*make)(const ClassifierShape&)>
nn::Network make_classifier(const ClassifierRequest& request) {
  return make({request.image, request.classes, request.width});
}

template <ParafitaSet set>
nn::Network make_parafita_cnn(const ClassifierRequest& request) {
  return parafita_cnn(set, {request.image, request.classes, request.width});
}

template <bool batch_norm>
CvaeOptions cvae_options(const AutoencoderShape& shape) {
  CvaeOptions options{.image = shape.image, .latents = shape.latents, .batch_norm = batch_norm};
  if (shape.width != 0) options.width = shape.width;
  return options;
}
template <bool batch_norm>
nn::Network make_cvae_encoder(const AutoencoderShape& shape) {
  return cvae_encoder(cvae_options<batch_norm>(shape));
}
template <bool batch_norm>
nn::Network make_cvae_decoder(const AutoencoderShape& shape) {
  return cvae_decoder(cvae_options<batch_norm>(shape));
}

template <ParafitaSet set>
nn::Network make_parafita_encoder(const AutoencoderShape& shape) {
  return parafita_encoder(set, shape);
}
template <ParafitaSet set>
nn::Network make_parafita_decoder(const AutoencoderShape& shape) {
  return parafita_decoder(set, shape);
}

}  // namespace

std::span<const ClassifierArchitecture> classifier_architectures() {
  static constexpr ClassifierArchitecture all[] = {
      {"base-cnn", "Two convolutions and two linear layers: the classifier of O'Shaughnessy et al. 2020.", 32,
       make_base_cnn},
      {"mean-intensity",
       "The mean of all pixels and a linear layer: the poor model of anonymous 2021a (table 2).", 0,
       make_classifier<mean_intensity>},
      {"resnet", "Three residual blocks (anonymous 2021b, A.1.2).", 16, make_classifier<small_resnet>},
      {"densenet", "One block of three dense layers (anonymous 2021b, A.1.3); its width is the growth rate.",
       16, make_classifier<small_densenet>},
      {"inception", "One block of four branches (anonymous 2021b, A.1.4); widths are multiples of 8.", 64,
       make_classifier<small_inception>},
      {"vgg11",
       "VGG-11 with batch norm for images from 32x32 on (Simonyan & Zisserman 2015; anonymous 2021a).", 64,
       make_classifier<vgg11>},
      {"parafita-mnist", "CNN of Parafita 2018 for MNIST and notMNIST (listing C.1).", 16,
       make_parafita_cnn<mnist>},
      {"parafita-fashion", "CNN of Parafita 2018 for FashionMNIST (listing C.3).", 32,
       make_parafita_cnn<fashion_mnist>},
      {"parafita-cifar", "CNN of Parafita 2018 for CIFAR-10 (listing C.5).", 64, make_parafita_cnn<cifar10>},
  };
  return all;
}

std::span<const AutoencoderArchitecture> autoencoder_architectures() {
  static constexpr AutoencoderArchitecture all[] = {
      {"cvae",
       "Three convolutions each way: the generator of O'Shaughnessy et al. 2020; sides are multiples of 4.",
       64, make_cvae_encoder<false>, make_cvae_decoder<false>},
      {"cvae-bn", "The same with a batch norm after each convolution (anonymous 2021b).", 64,
       make_cvae_encoder<true>, make_cvae_decoder<true>},
      {"cifar-cvae", "The larger CVAE of anonymous 2021a for CIFAR-10 (table 4); sides are multiples of 8.",
       128, cifar_cvae_encoder, cifar_cvae_decoder},
      {"parafita-mnist", "VAE of Parafita 2018 for MNIST and notMNIST (listing C.2).", 16,
       make_parafita_encoder<mnist>, make_parafita_decoder<mnist>},
      {"parafita-fashion", "VAE of Parafita 2018 for FashionMNIST (listing C.4).", 32,
       make_parafita_encoder<fashion_mnist>, make_parafita_decoder<fashion_mnist>},
      {"parafita-cifar", "VAE of Parafita 2018 for CIFAR-10 (listing C.6).", 64,
       make_parafita_encoder<cifar10>, make_parafita_decoder<cifar10>},
      {"beta-vae", "The beta-VAE of Besserve et al. 2020 (table 1); even sides of at least 8.", 16,
       beta_vae_encoder, beta_vae_decoder},
      {"dcgan", "The DCGAN of Besserve et al. 2020 (table 1) with an encoder that mirrors it.", 16,
       dcgan_encoder, dcgan_decoder},
      {"dcgan-upsampling",
       "The same with nearest-neighbour upsampling, which leaves no checkerboard. The best of these for a "
       "GAN.",
       16, upsampling_encoder, upsampling_decoder},
      {"linear-path",
       "Convolutions beside a linear layer that starts as principal components: for colour images. Sides are "
       "multiples of 4.",
       32, linear_path_encoder, linear_path_decoder},
  };
  return all;
}

}  // namespace whence::models
