"""python_zoo.py FOLDER: every architecture of the zoo that the texts give, written anew in PyTorch, for python_zoo_test.cpp
to compare with. A narrow version of each as NAME.safetensors (weights "state000", ... in order, an input "x", outputs
"output0", ...) and one JSON object on stdout: what each was built for and how many parameters the full width has."""
import json
import os
import sys

import safetensors_format
import torch
from torch import nn

try:
    import torchvision
except ImportError:  # pip's PyTorch need not come with it
    torchvision = None


def conv(inputs, outputs, kernel, stride=1, padding=0):
    return nn.Conv2d(inputs, outputs, kernel_size=kernel, stride=stride, padding=padding, bias=False)


def transposed(inputs, outputs, kernel, stride=1, padding=0):
    return nn.ConvTranspose2d(inputs, outputs, kernel_size=kernel, stride=stride, padding=padding, bias=False)


def convolved(inputs, outputs, kernel, padding=0):
    """What a convolution stands for in the small ResNet and Inception."""
    return nn.Sequential(conv(inputs, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs), nn.ReLU())


class MeanIntensity(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.linear = nn.Linear(1, classes)

    def forward(self, x):
        return self.linear(x.mean(dim=(1, 2, 3)).unsqueeze(1))


class ResidualBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.f = nn.Sequential(convolved(width, width, 3, 1), conv(width, width, 3, padding=1), nn.BatchNorm2d(width))

    def forward(self, x):
        return torch.relu(x + self.f(x))


def resnet(channels, classes, width):
    blocks = [ResidualBlock(width) for _ in range(3)]
    return nn.Sequential(convolved(channels, width, 3, 1), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(width, classes))


class DenseLayer(nn.Module):
    def __init__(self, channels, growth):
        super().__init__()
        self.f = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), conv(channels, 2 * growth, 1),
                               nn.BatchNorm2d(2 * growth), nn.ReLU(), conv(2 * growth, growth, 3, padding=1))

    def forward(self, x):
        return torch.cat([x, self.f(x)], 1)


