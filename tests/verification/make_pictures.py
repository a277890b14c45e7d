"""Writes pictures of many kinds, and what Pillow reads from them as IDX files: make_pictures.py FOLDER."""
import sys

import numpy as np
from PIL import Image


def write_idx(path, values):
    with open(path, "wb") as file:
        file.write(bytes([0, 0, 8, values.ndim]))
        for size in values.shape:
            file.write(size.to_bytes(4, "big"))
        file.write(np.ascontiguousarray(values, dtype=np.uint8).tobytes())


def channels_first(image):
    values = np.asarray(image)
    return values[None] if values.ndim == 2 else values.transpose(2, 0, 1)


def smooth(height, width):
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 100 * np.sin(x / 5 + c) * np.cos(y / 7 - c) for c in range(3)]
    return Image.fromarray(np.stack(planes, 2).round().astype(np.uint8))


def main(folder):
    random = np.random.default_rng(0)
    noise = Image.fromarray(random.integers(0, 256, (23, 31, 3), dtype=np.uint8))
    photo = smooth(40, 52)
    files = {
        "grey.png": noise.convert("L"),
        "rgb.png": noise,
        "bits.png": noise.convert("1"),
        "palette.png": noise.quantize(16),
        "palette256.png": noise.quantize(256),
    }
    for name, image in files.items():
        image.save(f"{folder}/{name}")
        truth = image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")
        write_idx(f"{folder}/{name}.idx", channels_first(truth))
    deep = random.integers(0, 65536, (9, 8), dtype=np.uint16)
    Image.fromarray(deep).save(f"{folder}/deep.png")
    write_idx(f"{folder}/deep.png.idx", np.round(deep / 257.0)[None])
    noise.save(f"{folder}/gamma.png", gamma=1.0)
    write_idx(f"{folder}/gamma.png.idx", channels_first(noise))
    jpegs = {
        "grey.jpg": (photo.convert("L"), {}),
        "rgb.jpg": (photo, {"quality": 90, "subsampling": 0}),
        "subsampled.jpg": (photo, {"quality": 75, "subsampling": 2}),
        "progressive.jpg": (photo, {"quality": 85, "progressive": True}),
    }
    for name, (image, options) in jpegs.items():
        image.save(f"{folder}/{name}", **options)
        write_idx(f"{folder}/{name}.idx", channels_first(Image.open(f"{folder}/{name}")))
    ink = np.concatenate([np.asarray(photo), random.integers(0, 200, (40, 52, 1), dtype=np.uint8)], 2)
    Image.fromarray(ink, "CMYK").save(f"{folder}/cmyk.jpg", quality=95, subsampling=0)
    write_idx(f"{folder}/cmyk.jpg.idx", channels_first(Image.open(f"{folder}/cmyk.jpg").convert("RGB")))
    whole = open(f"{folder}/rgb.jpg", "rb").read()
    with open(f"{folder}/extraneous.jpg", "wb") as file:  # bytes that belong to nothing, in front of the end
        file.write(whole[:-2] + b"\x11\x22\x33" + whole[-2:])
    write_idx(f"{folder}/extraneous.jpg.idx", channels_first(Image.open(f"{folder}/extraneous.jpg")))
    write_idx(f"{folder}/small.idx", channels_first(photo.resize((13, 10), Image.BILINEAR)))
    write_idx(f"{folder}/large.idx", channels_first(photo.resize((104, 80), Image.BILINEAR)))
    write_idx(f"{folder}/luminance.idx", channels_first(noise.convert("L")))
    photo.save(f"{folder}/photo.png")


main(sys.argv[1])
