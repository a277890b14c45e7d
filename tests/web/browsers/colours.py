"""What a colour looks like, to whom, and how far it is from another: contrast as WCAG 2 defines it, CIE76 in Lab, and colour blindness as Machado et
al. 2009 simulate it. Colours are sRGB, three numbers in [0, 1]."""
import itertools
import re

# Machado, Oliveira & Fernandes 2009, severity 1.0: rows for red, green and blue, in linear RGB.
SIGHT = {
    "normal sight": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def parse(text):
    """"#0072B2", "rgb(0, 114, 178)" or "rgba(0, 0, 0, 0.5)" as (colour, opacity)."""
    if found := re.fullmatch(r"#([0-9a-fA-F]{6})", text):
        return tuple(int(found[1][i:i + 2], 16) / 255 for i in (0, 2, 4)), 1.0
    if found := re.fullmatch(r"rgba?\(([^)]*)\)", text):
        numbers = [float(number) for number in re.findall(r"[\d.]+", found[1])]
        if len(numbers) in (3, 4):
            return tuple(number / 255 for number in numbers[:3]), numbers[3] if len(numbers) == 4 else 1.0
    raise ValueError(f"unknown form of a colour: {text}")


def over(colour, opacity, below):
    return tuple(opacity * a + (1 - opacity) * b for a, b in zip(colour, below))


def linear(colour):
    return tuple(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)


def luminance(colour):
    """From 0, black, to 1, white."""
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """From 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lab(colour, sight):
    """CIE Lab under D65, as somebody with this sight sees the colour."""
    light = linear(colour)
    red, green, blue = (min(1, max(0, sum(a * b for a, b in zip(row, light)))) for row in SIGHT[sight])
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883
    x, y, z = (t ** (1 / 3) if t > (6 / 29) ** 3 else t * (29 / 6) ** 2 / 3 + 4 / 29 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one, other, sight):
    return sum((a - b) ** 2 for a, b in zip(lab(one, sight), lab(other, sight))) ** 0.5


def nearest(colours):
    """Of colours by name, the two that are nearest to anybody: (distance, sight, name, name)."""
    pairs = itertools.combinations(colours.items(), 2)
    return min((distance(a, b, sight), sight, one, other) for (one, a), (other, b) in pairs for sight in SIGHT)
