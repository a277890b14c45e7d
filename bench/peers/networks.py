"""Networks that whence, captum and zennit all explain: plain torch, random weights from a seed."""
import copy

import torch
from torch import nn


class Sum(nn.Module):
    """Of two tensors. zennit gives relevance rules to modules only, so a sum must be one."""

    def forward(self, a, b):
        return a + b


def base_cnn(channels=1, side=28, classes=10):
    """whence's `base_cnn` without its dropout."""
    inner = (side - 4) // 2
    return nn.Sequential(nn.Conv2d(channels, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(64 * inner * inner, 128), nn.ReLU(), nn.Linear(128, classes))


def vgg11(classes=10):
    """Simonyan and Zisserman 2015, column A, with batch norm and two hidden layers of 512, for images of 3 x 32 x 32."""
    layers, channels = [], 3
    for width in (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"):
        if width == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(),
                         nn.Linear(512, classes))


class Block(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.sum = Sum()
        self.shortcut = None
        if stride != 1 or inputs != width:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        return self.relu2(self.sum(y, x if self.shortcut is None else self.shortcut(x)))


class ResNet18(nn.Module):
    """He et al. 2016, table 1."""

    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.norm1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(3, 2, 1)
        blocks, inputs = [], 64
        for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
            blocks += [Block(inputs, width, stride), Block(width, width, 1)]
            inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.logits = nn.Linear(512, classes)

    def forward(self, x):
        x = self.pool(self.relu(self.norm1(self.conv1(x))))
        return self.logits(self.flatten(self.average(self.blocks(x))))


def resnet18(classes=10):
    return ResNet18(classes)


def made(maker, seed=0, **arguments):
    """With random weights, biases and statistics of batch norms, as a trained network has them; in evaluation mode, frozen."""
    torch.manual_seed(seed)
    model = maker(**arguments)
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.uniform_(-0.2, 0.2)
                part.running_var.uniform_(0.5, 1.5)
                part.weight.uniform_(0.7, 1.3)
                part.bias.uniform_(-0.1, 0.1)
            elif isinstance(part, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(part.weight)
                if part.bias is not None:
                    part.bias.uniform_(-0.1, 0.1)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model.eval()


def without_norms(model):
    """A copy whose batch norms are merged into the convolutions before them, as whence and zennit's canonizers do."""
    model = copy.deepcopy(model)
    fuse = torch.nn.utils.fusion.fuse_conv_bn_eval

    def merge(part):
        names = list(part._modules)
        for before, after in zip(names, names[1:]):
            conv, norm = part._modules[before], part._modules[after]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                part._modules[before], part._modules[after] = fuse(conv, norm), nn.Identity()
        for child in part.children():
            merge(child)

    merge(model)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def with_other_parts(model, kind, other):
    """A copy with other(part) in place of each part of a kind."""
    model = copy.deepcopy(model)
    for part in list(model.modules()):
        for name, child in part.named_children():
            if isinstance(child, kind):
                setattr(part, name, other(child))
    return model


def with_average_pools(model):
    """Max pools become averages of the same windows."""
    return with_other_parts(model, nn.MaxPool2d, lambda pool: nn.AvgPool2d(pool.kernel_size, pool.stride, pool.padding))


def with_silu(model):
    """Smooth, where it had ReLUs."""
    return with_other_parts(model, nn.ReLU, lambda _: nn.SiLU())
