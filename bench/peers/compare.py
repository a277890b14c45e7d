#!/usr/bin/env python3
"""Compares whence's maps and measures with those of captum, zennit and Quantus: bench/peers/compare.py PROGRAM [--quick] [--out TABLE.md]

PROGRAM is whence. Needs bench/peers/requirements.txt. With whence's Python module on PYTHONPATH, methods that draw noise are compared, too,
at the same noise. Exit code 0: every map agrees; 1: one does not; 77: a peer is missing.
A map agrees when it differs by at most 1e-4 of its largest size, image by image.
"""
import argparse
import copy
import json
import pathlib
import platform
import re
import struct
import subprocess
import sys
import tempfile
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import peers  # noqa: E402

TOLERANCE = 1e-4
CLASSES = 10  # of the networks; one image of each label, because whence counts the classes of the data


def relative(found, expected):
    """The largest difference of any image, as a share of its map's largest value."""
    found, expected = found.double().flatten(1), expected.double().flatten(1)
    size = expected.abs().amax(1).clamp_min(1e-30)
    return ((found - expected).abs().amax(1) / size).max().item()


class Subject:
    """One network, its images and what whence makes of them."""

    def __init__(self, program, name, maker, shape, window, maps, **arguments):
        import networks

        self.name, self.window, self.maps = name, window, maps
        self.model = networks.made(maker, **arguments)
        pixels = torch.randint(0, 256, (CLASSES, *shape), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
        with tempfile.TemporaryDirectory() as folder:
            tensors = run(program, self.model, pixels, METHODS, [*self.flags(shape[1]), "--patch", shape[1]], pathlib.Path(folder))[1]
        self.pixels, self.program = pixels, program
        self.tensors = {name: torch.from_numpy(values.copy()) for name, values in tensors.items()}
        self.x, self.target = self.tensors["images"], self.tensors["target"]

    def flags(self, side):
        window, stride = self.window
        return ["--integrated-gradients-steps", 50, "--occlusion-window", window, "--occlusion-stride", stride,
                "--shapley-sampling-patch", side // 2]

    def measures(self, methods):
        """whence's measures of these methods, with single pixels as regions."""
        with tempfile.TemporaryDirectory() as folder:
            return run(self.program, self.model, self.pixels, methods, [*self.flags(self.pixels.shape[2]), "--patch", 1],
                       pathlib.Path(folder))[0]

    def whence(self, method):
        return self.tensors[method]


METHODS = ["gradient", "gradient_magnitude", "input_times_gradient", "integrated_gradients", "occlusion", "grad_cam",
           "guided_backprop", "deconvnet", "shapley_sampling", "lrp_epsilon", "lrp_gamma", "lrp_gamma_box",
           "lrp_epsilon_plus", "lrp_epsilon_plus_flat", "lrp_alpha2_beta1", "excitation_backprop"]


def run(program, model, pixels, methods, flags, folder):
    """What the program prints, and its tensors."""
    torch.jit.save(torch.jit.trace(model, pixels[:2] / 255), folder / "model.pt")
    write_idx(folder / "data", pixels)
    command = [program, "attribute", "--classifier", folder / "model.pt", "--data", folder / "data", "--count", 0, "--classifier-output", "logits",
               "--subsets", 0, "--noise-draws", 0, "--json", "--out", folder / "out", *flags]
    for method in known_methods(program, methods):
        command += ["--method", method]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"whence failed: {done.stderr.strip()}")
    return json.loads(done.stdout)["methods"], read_safetensors(folder / "out/attributions.safetensors")


def known_methods(program, methods):
    """Those that this whence has."""
    known = subprocess.run([program, "attribute", "--help"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"[a-z0-9_]+", known))
    return [method for method in methods if method in known]


def subjects(program, quick):
    import networks

    yield Subject(program, "base CNN", networks.base_cnn, (1, 28, 28), (4, 2), lambda model: model[3])
    if quick:
        return
    yield Subject(program, "VGG-11", networks.vgg11, (3, 32, 32), (8, 4),
                  lambda model: [part for part in model if isinstance(part, torch.nn.ReLU)][7])
    yield Subject(program, "ResNet-18", networks.resnet18, (3, 64, 64), (16, 8), lambda model: model.blocks[-1].relu2)


def captum_pairs(subject):
    """(method, note, whence's map, captum's map)"""
    from captum import attr

    model, x, target = subject.model, subject.x, subject.target
    yield "gradient", "", subject.whence("gradient"), attr.Saliency(model).attribute(x, target=target, abs=False)
    yield ("gradient_magnitude", "the largest of the channels", subject.whence("gradient_magnitude"),
           attr.Saliency(model).attribute(x, target=target).amax(1, True))
    yield "input_times_gradient", "", subject.whence("input_times_gradient"), attr.InputXGradient(model).attribute(x, target=target)
    yield integrated_pair(subject)
    window, stride = subject.window
    channels = x.shape[1]
    occluded = attr.Occlusion(model).attribute(x, (channels, window, window), (channels, stride, stride), 0, target)
    yield ("occlusion", f"{window} x {window}, stride {stride}", subject.whence("occlusion"),
           occluded[:, :1])
    layer = attr.LayerGradCam(model, subject.maps(model)).attribute(x, target, relu_attributions=True)
    yield "grad_cam", "", subject.whence("grad_cam"), attr.LayerAttribution.interpolate(layer, tuple(x.shape[2:]), "bilinear")
    yield "guided_backprop", "", subject.whence("guided_backprop"), attr.GuidedBackprop(model).attribute(x, target)
    yield "deconvnet", "", subject.whence("deconvnet"), attr.Deconvolution(model).attribute(x, target)
    yield from deep_lift_pair(subject)
    yield from noisy_pairs(subject)
    yield shapley_pair(subject)


def integrated_pair(subject):
    """On the network with SiLU in place of ReLU. A ReLU whose input is nearly 0 at one of the points is on or off by rounding, in captum as
    in whence; the note says how far both are from captum in float64 on the network itself."""
    import networks
    from captum import attr

    def by_captum(model, x):
        return attr.IntegratedGradients(model).attribute(x, target=subject.target, n_steps=50, internal_batch_size=64)

    exact = by_captum(copy.deepcopy(subject.model).double(), subject.x.double())
    own, theirs = (relative(found, exact) for found in (subject.whence("integrated_gradients"), by_captum(subject.model, subject.x)))
    note = f"50 points; with ReLU whence is {own:.0e} and captum {theirs:.0e} from captum in float64"
    if whence is None:
        return "integrated_gradients", note, subject.whence("integrated_gradients"), exact, max(TOLERANCE, 2 * theirs)
    smooth = networks.with_silu(subject.model)
    found = whence.attribute(smooth, subject.x, subject.target, "integrated_gradients", n_steps=50).values
    return "integrated_gradients", f"SiLU for ReLU, {note}", found, by_captum(smooth, subject.x)


def deep_lift_pair(subject):
    """From a random image, on the network with average pools: the rescale rule says nothing of max pools, for which each tool has a rule of
    its own. The note says how far both maps' sums are from f(x) - f(baseline) on the network itself."""
    import networks
    from captum import attr

    if whence is None:
        return
    x, target = subject.x, subject.target
    baseline = torch.rand(x[0].shape, generator=torch.Generator().manual_seed(5))
    everywhere = baseline.expand_as(x).contiguous()

    def maps(model):
        return (whence.attribute(model, x, target, "deep_lift", baselines=baseline).values,
                attr.DeepLift(model).attribute(x, everywhere, target))

    def excess(values):
        rise = (subject.model(x) - subject.model(everywhere)).gather(1, target[:, None])[:, 0].detach()
        return ((values.flatten(1).sum(1) - rise).abs().mean() / rise.abs().mean()).item()

    own, theirs = map(excess, maps(subject.model))
    yield ("deep_lift", f"rescale, average pools; with the network's max pools whence's sums miss the rise by {own:.0e} of its size, captum's by "
           f"{theirs:.0e}",
           *maps(networks.with_average_pools(subject.model)))


def noisy_pairs(subject, samples=12):
    """captum's gradients at the very copies that whence made, seen by a model that it knows as a function."""
    from captum import attr

    if whence is None:
        return
    seen = []

    def watched(images):
        seen.append(images.detach().clone())
        return subject.model(images)

    role = whence.classifier(watched, subject.x, output="logits")
    count = len(subject.x)
    for method, note, of_gradients in (
            ("smooth_grad", "the same noise", lambda g: g.mean(0)),
            ("smooth_grad_squared", "the same noise", lambda g: g.square().mean(0)),
            ("var_grad", "the same noise; the unbiased variance, captum's times n / (n - 1)", lambda g: g.var(0))):
        seen.clear()
        found = whence.attribute(role, subject.x, subject.target, method, n_samples=samples).values
        copies = torch.cat(seen)[:samples * count]
        gradient = attr.Saliency(subject.model).attribute(copies, target=subject.target.repeat(samples), abs=False)
        yield method, note, found, of_gradients(gradient.view(samples, count, *subject.x.shape[1:]))


def shapley_pair(subject):
    """Four regions have 24 orders, so that both are exact."""
    from captum import attr

    x, side = subject.x, subject.x.shape[2] // 2
    half = torch.arange(x.shape[2]) // side
    mask = (2 * half[:, None] + half).expand(1, x.shape[1], -1, -1).contiguous()
    exact = attr.ShapleyValues(subject.model).attribute(x, 0, subject.target, feature_mask=mask)
    return ("shapley_sampling", "four regions, exact; shared among their pixels",
            subject.whence("shapley_sampling"), exact[:, :1] / side**2)


def zennit_pairs(subject):
    """Against zennit in float64: small denominators raise rounding. The note says how far zennit's own float32 is from its float64; up to
    twice that counts as agreement."""
    import networks

    single = peers.sum_with_zennit(networks.without_norms(subject.model))
    double = copy.deepcopy(single).double()

    def by_zennit(model, composite, x, method):
        x = x.clone().requires_grad_()
        with composite.context(model) as hooked:
            logits = hooked(x)
            start = torch.nn.functional.one_hot(subject.target, CLASSES).to(x.dtype)
            return torch.autograd.grad(logits, x, start if method == "excitation_backprop" else start * logits.detach())[0].detach()

    exact, rounded = peers.composites(torch.float64), peers.composites(torch.float32)
    for method in exact:
        expected = by_zennit(double, exact[method], subject.x.double(), method)
        rounding = relative(by_zennit(single, rounded[method], subject.x, method), expected)
        note = "no bias in ZPlus; " if "plus" in method or method == "excitation_backprop" else ""
        yield (method, f"{note}float64, from which its float32 differs by {rounding:.1e}", subject.whence(method), expected,
               max(TOLERANCE, 2 * rounding))


def write_idx(folder, pixels):
    """A data set of bytes, as both splits; images (N, C, H, W) with one or three channels."""
    folder.mkdir()
    sizes = pixels.shape if pixels.shape[1] > 1 else pixels[:, 0].shape  # three sizes, or four where there are channels
    count = len(pixels)
    for split in ("train", "t10k"):
        header = struct.pack(f">I{len(sizes)}I", 0x800 + len(sizes), *sizes)
        (folder / f"{split}-images-idx{len(sizes)}-ubyte").write_bytes(header + pixels.numpy().tobytes())
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, count) + bytes(range(count)))


