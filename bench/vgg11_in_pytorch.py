"""Trains the VGG-11 of recipes/gce/cifar10-ten.toml in PyTorch, with the recipe's images, optimizer, schedule, label
smoothing, shifts and mirrors (no cutout), to hold whence's own training to. Needs Debian's python3-torch and numpy. Its counterpart:

    whence train recipes/gce/cifar10-ten.toml --out runs/vgg --set classifier.width=32 --set classifier.epochs=6 \
        --set classifier.cutout=0 --set explanation.pretraining=0 --set explanation.steps=1
"""

import argparse
import math
import pathlib
import time

import numpy
import torch
from torch import nn

STAGES = [(1, True), (2, True), (4, False), (4, True), (8, False), (8, True), (8, False), (8, True)]


def images_of(folder, names):
    rows = numpy.concatenate([numpy.fromfile(folder / f"{name}.bin", dtype=numpy.uint8).reshape(-1, 3073) for name in names])
    return torch.tensor(rows[:, 1:].reshape(-1, 3, 32, 32)), torch.tensor(rows[:, 0]).long()


def vgg11(width):
    layers, channels = [], 3
    for widths, pooled in STAGES:
        layers += [nn.Conv2d(channels, widths * width, 3, padding=1), nn.BatchNorm2d(widths * width), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pooled else []
        channels = widths * width
    layers.append(nn.Flatten())
    for _ in range(2):
        layers += [nn.Linear(channels, channels), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(channels, 10)).to(memory_format=torch.channels_last)


def one_cycle(step, steps, peak, warmup=0.2):
    progress = (step + 1) / steps
    if progress <= warmup:
        return peak * progress / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def shifted_and_mirrored(images, margin=4):
    padded = nn.functional.pad(images, (margin,) * 4)
    changed = torch.empty_like(images)
    for i, (down, right) in enumerate(torch.randint(0, 2 * margin + 1, (len(images), 2)).tolist()):
        crop = padded[i, :, down : down + 32, right : right + 32]
        changed[i] = crop.flip(2) if torch.rand(()) < 0.5 else crop
    return changed.to(memory_format=torch.channels_last)


def right_of(model, images, labels):
    model.eval()
    with torch.no_grad():
        answers = [model(part.float() / 255).argmax(1) for part in images.split(500)]
    return (torch.cat(answers) == labels).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, help="folder with data_batch_1.bin .. test_batch.bin")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.04)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    train, labels = images_of(options.data, [f"data_batch_{i}" for i in range(1, 6)])
    test = images_of(options.data, ["test_batch"])
    model = vgg11(options.width)
    weights = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.SGD(
        [{"params": weights, "weight_decay": 1e-3}, {"params": others}], lr=options.rate, momentum=0.9
    )
    per_epoch, step, start = math.ceil(len(train) / options.batch), 0, time.time()
    for epoch in range(options.epochs):
        model.train()
        for rows in torch.randperm(len(train)).split(options.batch):
            for group in optimizer.param_groups:
                group["lr"] = one_cycle(step, options.epochs * per_epoch, options.rate)
            optimizer.zero_grad()
            answers = model(shifted_and_mirrored(train[rows].float() / 255))
            nn.functional.cross_entropy(answers, labels[rows], label_smoothing=0.1).backward()
            optimizer.step()
            step += 1
        print(f"epoch {epoch + 1}: test accuracy {100 * right_of(model, *test):.2f} %, {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
