"""Which pixels speak for the answer of a PyTorch module: several methods on the same images."""
import torch

import whence

# A classifier that is trained in ten lines: is the bright square on the left or on the right?
torch.manual_seed(0)


def squares(count):
    labels = torch.randint(2, (count,))
    images = 0.2 * torch.rand(count, 1, 16, 16)
    for image, label in zip(images, labels):
        column = 2 + 8 * int(label)
        image[0, 5:10, column:column + 5] += 0.7
    return images, labels


model = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(4), torch.nn.Flatten(),
                            torch.nn.Linear(128, 2))
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
for _ in range(60):
    images, labels = squares(64)
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

images, labels = squares(32)
for method in ("gradient", "integrated_gradients", "lrp_gamma_box", "occlusion"):
    found = whence.attribute(model, images, method=method)
    pixels = found.values.sum(1).abs()
    inside = images[:, 0] > 0.5
    print(f"{method:22} {100 * (pixels * inside).sum() / pixels.sum():3.0f} % of the evidence lies on the squares")