def measure_rows(subject, quantus):
    """Means over the images of whence's measures and of Quantus', on whence's maps."""
    methods = ("gradient", "integrated_gradients", "lrp_epsilon")
    found = subject.measures(methods)
    for method in methods:
        for measure, expected in quantus_means(subject, method, quantus).items():
            own = found[method][measure]["mean"]
            yield measure, method, own, expected, abs(own - expected) / max(abs(expected), 1e-30)


def read_safetensors(file):
    import numpy

    data = file.read_bytes()
    length, = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        kind = {"F32": numpy.float32, "I64": numpy.int64}[entry["dtype"]]
        tensors[name] = numpy.frombuffer(data[8 + length + first:8 + length + last], kind).reshape(entry["shape"])
    return tensors


def quantus_means(subject, method, quantus):
    import numpy

    model = subject.model
    x, y, maps = subject.x.numpy(), subject.target.numpy(), subject.tensors[method].numpy()
    settings = {"features_in_step": 1, "perturb_baseline": "black", "abs": False, "normalise": False, "disable_warnings": True,
                "display_progressbar": False}
    scores = model(subject.x).gather(1, subject.target[:, None]).numpy()

    def area(values):
        curve = quantus.PixelFlipping(**settings)(model=model, x_batch=x, y_batch=y, a_batch=values, softmax=False)
        falls = scores - numpy.concatenate([scores, numpy.asarray(curve)], 1)
        return falls.mean(1).mean().item()

    sparse = quantus.Sparseness(disable_warnings=True, display_progressbar=False)(model=model, x_batch=x, y_batch=y, a_batch=maps)
    return {"morf": area(maps), "lerf": area(-maps), "sparseness": float(numpy.mean(sparse))}


