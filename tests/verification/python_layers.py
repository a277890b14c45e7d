"""Writes what Python's PyTorch computes, for python_layers_test.cpp to compare with: one JSON object on stdout.

Every layer in float64 with its gradients, every architecture of the zoo with its weights, and parameter counts.
"""

import json
import sys

import torch
from torch import nn


def plain(tensor):
    tensor = tensor.detach()
    return {"shape": list(tensor.shape), "values": tensor.double().flatten().tolist()}


def layer_case(op, module, shape, training=False):
    """op: name and fields as in whence/nn/ops/ops.h. The loss is sum(cotangent * module(x))."""
    module = module.double().train(training)
    for name, tensor in module.state_dict().items():
        if tensor.dtype == torch.float64:
            tensor.copy_(torch.rand_like(tensor) + 0.5 if name == "running_var" else torch.randn_like(tensor))
    before = {name: plain(tensor) for name, tensor in module.state_dict().items() if tensor.dtype == torch.float64}
    x = torch.randn(3, *shape, dtype=torch.float64, requires_grad=True)
    y = module(x)
    cotangent = torch.randn_like(y)
    (cotangent * y).sum().backward()
    return {
        "op": op,
        "training": training,
        "x": plain(x),
        "y": plain(y),
        "cotangent": plain(cotangent),
        "state": before,
        "buffers": {name: plain(tensor) for name, tensor in module.named_buffers() if tensor.dtype == torch.float64},
        "gradients": {"x": plain(x.grad)} | {name: plain(p.grad) for name, p in module.named_parameters()},
    }


def layer_cases():
    convolution = {"type": "Conv2d", "channels": 3, "kernel": 4, "stride": 2, "padding": 1}
    yield layer_case(convolution, nn.Conv2d(2, 3, 4, 2, 1), (2, 7, 6))
    yield layer_case({"type": "Conv2d", "channels": 3, "kernel": 3, "bias": False}, nn.Conv2d(1, 3, 3, bias=False), (1, 5, 5))
    for kernel, stride, padding, output_padding in [(4, 1, 1, 0), (4, 2, 2, 0), (4, 2, 1, 0), (3, 2, 1, 1), (5, 3, 0, 2)]:
        op = {"type": "ConvTranspose2d", "channels": 3, "kernel": kernel, "stride": stride, "padding": padding,
              "output_padding": output_padding}
        yield layer_case(op, nn.ConvTranspose2d(2, 3, kernel, stride, padding, output_padding), (2, 4, 5))
    yield layer_case({"type": "Linear", "features": 3}, nn.Linear(5, 3), (5,))
    yield layer_case({"type": "Linear", "features": 3, "bias": False}, nn.Linear(5, 3, bias=False), (2, 5))
    for training in (False, True):
        norm = nn.BatchNorm2d(2, eps=1e-3, momentum=0.2)
        yield layer_case({"type": "BatchNorm2d", "epsilon": 1e-3, "momentum": 0.2}, norm, (2, 4, 3), training)
        norm = nn.BatchNorm1d(5, eps=1e-3, momentum=0.2)
        yield layer_case({"type": "BatchNorm1d", "epsilon": 1e-3, "momentum": 0.2}, norm, (5,), training)
    yield layer_case({"type": "UpsampleNearest2d", "factor": 3}, nn.Upsample(scale_factor=3), (2, 3, 4))
    yield layer_case({"type": "Relu"}, nn.ReLU(), (9,))
    yield layer_case({"type": "LeakyRelu", "slope": 0.2}, nn.LeakyReLU(0.2), (9,))
    yield layer_case({"type": "Sigmoid"}, nn.Sigmoid(), (9,))
    yield layer_case({"type": "Tanh"}, nn.Tanh(), (9,))
    yield layer_case({"type": "Softmax"}, nn.Softmax(dim=1), (4, 2))
    yield layer_case({"type": "LogSoftmax"}, nn.LogSoftmax(dim=1), (4,))
    yield layer_case({"type": "MaxPool2d", "kernel": 3, "stride": 2, "padding": 1}, nn.MaxPool2d(3, 2, 1), (2, 6, 5))
    yield layer_case({"type": "AvgPool2d", "kernel": 3, "stride": 2, "padding": 1}, nn.AvgPool2d(3, 2, 1), (2, 6, 5))
    yield layer_case({"type": "GlobalAvgPool2d"}, nn.AdaptiveAvgPool2d(1), (2, 6, 5))
    yield layer_case({"type": "Dropout", "probability": 0.3}, nn.Dropout(0.3), (9,))
    yield layer_case({"type": "Dropout2d", "probability": 0.3}, nn.Dropout2d(0.3), (4, 2, 2))
    yield layer_case({"type": "Flatten"}, nn.Flatten(), (2, 3, 4))
    yield layer_case({"type": "Reshape", "shape": [3, 2, 4]}, nn.Unflatten(1, (3, 2, 4)), (24,))
    yield layer_case({"type": "ZeroPad2d", "left": 1, "right": 2, "top": 0, "bottom": 3}, nn.ZeroPad2d((1, 2, 0, 3)), (2, 3, 4))


