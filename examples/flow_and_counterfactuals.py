"""Which latents of a generator move a classifier, and how far one must go to change the answer."""
import torch

import whence


def generate(z):
    """A bar: latent 0 is its place, latent 1 its height, latent 2 its brightness."""
    x, y = torch.meshgrid(torch.linspace(-2, 2, 16), torch.linspace(-2, 2, 16), indexing="xy")
    z = z[:, :, None, None]
    bar = torch.sigmoid(20 * (0.4 - (x - z[:, 0]).abs())) * torch.sigmoid(10 * (1 + 0.4 * z[:, 1] - y.abs()))
    return (bar * torch.sigmoid(1 + z[:, 2])).unsqueeze(1)


def classify(image):
    """More light on the right, or on the left?"""
    light = image[:, 0].sum(1)
    return torch.stack([light[:, :8].sum(1), light[:, 8:].sum(1)], 1)


flow = whence.flow(generate, classify, causal=[0], latents=3, samples=(100, 100))
for latent, causal, nats, error in flow.factors:
    print(f"latent {latent}: {nats:.3f} +- {error:.3f} nats")

codes = torch.tensor([[-1.2, 0.0, 0.0], [0.4, 1.0, -1.0]])
found = whence.counterfactual(None, generate, classify, codes, causal=[0])
for code, distance, a, b in zip(codes, found.distance, found.from_class, found.to_class):
    print(f"{[round(value, 1) for value in code.tolist()]}: from class {a} to {b} by {distance:.2f}")