OTHER_DEFINITIONS = [
    ("sensitivity_n", "Quantus orders pixels by the map and takes them out in steps; whence draws random sets of regions (Ancona et al. "
     "2018, section 4)"),
    ("infidelity", "Quantus gives the squared error of the map as it is; whence divides by the squared falls and allows one factor for "
     "each image (Yeh et al. 2019, section 3.1), so that maps of any unit can be compared"),
    ("max_sensitivity", "the same quotient; each tool draws its own noise"),
    ("randomization", "Quantus' MPRT goes layer by layer; whence randomizes all layers at once (Adebayo et al. 2018)"),
]


def machine():
    model = [line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return f"{len(model)} x {model[0] if model else platform.machine()}, PyTorch {torch.__version__}"


def table(rows, measures, versions):
    """Markdown."""
    lines = ["# whence beside captum, zennit and Quantus", "",
             "Written by `bench/peers/compare.py`, which a person runs ([bench](../bench/README.md#peers)). " +
             f"{versions}; {machine()}.", "",
             "Networks have random weights, biases and statistics of batch norms. Images are random bytes. The difference is the largest of any "
             f"pixel of any image, as a share of the image's largest value; {TOLERANCE:g} is the bar.", "",
             "| network | method | peer | how | difference | agrees |", "|---|---|---|---|---|---|"]
    for network, method, peer, note, difference, agrees in rows:
        lines.append(f"| {network} | {method} | {peer} | {note} | {difference:.1e} | {'yes' if agrees else '**no**'} |")
    if measures:
        lines += ["", "Means over the images, on the same maps, regions of one pixel, black as replacement, logits:", "",
                  "| measure | map | whence | Quantus | difference | agrees |", "|---|---|---|---|---|---|"]
        for measure, method, own, expected, difference, agrees in measures:
            lines.append(f"| {measure} | {method} | {own:.6g} | {expected:.6g} | {difference:.1e} | "
                         f"{'yes' if agrees else '**no**'} |")
    lines += ["", "Not compared, because the definitions differ:", ""]
    lines += [f"* **{name}**: {why}." for name, why in OTHER_DEFINITIONS]
    lines += ["* **z_plus and excitation**: zennit's ZPlus counts positive biases among the terms that share relevance. whence's rules "
              "leave biases out, as Montavon et al. 2017 and Zhang et al. 2016 do. zennit is asked for the same (`zero_params`).",
              "* **excitation, where layers add up**: zennit's Norm gives negative summands a negative probability. whence walks along "
              "positive ones only; zennit is given a rule that does the same."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the program whence")
    parser.add_argument("--quick", action="store_true", help="the base CNN alone")
    parser.add_argument("--out", type=pathlib.Path, help="a Markdown file")
    arguments = parser.parse_args()
    rows, measures = [], []
    for subject in subjects(arguments.program, arguments.quick):
        for peer, pairs in (("captum", captum_pairs(subject)), ("zennit", zennit_pairs(subject))):
            for method, note, found, expected, *tolerance in pairs:
                difference = relative(found, expected)
                rows.append((subject.name, method, peer, note, difference, difference <= (tolerance or [TOLERANCE])[0]))
                print(f"{subject.name:<10} {method:<24} {peer:<7} {difference:.1e} {note}", flush=True)
        if subject.name == "base CNN":
            for row in measure_rows(subject, quantus):
                measures.append((*row, row[-1] <= TOLERANCE))
                print(f"{row[0]:<12} {row[1]:<22} whence {row[2]:.6g} Quantus {row[3]:.6g}", flush=True)
    wrong = [row for row in rows + measures if not row[-1]]
    if arguments.out:
        arguments.out.write_text(table(rows, measures, f"captum {captum.__version__}, zennit {peers.version('zennit')}, "
                                                       f"Quantus {peers.version('quantus')}"))
    print(f"{len(rows) + len(measures) - len(wrong)} agree, {len(wrong)} do not")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        captum, zennit, quantus = peers.load()
        import torch
    except (peers.Missing, ImportError) as error:
        print(f"skipped: {error}")
        sys.exit(77)
    try:
        import whence
    except ImportError:
        whence = None
        print("whence's Python module is not there: methods that draw noise are left out")
    warnings.simplefilter("ignore")
    sys.exit(main())
