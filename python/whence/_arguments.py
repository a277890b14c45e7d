"""Checks of what the functions are given, before anything is computed."""
from __future__ import annotations

import typing

import torch

from whence import _whence
from whence._result import Attribution


def images(x: torch.Tensor, name: str = "images") -> torch.Tensor:
    """A batch of float32 images. Errors: another type or shape; NaN or infinity."""
    if not isinstance(x, torch.Tensor):
        raise _whence.UsageError(f"{name} must be a torch.Tensor, not {type(x).__name__}")
    x = x.detach()
    if x.dim() == 3:
        x = x.unsqueeze(0)
    if x.dim() != 4 or x.shape[0] == 0:
        raise _whence.UsageError(f"{name} must have the shape (N, channels, height, width), not {tuple(x.shape)}")
    if not x.isfinite().all():
        raise _whence.UsageError(f"{name} hold NaN or infinity")
    return x.float().contiguous()


def targets(target: typing.Any, x: torch.Tensor, name: str = "target", classes: int | None = None) -> torch.Tensor | None:
    """A class for each image; None stays None. Errors: another number of them; with `classes`, one that is no class."""
    if target is None:
        return None
    target = torch.as_tensor(target, dtype=torch.long, device=x.device)
    if target.dim() == 0:
        target = target.expand(x.shape[0])
    if target.shape != (x.shape[0],):
        raise _whence.UsageError(f"{name} must be one class, or one for each of the {x.shape[0]} images, not {tuple(target.shape)}")
    if classes is not None and not 0 <= target.min() <= target.max() < classes:
        wrong = next(int(each) for each in target if not 0 <= each < classes)
        raise _whence.UsageError(f"{name} holds the class {wrong}, but the classifier has the classes 0 to {classes - 1}")
    return target.contiguous()


def causal_first(causal: int | typing.Sequence[int], latents: int) -> tuple[list[int], int]:
    """All latents with the causal ones in front, and how many these are."""
    first = list(range(causal)) if isinstance(causal, int) else [int(i) for i in causal]
    if not first or len(set(first)) != len(first) or not all(0 <= i < latents for i in first):
        raise _whence.UsageError(f"causal is {causal!r}, but must be a number of latents or different ones of 0 to {latents - 1}")
    return first + [i for i in range(latents) if i not in first], len(first)


def codes(z: typing.Any) -> torch.Tensor:
    """Latents (N, latents). Errors: another type or shape; NaN or infinity."""
    if not isinstance(z, torch.Tensor) or z.dim() != 2 or len(z) == 0:
        raise _whence.UsageError("without an encoder x must be a torch.Tensor of codes (N, latents)")
    if not z.isfinite().all():
        raise _whence.UsageError("codes hold NaN or infinity")
    return z.detach().float()


def values_of(given: typing.Any, x: torch.Tensor, name: str) -> torch.Tensor:
    """A map for each image: like x, (N, 1, H, W) or (N, H, W). Errors: another type or shape; NaN or infinity."""
    values = given.values if isinstance(given, Attribution) else given
    if not isinstance(values, torch.Tensor):
        raise _whence.UsageError(f"{name} must be a torch.Tensor or a whence.Attribution, not {type(given).__name__}")
    values = values.detach().to(x.device, torch.float32)
    if values.dim() == 3:
        values = values.unsqueeze(1)
    count, channels, height, width = x.shape
    if values.shape not in ((count, channels, height, width), (count, 1, height, width)):
        raise _whence.UsageError(f"{name} must have one value for each value or pixel of the images, {tuple(x.shape)} or "
                                 f"{(count, 1, height, width)}, not {tuple(values.shape)}")
    if not values.isfinite().all():
        raise _whence.UsageError(f"{name} hold NaN or infinity")
    return values.contiguous()


def pixels(images: torch.Tensor, least: int = 1) -> torch.Tensor:
    """Images (N, channels, height, width) as bytes, on the processor. Errors: another type or shape; fewer than `least`; values outside
    of [0, 1], or NaN."""
    if not isinstance(images, torch.Tensor) or images.dim() != 4 or len(images) < least:
        raise _whence.UsageError(f"images must be a torch.Tensor (N, channels, height, width) with {least} or more of them")
    images = images.detach().cpu()
    if images.dtype == torch.uint8:
        return images.contiguous()
    images = images.float()
    if not 0 <= images.min().item() <= images.max().item() <= 1:
        raise _whence.UsageError("images must lie in [0, 1]; let the model normalise them in its forward()")
    return (images * 255).round().to(torch.uint8).contiguous()
