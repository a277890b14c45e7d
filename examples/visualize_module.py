"""What the classes and a channel of a PyTorch module respond to most, beside a control."""
import torch

import whence

torch.manual_seed(0)


def stripes(count):
    """Class 0 is horizontal, class 1 is vertical."""
    labels = torch.randint(2, (count,))
    waves = 0.5 + 0.4 * torch.sin(torch.arange(16) * 1.5 + 6 * torch.rand(count, 1))
    rows = waves[:, None, :, None].expand(-1, 1, 16, 16)
    images = torch.where(labels.view(-1, 1, 1, 1) == 0, rows, rows.transpose(2, 3))
    return (images + 0.05 * torch.randn(images.shape)).clamp(0, 1), labels


def trained(seed):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 5), torch.nn.ReLU(), torch.nn.AvgPool2d(12), torch.nn.Flatten(),
                                torch.nn.Linear(8, 2))
    optimizer = torch.optim.Adam(model.parameters(), 2e-2)
    for _ in range(80):
        images, labels = stripes(64)
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


model, other = trained(1), trained(2)
data, labels = stripes(200)
for name, options in {"control": {"regularized": False}, "spectrum": {"parametrization": "fourier"},
                      "phases": {"parametrization": "maco"}}.items():
    found = whence.visualize(model, data=data, labels=labels, count=4, steps=100, **options)
    agree = (other(found.images.flatten(0, 1)).argmax(1).view(2, 4) == torch.tensor([[0], [1]])).float().mean()
    print(f"{name:9} another network agrees on {100 * agree:3.0f} %, distance to the data {found.distance.median():.1f}")

layer = whence.classifier(model, data, layers=True).layers[1]
channels = whence.visualize(model, "channel", layer=layer, units=[0, 1, 2], data=data, steps=50)
print(f"channels of {layer}: {[round(value, 2) for value in channels.responses[:, 0].tolist()]}, "
      f"99 % of the data stay below {[round(value, 2) for value in channels.quantile.tolist()]}")