class BaseCnn(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, width, 3), nn.Conv2d(width, 2 * width, 3)
        self.fc1, self.fc2 = nn.Linear(2 * width * 144, 4 * width), nn.Linear(4 * width, classes)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.conv2(self.conv1(x).relu()).relu(), 2)
        return (self.fc2(self.fc1(x.flatten(1)).relu()),)


class CvaeEncoder(nn.Module):
    def __init__(self, width, latents, norm):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, width, 4, 2, 1), nn.Conv2d(width, width, 4, 2, 1)
        self.conv3 = nn.Conv2d(width, width, 4)
        if norm:
            self.norm1, self.norm2, self.norm3 = (nn.BatchNorm2d(width) for _ in range(3))
        else:
            self.norm1 = self.norm2 = self.norm3 = nn.Identity()
        self.mean, self.log_variance = nn.Linear(49 * width, latents), nn.Linear(49 * width, latents)

    def forward(self, x):
        x = self.norm1(self.conv1(x)).relu()
        x = self.norm2(self.conv2(x)).relu()
        x = self.norm3(self.conv3(nn.functional.pad(x, (1, 2, 1, 2)))).relu().flatten(1)
        return self.mean(x), self.log_variance(x)


class CvaeDecoder(nn.Module):
    def __init__(self, width, latents, norm):
        super().__init__()
        self.fc = nn.Linear(latents, 49 * width)
        self.conv1, self.conv2 = nn.ConvTranspose2d(width, width, 4, 1, 1), nn.ConvTranspose2d(width, width, 4, 2, 2)
        self.conv3 = nn.ConvTranspose2d(width, 1, 4, 2, 1)
        if norm:
            self.norm1, self.norm2, self.norm3 = nn.BatchNorm2d(width), nn.BatchNorm2d(width), nn.BatchNorm2d(1)
        else:
            self.norm1 = self.norm2 = self.norm3 = nn.Identity()

    def forward(self, z):
        z = self.fc(z).relu().unflatten(1, (-1, 7, 7))
        z = self.norm1(self.conv1(z)).relu()
        z = self.norm2(self.conv2(z)).relu()
        return (self.norm3(self.conv3(z)).sigmoid(),)


def model_case(name, make, narrow, full, shape):
    module = make(*narrow).eval()
    state = {}
    for key, tensor in module.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        if "norm" in key:  # statistics and factors that are not the identity
            tensor.copy_(torch.rand_like(tensor) + 0.5)
        state[key] = plain(tensor)
    x = torch.rand(2, *shape)
    return {"name": name, "state": state, "x": plain(x), "outputs": [plain(y) for y in module(x)],
            "parameters": sum(p.numel() for p in make(*full).parameters())}


def main():
    torch.manual_seed(0)
    models = [model_case("base-cnn", BaseCnn, (4, 3), (32, 3), (1, 28, 28))]
    for suffix, norm in (("", False), ("-bn", True)):
        models.append(model_case(f"cvae{suffix}-encoder", CvaeEncoder, (4, 6, norm), (64, 6, norm), (1, 28, 28)))
        models.append(model_case(f"cvae{suffix}-decoder", CvaeDecoder, (4, 6, norm), (64, 6, norm), (6,)))
    json.dump({"version": torch.__version__, "layers": list(layer_cases()), "models": models}, sys.stdout)


main()
