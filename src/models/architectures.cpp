#include "whence/models/architectures.h"

namespace whence::models {
namespace {

using enum PathmaskSet;

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

template <PathmaskSet set>
nn::Network make_pathmask_cnn(const ClassifierRequest& request) {
  return pathmask_cnn(set, {request.image, request.classes, request.width});
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

template <PathmaskSet set>
nn::Network make_pathmask_encoder(const AutoencoderShape& shape) {
  return pathmask_encoder(set, shape);
}
template <PathmaskSet set>
nn::Network make_pathmask_decoder(const AutoencoderShape& shape) {
  return pathmask_decoder(set, shape);
}

}  // namespace

std::span<const ClassifierArchitecture> classifier_architectures() {
  static constexpr ClassifierArchitecture all[] = {
      {"base-cnn", "Two convolutions and two linear layers: the classifier of the GCE texts.", 32,
       make_base_cnn},
      {"mean-intensity", "The mean of all pixels and a linear layer: the poor model of GCE-A (table 2).", 0,
       make_classifier<mean_intensity>},
      {"resnet", "Three residual blocks (GCE-B, A.1.2).", 16, make_classifier<small_resnet>},
      {"densenet", "One block of three dense layers (GCE-B, A.1.3); its width is the growth rate.", 16,
       make_classifier<small_densenet>},
      {"inception", "One block of four branches (GCE-B, A.1.4); widths are multiples of 8.", 64,
       make_classifier<small_inception>},
      {"vgg11", "VGG-11 with batch norm for images from 32x32 on (Simonyan & Zisserman 2015; GCE-A).", 64,
       make_classifier<vgg11>},
      {"pathmask-mnist", "PATHMASK's CNN for MNIST and notMNIST (listing C.1).", 16,
       make_pathmask_cnn<mnist>},
      {"pathmask-fashion", "PATHMASK's CNN for FashionMNIST (listing C.3).", 32,
       make_pathmask_cnn<fashion_mnist>},
      {"pathmask-cifar", "PATHMASK's CNN for CIFAR-10 (listing C.5).", 64, make_pathmask_cnn<cifar10>},
  };
  return all;
}

std::span<const AutoencoderArchitecture> autoencoder_architectures() {
  static constexpr AutoencoderArchitecture all[] = {
      {"cvae", "Three convolutions each way: the generator of the GCE texts; sides are multiples of 4.", 64,
       make_cvae_encoder<false>, make_cvae_decoder<false>},
      {"cvae-bn", "The same with a batch norm after each convolution (GCE-B).", 64, make_cvae_encoder<true>,
       make_cvae_decoder<true>},
      {"cifar-cvae", "The larger CVAE of GCE-A for CIFAR-10 (table 4); sides are multiples of 8.", 128,
       cifar_cvae_encoder, cifar_cvae_decoder},
      {"pathmask-mnist", "PATHMASK's VAE for MNIST and notMNIST (listing C.2).", 16,
       make_pathmask_encoder<mnist>, make_pathmask_decoder<mnist>},
      {"pathmask-fashion", "PATHMASK's VAE for FashionMNIST (listing C.4).", 32,
       make_pathmask_encoder<fashion_mnist>, make_pathmask_decoder<fashion_mnist>},
      {"pathmask-cifar", "PATHMASK's VAE for CIFAR-10 (listing C.6).", 64, make_pathmask_encoder<cifar10>,
       make_pathmask_decoder<cifar10>},
  };
  return all;
}

}  // namespace whence::models
