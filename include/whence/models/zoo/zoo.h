// The architectures of the papers, each declared as a Network. Weights are not yet initialised. architectures.h
// finds them by name.
//
// Classifiers end in logits, without the softmax that the papers draw as their last layer. Errors (usage) of each:
// images that do not fit (the sentence says which do), no classes or latents, a width that cannot be.
#pragma once

#include <cstdint>

#include "whence/nn/graph/network.h"

namespace whence::models {

/// Conv 1->32 3x3, ReLU, Conv 32->64 3x3, ReLU, MaxPool 2, Dropout, Linear 9216->128, ReLU, Dropout
/// 0.5, Linear 128->M (logits). O'Shaughnessy et al. 2020; Verhoeven et al. 2021 table 2.
struct BaseCnnOptions {
  nn::Shape image = {1, 28, 28};
  std::int64_t classes = 2;
  /// Channels of the first convolution; the second has twice as many, the hidden layer four times.
  std::int64_t width = 32;
  /// After the pooling: whole channels with 0.25 (anonymous 2021b) or elements with 0.5 (anonymous 2021a, Verhoeven et al. 2021).
  bool channel_dropout = true;
};
/// Images of at least 6x6.
nn::Network base_cnn(const BaseCnnOptions& options);

/// Options of the other classifiers.
struct ClassifierShape {
  nn::Shape image = {1, 28, 28};
  std::int64_t classes = 2;
  std::int64_t width = 0;  ///< channels, as each architecture says; 0: the paper's
};

/// anonymous 2021a table 2, the poor model: the mean of all pixels (and colours), Linear 1->M. Has no width.
nn::Network mean_intensity(const ClassifierShape& shape);

/// anonymous 2021b A.1.2 after He et al. 2016. Conv 3x3 to w = 16 channels, BN, ReLU; three residual blocks of w channels (Conv
/// 3x3, BN, ReLU, Conv 3x3, BN, plus the block's input, ReLU); average over the map; Linear. All convolutions keep the
/// size (padding 1) and have no bias: a BN follows. Images of any size.
nn::Network small_resnet(const ClassifierShape& shape);

/// anonymous 2021b A.1.3 after Huang et al. 2017 with growth rate w = 16 (the paper states no channels; bottleneck and first
/// convolution have 2 w as in Huang et al.). Conv 3x3; one block of three dense layers (BN, ReLU, Conv 1x1 to 2 w, BN,
/// ReLU, Conv 3x3 to w, concatenated to the layer's input); transition (BN, ReLU, Conv 1x1 to half the channels,
/// AvgPool 2); BN, ReLU; average over the map; Linear. Images of at least 2x2.
nn::Network small_densenet(const ClassifierShape& shape);

/// anonymous 2021b A.1.4 after Szegedy et al. 2015. Conv 3x3 to w = 64 channels, BN, ReLU; one block of four branches (1x1 to w/4;
/// 1x1 to w/2, 3x3 to w/2; 1x1 to w/4, 5x5 to w/8; MaxPool 3, 1x1 to w/8), concatenated to w channels; MaxPool 2;
/// average over the map; Linear. The paper states w only; the branches' shares and a BN behind each of their
/// convolutions, too, are ours. w is a multiple of 8; images of at least 2x2.
nn::Network small_inception(const ClassifierShape& shape);

/// VGG-11: column A of table 1 in Simonyan & Zisserman 2015 (3x3 convolutions to w, 2w, 4w, 4w, 8w, 8w, 8w, 8w with
/// w = 64; MaxPool 2 behind the 1st, 2nd, 4th, 6th and 8th) with BN before each ReLU, as the version for CIFAR-10 that
/// anonymous 2021a took (its reference 12). 32x32 images leave a map of 1x1, so the two hidden layers have 8w features instead of
/// 4096, and no Dropout: the batch norms do its work. Larger maps are averaged. Images of at least 32x32.
nn::Network vgg11(const ClassifierShape& shape);

/// The data sets that Parafita's (2018) listings C.1 to C.6 are for; notMNIST's networks are MNIST's.
enum class ParafitaSet { mnist, fashion_mnist, cifar10 };

/// Parafita 2018 listings C.1, C.3 and C.5, for any number of classes; w = 16, 32, 64 channels in the first convolution, all
/// others in the listing's proportions. Images of at least 13x13, 13x13 and 24x24.
nn::Network parafita_cnn(ParafitaSet set, const ClassifierShape& shape);

/// The convolutional VAE of O'Shaughnessy et al. 2020 (Verhoeven et al. 2021, table 3). The texts state it for 28x28; every H x W whose sides are
/// multiples of 4 works: the encoder halves the image twice and its padded third convolution keeps the map of
/// H/4 x W/4, from which the decoder's H/4 + 1, H/2 and H follow. Errors (usage): other sizes, no latents, no
/// width.
struct CvaeOptions {
  nn::Shape image = {1, 28, 28};
  std::int64_t latents = 6;  ///< K + L
  std::int64_t width = 64;   ///< channels of every convolution
  bool batch_norm =
      false;  ///< CVAE-BN ("CVAEImageNet", anonymous 2021b): behind every convolution, also the last one
};
/// x -> outputs "mean", "log_variance".
nn::Network cvae_encoder(const CvaeOptions& options);
/// z -> image in [0, 1] (last layer Sigmoid).
nn::Network cvae_decoder(const CvaeOptions& options);

/// Options of the other autoencoders. Encoders have the outputs "mean" and "log_variance", decoders end in Sigmoid.
struct AutoencoderShape {
  nn::Shape image = {3, 32, 32};
  std::int64_t latents = 64;  ///< K + L
  std::int64_t width = 0;     ///< channels of the first convolution; 0: the paper's
  /// Of Parafita's (2018) hidden features, as its listings have it; 0: none. Others have none.
  double dropout = 0.5;
};

/// anonymous 2021a table 4, with w = 128 channels first and 2w later. Encoder: convolutions to w (3x3, stride 2), w (3x3), 2w (4x4,
/// stride 2), 2w (4x4), 2w (4x4, stride 2), all with padding 1: 32 -> 16, 16, 8, 7, 3, so that the table's Linear 512
/// gets 3*3*2w values; it and its ReLU stand once before the mean and once before the log-variance. Decoder: the table's
/// Linear of 2*16*256 values is not a square map of 256 channels, but it is 4w = 512 channels of 4x4 (2 x 256 x 16), from
/// which its transposed convolutions (3x3, padding 1; to 2w, 2w, w, w and the image's channels, every other one doubling
/// the sides) give 8, 8, 16, 16, 32: all numbers of the table stand, only the first transposed convolution takes 512
/// channels. Sides are multiples of 8 from 16 on (the decoder starts at an eighth).
nn::Network cifar_cvae_encoder(const AutoencoderShape& shape);
nn::Network cifar_cvae_decoder(const AutoencoderShape& shape);

/// Parafita 2018 listings C.2, C.4 and C.6 (there 100 latents); w = 16, 32, 64. The second of the heads, "std" there, gives the
/// log-variance here. Sides of 13, 16, .. 28, ..; 19, 22, .. 28, ..; 26, 32, ..: where decoder and encoder close.
nn::Network parafita_encoder(ParafitaSet set, const AutoencoderShape& shape);
nn::Network parafita_decoder(ParafitaSet set, const AutoencoderShape& shape);

/// Besserve et al. 2020, table 1 and figure 5: a linear layer makes the coarsest map, each further layer doubles its sides, the last one
/// gives the image. The table's numbers close so. beta-VAE, 64 x 64: 64 channels of 4 x 4 (not counted among its maps of 8, 16,
/// 32, 64), then 64, 32, 16 and the image's 3; 32 x 32: 64 channels of 4 x 4, then 32, 16, 3. DCGAN, 64 x 64: 128 channels of
/// 4 x 4, then 64, 32, 16, 3; 32 x 32: as the beta-VAE. So a map has w = 16 channels before the image and twice as many each
/// level down, up to 4 w (beta-VAE) or 8 w (DCGAN). The paper has 128 and 150 latents. Images of other sizes are halved
/// while their sides stay even and maps at least 4 x 4. The paper states no kernels; as in Radford et al. 2016, which it follows,
/// transposed convolutions have 4 x 4 kernels and stride 2, a BN and a ReLU follow all but the last, whose Sigmoid is their
/// Tanh in [0, 1]. Encoders mirror the decoder, with leaky ReLUs of slope 0.2. Even sides of at least 8.
nn::Network beta_vae_encoder(const AutoencoderShape& shape);
nn::Network beta_vae_decoder(const AutoencoderShape& shape);
nn::Network dcgan_encoder(const AutoencoderShape& shape);
nn::Network dcgan_decoder(const AutoencoderShape& shape);

/// Ours: the DCGAN with nearest-neighbour upsampling and 3 x 3 convolutions instead of transposed convolutions, whose
/// overlapping kernels leave a checkerboard (Odena et al. 2016, "Deconvolution and checkerboard artifacts").
nn::Network upsampling_encoder(const AutoencoderShape& shape);
nn::Network upsampling_decoder(const AutoencoderShape& shape);

/// Ours, for colour images, whose many small variations convolutions learn slowly: a linear layer beside the convolutions.
/// Encoder: convolutions (3 x 3, stride 2) to w = 32, 2 w and 4 w channels, and a linear layer, give the log-variance; the same
/// convolutions through another linear layer ("bent") plus a linear layer of the pixels ("linear"), times constants ("mean"),
/// give the mean. Decoder: the code times constants ("scale"); a linear layer to 4 w channels of H/8 x W/8 and three sub-pixel
/// convolutions (Shi et al. 2016; 3 x 3) to 2 w, w and the image's channels, plus a linear layer to the image ("linear"), clamped to
/// [0, 1]. start_linear_path gives the linear layers principal components. Sides are multiples of 4; where they are none of 8, there is one
/// convolution less on each side.
nn::Network linear_path_encoder(const AutoencoderShape& shape);
nn::Network linear_path_decoder(const AutoencoderShape& shape);

struct DiscriminatorOptions {
  nn::Shape image = {3, 64, 64};
  std::int64_t width = 0;  ///< channels of the first convolution; 0: 32
  /// Behind every convolution but the first (Radford et al. 2016); not with spectral norm.
  bool batch_norm = true;
  std::int64_t scores = 1;  ///< M: one for each class, where images are judged as images of a class
};
/// Image -> scores (M), large for real images: 4 x 4 convolutions of stride 2 to w, 2 w, 4 w, 8 w channels as long as maps can be
/// halved, each with a leaky ReLU of slope 0.2, then a linear layer. Even sides of at least 8.
nn::Network dcgan_discriminator(const DiscriminatorOptions& options);

struct TranslatorOptions {
  nn::Shape image = {1, 28, 28};
  std::int64_t classes = 2;
  std::int64_t width = 0;   ///< channels of the first convolution; 0: 32
  std::int64_t blocks = 2;  ///< residual blocks at a quarter of the sides
};
/// Translator::translate's network, after Zhu et al. 2017 and Pumarola et al. 2018: (C + M, H, W), an image and a plane for each class, ->
/// (C + 1, H, W), colours and a mask, all in [0, 1]. Convolutions to w (3 x 3), 2 w and 4 w channels (4 x 4, stride 2), residual blocks of 4 w
/// channels, nearest-neighbour upsampling and 3 x 3 convolutions back to 2 w and w, a 3 x 3 convolution, Sigmoid; BN and ReLU behind all but the
/// last. Sides are multiples of 4.
nn::Network translator_network(const TranslatorOptions& options);

}  // namespace whence::models
