"""Tables and pictures for notebooks, without any library but torch."""
from __future__ import annotations

import base64
import html
import struct
import typing
import zlib

import torch


def png(image: torch.Tensor) -> bytes:
    """An image (C, H, W) in [0, 1], grey or coloured, as the bytes of a PNG file."""
    pixels = (image.detach().float().cpu().clamp(0, 1) * 255).round().to(torch.uint8)
    channels, height, width = pixels.shape
    rows = pixels.permute(1, 2, 0).reshape(height, width * channels)
    data = b"".join(b"\x00" + bytes(row.tolist()) for row in rows)

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


class _Markup(str):
    """Text that is HTML already."""


def picture(image: torch.Tensor, height: int = 84) -> _Markup:
    source = base64.b64encode(png(image)).decode()
    return _Markup(f'<img src="data:image/png;base64,{source}" style="height:{height}px;image-rendering:pixelated">')


def captioned(image: torch.Tensor, caption: str, height: int = 56) -> _Markup:
    return _Markup(f"{picture(image, height)}<br><small>{html.escape(caption)}</small>")


def page(title: str, body: str) -> str:
    """A whole page that needs no network."""
    style = ("body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em}td,th{padding:2px 8px;text-align:left}"
             "table{border-collapse:collapse;margin:1em 0}")
    return (f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title><style>{style}</style>'
            f"<body>{body}</body></html>")


def heat(values: torch.Tensor) -> torch.Tensor:
    """Signed values (H, W) as colours: red above 0, blue below, white at 0."""
    share = values.float() / values.abs().max().clamp_min(1e-12)
    above, below = share.clamp(0, 1), (-share).clamp(0, 1)
    return torch.stack([1 - below, 1 - above - below, 1 - above])


def table(rows: typing.Sequence[typing.Sequence[str]], header: typing.Sequence[str]) -> str:
    def cells(texts: typing.Sequence[str], tag: str) -> str:
        return "".join(f"<{tag}>{text if isinstance(text, _Markup) else html.escape(text)}</{tag}>" for text in texts)

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{cells(header, 'th')}</tr></thead><tbody>{body}</tbody></table>"


def curve(values: typing.Sequence[float], width: int = 320, height: int = 160) -> str:
    """A line through the values, from left to right, with the largest and the smallest one at its side."""
    least, most = min(values), max(values)
    span, steps = max(most - least, 1e-12), max(len(values) - 1, 1)
    points = " ".join(f"{40 + (width - 50) * i / steps:.1f},{10 + (height - 20) * (most - value) / span:.1f}"
                      for i, value in enumerate(values))
    marks = "".join(f'<text x="36" y="{y}" font-size="10" text-anchor="end">{value:.3g}</text>'
                    for y, value in ((14, most), (height - 8, least)))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{marks}'
            f'<polyline points="{points}" fill="none" stroke="#1f77b4" stroke-width="2"/></svg>')