def densenet(channels, classes, growth):
    dense = [DenseLayer((2 + i) * growth, growth) for i in range(3)]
    last = 5 * growth
    transition = [nn.BatchNorm2d(last), nn.ReLU(), conv(last, last // 2, 1), nn.AvgPool2d(2)]
    return nn.Sequential(conv(channels, 2 * growth, 3, padding=1), *dense, *transition, nn.BatchNorm2d(last // 2), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(last // 2, classes))


class InceptionBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        half, quarter, eighth = width // 2, width // 4, width // 8
        self.branches = nn.ModuleList([
            convolved(width, quarter, 1),
            nn.Sequential(convolved(width, half, 1), convolved(half, half, 3, 1)),
            nn.Sequential(convolved(width, quarter, 1), convolved(quarter, eighth, 5, 2)),
            nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), convolved(width, eighth, 1))])

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


def inception(channels, classes, width):
    return nn.Sequential(convolved(channels, width, 3, 1), InceptionBlock(width), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(width, classes))


def vgg11(channels, classes, width):
    """Simonyan and Zisserman (2015), column A, with batch norms; where torchvision is there, at full width also its own."""
    layers, inputs = [], channels
    for outputs in [width, "M", 2 * width, "M", 4 * width, 4 * width, "M", 8 * width, 8 * width, "M", 8 * width, 8 * width, "M"]:
        if outputs == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
    features = nn.Sequential(*layers)
    if torchvision and (channels, width) == (3, 64):
        features = torchvision.models.vgg11_bn(weights=None).features
    last = 8 * width
    return nn.Sequential(features, nn.Flatten(), nn.Linear(last, last), nn.ReLU(), nn.Linear(last, last), nn.ReLU(),
                         nn.Linear(last, classes))


def normed(*convolutions):
    """As Parafita's (2018) listings: every convolution has a batch norm and a ReLU behind it."""
    layers = []
    for layer in convolutions:
        layers.append(layer)
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            layers += [nn.BatchNorm2d(layer.out_channels), nn.ReLU()]
    return layers


def hidden(inputs, outputs):
    return [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout()]


def parafita_cnn_convolutions(name, c, w):
    return {
        "mnist": [conv(c, w, 5, 3, 2), conv(w, 2 * w, 3), conv(2 * w, 4 * w, 3)],
        "fashion": [conv(c, w, 3, 1, 1), conv(w, 2 * w, 3, 3, 1), conv(2 * w, 4 * w, 3), conv(4 * w, 4 * w, 3)],
        "cifar": [conv(c, w, 3), conv(w, w, 3), nn.MaxPool2d(2), conv(w, 2 * w, 3), conv(2 * w, 2 * w, 3), nn.MaxPool2d(2),
                  conv(2 * w, 4 * w, 3)]}[name]


def parafita_cnn(name):
    def make(channels, classes, w):
        tail = {"mnist": hidden(4 * w * 36, 8 * w) + [nn.Linear(8 * w, classes)],
                "fashion": hidden(4 * w * 36, 4 * w) + [nn.Linear(4 * w, classes)],
                "cifar": hidden(4 * w * 9, 4 * w) + hidden(4 * w, 2 * w) + [nn.Linear(2 * w, classes)]}[name]
        return nn.Sequential(*normed(*parafita_cnn_convolutions(name, channels, w)), nn.Flatten(), *tail)
    return make


class TwoHeads(nn.Module):
    def __init__(self, trunk, mean, log_variance):
        super().__init__()
        self.trunk, self.mean, self.log_variance = trunk, mean, log_variance

    def forward(self, x):
        x = self.trunk(x)
        return self.mean(x), self.log_variance(x)


def parafita_encoder(name):
    def make(c, latents, w):
        convolutions, features, size = {
            "mnist": (parafita_cnn_convolutions("mnist", c, w), 4 * w * 36, 8 * w),
            "fashion": (parafita_cnn_convolutions("fashion", c, w) + [conv(4 * w, 8 * w, 3)], 8 * w * 16, 4 * w),
            "cifar": ([conv(c, w, 3), conv(w, 2 * w, 3), nn.MaxPool2d(2), conv(2 * w, 4 * w, 3), conv(4 * w, 2 * w, 3),
                       conv(2 * w, 2 * w, 5, 3, 2), conv(2 * w, 4 * w, 3)], 4 * w * 4, 2 * w)}[name]
        trunk = nn.Sequential(*normed(*convolutions), nn.Flatten(), *hidden(features, size))
        return TwoHeads(trunk, nn.Linear(size, latents), nn.Linear(size, latents))
    return make


def parafita_decoder(name):
    def make(c, latents, w):
        shape, convolutions, image = {
            "mnist": ((4 * w, 6, 6), [transposed(4 * w, 2 * w, 3), transposed(2 * w, w, 3)], transposed(w, c, 5, 3, 2)),
            "fashion": ((8 * w, 4, 4), [transposed(8 * w, 4 * w, 3), transposed(4 * w, 4 * w, 3),
                                        transposed(4 * w, 2 * w, 3), transposed(2 * w, w, 3, 3, 1)],
                        transposed(w, c, 3, 1, 1)),
            "cifar": ((4 * w, 2, 2), [transposed(4 * w, 2 * w, 3), transposed(2 * w, 2 * w, 5, 3, 2),
                                      transposed(2 * w, 4 * w, 3), transposed(4 * w, 2 * w, 3), nn.Upsample(scale_factor=2),
                                      transposed(2 * w, w, 3)], transposed(w, c, 3))}[name]
        features = shape[0] * shape[1] * shape[2]
        return nn.Sequential(nn.Linear(latents, features), nn.BatchNorm1d(features), nn.ReLU(), nn.Dropout(),
                             nn.Unflatten(1, shape), *normed(*convolutions), image, nn.BatchNorm2d(c), nn.Sigmoid())
    return make


def cifar_cvae_encoder(c, latents, w):
    trunk = nn.Sequential(
        nn.Conv2d(c, w, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(w, w, 3, padding=1), nn.ReLU(),
        nn.Conv2d(w, 2 * w, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(2 * w, 2 * w, 4, padding=1), nn.ReLU(),
        nn.Conv2d(2 * w, 2 * w, 4, stride=2, padding=1), nn.ReLU(), nn.Flatten())
    heads = [nn.Sequential(nn.Linear(2 * w * 9, 512), nn.ReLU(), nn.Linear(512, latents)) for _ in range(2)]
    return TwoHeads(trunk, *heads)


def cifar_cvae_decoder(c, latents, w):
    def up(inputs, outputs):
        return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
    return nn.Sequential(
        nn.Linear(latents, 512), nn.ReLU(), nn.Linear(512, 4 * w * 16), nn.ReLU(), nn.Unflatten(1, (4 * w, 4, 4)),
        up(4 * w, 2 * w), nn.ReLU(), nn.ConvTranspose2d(2 * w, 2 * w, 3, padding=1), nn.ReLU(), up(2 * w, w), nn.ReLU(),
        nn.ConvTranspose2d(w, w, 3, padding=1), nn.ReLU(), up(w, c), nn.Sigmoid())


def besserve_encoder(channels):
    """Table 1 of Besserve et al. for 64 x 64; channels: of the maps of 4, 8, 16 and 32, in the width of the last."""
    def make(c, latents, w):
        sizes = [c] + [factor * w for factor in reversed(channels)]
        layers = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [conv(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
        features = sizes[-1] * 16
        return TwoHeads(nn.Sequential(*layers, nn.Flatten()), nn.Linear(features, latents), nn.Linear(features, latents))
    return make


def besserve_decoder(channels, upsampling=False, first_bias=False):
    def make(c, latents, w):
        def doubled(inputs, outputs, bias=False):
            if upsampling:
                return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias))
            return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=bias)
        sizes = [factor * w for factor in channels]
        layers = [nn.Linear(latents, sizes[0] * 16, bias=first_bias), nn.Unflatten(1, (sizes[0], 4, 4)),
                  nn.BatchNorm2d(sizes[0]), nn.ReLU()]
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [doubled(inputs, outputs), nn.BatchNorm2d(outputs), nn.ReLU()]
        return nn.Sequential(*layers, doubled(sizes[-1], c, bias=True), nn.Sigmoid())
    return make


class LinearPathEncoder(nn.Module):
    """Ours: convolutions beside a linear layer. Parameters in the order of whence's layers; buffers at the end of "mean"."""
    def __init__(self, c, latents, w, side=32):
        super().__init__()
        sizes = [c, w, 2 * w, 4 * w]
        layers = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU()]
        self.trunk = nn.Sequential(*layers, nn.Flatten())
        features = 4 * w * (side // 8) ** 2
        self.bent = nn.Linear(features, latents)
        self.linear = nn.Linear(c * side * side, latents)
        self.scale = nn.ParameterDict({"scale": 0.5 + torch.rand(latents), "shift": torch.randn(latents)})
        self.log_variance = nn.Linear(features, latents)
        for parameter in self.scale.values():
            parameter.requires_grad_(False)

    def forward(self, x):
        features = self.trunk(x)
        mean = (self.bent(features) + self.linear(x.flatten(1))) * self.scale["scale"] + self.scale["shift"]
        return mean, self.log_variance(features)


class LinearPathDecoder(nn.Module):
    def __init__(self, c, latents, w, side=32):
        super().__init__()
        self.scale = nn.ParameterDict({"scale": 0.5 + torch.rand(latents), "shift": torch.randn(latents)})
        for parameter in self.scale.values():
            parameter.requires_grad_(False)
        start = side // 8
        layers = [nn.Linear(latents, 4 * w * start ** 2), nn.ReLU(), nn.Unflatten(1, (4 * w, start, start))]
        for inputs, outputs in ((4 * w, 2 * w), (2 * w, w)):
            layers += [nn.Conv2d(inputs, 4 * outputs, 3, padding=1), nn.PixelShuffle(2), nn.ReLU()]
        self.bent = nn.Sequential(*layers, nn.Conv2d(w, 4 * c, 3, padding=1), nn.PixelShuffle(2))
        self.linear = nn.Sequential(nn.Linear(latents, c * side * side), nn.Unflatten(1, (c, side, side)))

    def forward(self, z):
        scaled = z * self.scale["scale"] + self.scale["shift"]
        return (self.bent(scaled) + self.linear(scaled)).clamp(0, 1)


def disturb(model):
    """Statistics and factors that are not the identity."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            with torch.no_grad():
                module.weight.uniform_(0.8, 1.2)
                module.bias.normal_(0, 0.1)
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)


def save(folder, name, architecture, role, make, image, units, width, full_width):
    """units: classes or latents."""
    model = make(image[0], units, width).eval()
    disturb(model)
    tensors = [tensor for key, tensor in model.state_dict().items() if not key.endswith("num_batches_tracked")]
    x = torch.randn(3, units) if role == "decoder" else torch.rand(3, *image)
    with torch.no_grad():
        outputs = model(x)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    arrays = {f"state{i:03}": tensor.numpy() for i, tensor in enumerate(tensors)}
    arrays |= {f"output{i}": output.numpy() for i, output in enumerate(outputs)}
    safetensors_format.write(os.path.join(folder, name + ".safetensors"), arrays | {"x": x.numpy()})
    parameters = sum(p.numel() for p in make(image[0], units, full_width).parameters() if p.requires_grad)
    return {"name": name, "architecture": architecture, "role": role, "image": image, "units": units, "width": width,
            "parameters": parameters}


def main(folder):
    torch.manual_seed(0)
    grey, colour = (1, 28, 28), (3, 32, 32)
    cases = []

    def classifier(architecture, make, image, classes, width, full_width):
        cases.append(save(folder, architecture, architecture, "classifier", make, image, classes, width, full_width))

    def autoencoder(architecture, encoder, decoder, image, latents, width, full_width):
        for role, make in (("encoder", encoder), ("decoder", decoder)):
            name = f"{architecture}-{role}"
            cases.append(save(folder, name, architecture, role, make, image, latents, width, full_width))

    classifier("mean-intensity", lambda channels, classes, width: MeanIntensity(classes), colour, 2, 0, 0)
    classifier("resnet", resnet, grey, 2, 4, 16)
    classifier("densenet", densenet, grey, 2, 4, 16)
    classifier("inception", inception, grey, 2, 8, 64)
    classifier("vgg11", vgg11, colour, 10, 4, 64)
    for name, image, width in (("mnist", grey, 16), ("fashion", grey, 32), ("cifar", colour, 64)):
        classifier(f"parafita-{name}", parafita_cnn(name), image, 10, 4, width)
        autoencoder(f"parafita-{name}", parafita_encoder(name), parafita_decoder(name), image, 100, 4, width)
    autoencoder("cifar-cvae", cifar_cvae_encoder, cifar_cvae_decoder, colour, 64, 4, 128)
    face, vae, gan = (3, 64, 64), (4, 4, 2, 1), (8, 4, 2, 1)
    autoencoder("beta-vae", besserve_encoder(vae), besserve_decoder(vae, first_bias=True), face, 128, 4, 16)
    autoencoder("dcgan", besserve_encoder(gan), besserve_decoder(gan), face, 150, 4, 16)
    autoencoder("dcgan-upsampling", besserve_encoder(gan), besserve_decoder(gan, upsampling=True), face, 150, 4, 16)
    autoencoder("linear-path", LinearPathEncoder, LinearPathDecoder, colour, 16, 4, 32)
    print(json.dumps(cases))


main(sys.argv[1])
