#!/usr/bin/env python3
"""From a model file to its first map: bench/first_attribution.py FILE [--shape 3 224 224] [--rounds N]

Each round is a new process, which imports whence, reads the file and makes integrated gradients of one image with the default options. Prints
the median of the seconds, with the least and the most. scripts/torchvision-models --keep writes FILE; whence's module lies on PYTHONPATH.
"""
import argparse
import statistics
import subprocess
import sys
import time

CHILD = """
import sys, torch, whence
found = whence.attribute(sys.argv[1], torch.rand(1, *map(int, sys.argv[2:])))
assert found.values.isfinite().all()
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--shape", nargs=3, default=["3", "224", "224"], metavar=("C", "H", "W"))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    seconds = []
    for _ in range(arguments.rounds):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", CHILD, arguments.file, *arguments.shape], check=True)
        seconds.append(time.perf_counter() - begun)
    print(f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}), {arguments.rounds} rounds")


if __name__ == "__main__":
    main()
