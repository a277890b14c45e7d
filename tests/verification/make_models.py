"""make_models.py FOLDER: models as people write them in Python, each as NAME.script.pt and NAME.trace.pt, with an input
"x" and its outputs "output0", ... in NAME.safetensors; and files that are no TorchScript."""
import os
import sys

import safetensors_format
import torch
import torch.nn.functional as F
from torch import nn


class BaseCnn(nn.Module):
    """The classifier of the texts, as their authors wrote it."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, 1)
        self.conv2 = nn.Conv2d(8, 16, 3, 1)
        self.dropout1 = nn.Dropout2d(0.25)
        self.dropout2 = nn.Dropout2d(0.5)
        self.fc1 = nn.Linear(2304, 32)
        self.fc2 = nn.Linear(32, 3)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(self.dropout1(x), 1)
        x = self.dropout2(F.relu(self.fc1(x)))
        return self.fc2(x)


class CvaeEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 4, stride=2, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 4, stride=2, padding=1)
        self.conv3 = nn.Conv2d(8, 8, 4, stride=1)
        self.fc_mean = nn.Linear(8 * 7 * 7, 6)
        self.fc_log_variance = nn.Linear(8 * 7 * 7, 6)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = F.relu(self.conv3(F.pad(x, (1, 2, 1, 2))))
        x = x.view(x.size(0), -1)
        return self.fc_mean(x), self.fc_log_variance(x)


class CvaeDecoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 8 * 7 * 7)
        self.conv1 = nn.ConvTranspose2d(8, 8, 4, stride=1, padding=1)
        self.conv2 = nn.ConvTranspose2d(8, 8, 4, stride=2, padding=2)
        self.conv3 = nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1)

    def forward(self, z):
        x = F.relu(self.fc(z)).reshape(z.shape[0], 8, 7, 7)
        return torch.sigmoid(self.conv3(F.relu(self.conv2(F.relu(self.conv1(x))))))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.block = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8, affine=False))
        self.narrow = nn.Conv2d(16, 4, 1)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        x = self.stem(x)
        out = self.block(x)
        out += x
        out = torch.cat([F.relu(out, inplace=True), F.leaky_relu(x, 0.2)], 1)
        out = torch.tanh(self.narrow(out)).mean([2, 3])
        return F.log_softmax(self.fc(out.view(-1, 4)), dim=1)


def unflattening_decoder():
    return nn.Sequential(
        nn.Linear(4, 72), nn.BatchNorm1d(72), nn.LeakyReLU(0.1), nn.Unflatten(1, (8, 3, 3)),
        nn.ConvTranspose2d(8, 8, 3, stride=2, padding=1, output_padding=1), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1, output_padding=1), nn.Sigmoid())


def pooled_sequence():
    return nn.Sequential(
        nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.Tanh(), nn.AvgPool2d(2),
        nn.Dropout(0.5), nn.MaxPool2d(2, stride=1, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4),
        nn.Softmax(dim=1))


class ShufflingCnn(nn.Module):
    """What ShuffleNet is made of: halves of the channels, depthwise convolutions, a shuffle of the channels; behind an image that is
    continued by its reflection, which is no layer."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.branch = nn.Sequential(
            nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm2d(8))
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        kept, changed = self.stem(x).chunk(2, dim=1)
        x = torch.cat([kept, self.branch(changed)], 1)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return self.fc(x.mean([2, 3]))


def save(folder, name, model, x):
    generator = torch.Generator().manual_seed(5)
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean = torch.randn(module.num_features, generator=generator) * 0.1
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5
    model.eval()
    x.requires_grad_(True)
    outputs = model(x)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    (gradient,) = torch.autograd.grad(torch.log_softmax(outputs[0].flatten(1), 1)[:, 1].sum(), x)
    arrays = {f"output{i}": output.detach().numpy() for i, output in enumerate(outputs)}
    safetensors_format.write(os.path.join(folder, name + ".safetensors"),
                             {"x": x.detach().numpy(), "gradient": gradient.numpy(), **arrays})
    torch.jit.script(model).save(os.path.join(folder, name + ".script.pt"))
    with torch.no_grad():
        torch.jit.trace(model, x[:2].detach()).save(os.path.join(folder, name + ".trace.pt"))


def main(folder):
    torch.manual_seed(0)
    save(folder, "base_cnn", BaseCnn(), torch.rand(3, 1, 28, 28))
    save(folder, "cvae_encoder", CvaeEncoder(), torch.rand(3, 1, 28, 28))
    save(folder, "cvae_decoder", CvaeDecoder(), torch.randn(3, 6))
    save(folder, "residual", Residual(), torch.rand(3, 3, 12, 12))
    save(folder, "unflattening_decoder", unflattening_decoder(), torch.randn(3, 4))
    save(folder, "pooled_sequence", pooled_sequence(), torch.rand(3, 3, 17, 17))
    save(folder, "shuffling", ShufflingCnn(), torch.rand(3, 3, 20, 20))

    model = BaseCnn()
    torch.save(model.state_dict(), os.path.join(folder, "state_dict.pt"))
    torch.save(model, os.path.join(folder, "pickled.pt"))
    torch.save(model.state_dict(), os.path.join(folder, "legacy.pt"), _use_new_zipfile_serialization=False)


main(sys.argv[1])
