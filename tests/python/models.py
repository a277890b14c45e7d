"""Small models for the tests of the module."""
import torch


def cnn(channels=1, classes=3, seed=0):
    """Smooth, so that quadrature is exact enough for tight comparisons."""
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Conv2d(channels, 4, 3), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(144, 8),
                               torch.nn.Tanh(), torch.nn.Linear(8, classes)).eval()


def relu_cnn(seed=1):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 3)).eval()


def images(count=5, channels=1, seed=2):
    return torch.rand(count, channels, 8, 8, generator=torch.Generator().manual_seed(seed))
