#!/usr/bin/env python3
"""Times whence beside captum and zennit, in one process with one PyTorch: bench/peers/speed.py [--small] [--rounds N] [--memory]

Each tool gets the best of several batch sizes. Rounds alternate between the tools; the table has medians and the least and most of
the ratios. Maps of which the median image's differ by more than 1e-2 of their largest value are not timed; compare.py
compares them exactly, and says why ReLUs make some images differ in float32. Run it with no other program at work. --memory
measures what attributions of 10,000 images need above the model and the images, in processes of their own.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import peers  # noqa: E402

BATCHES = (64, 256)
LARGEST_DIFFERENCE = 1e-2
NETWORKS = ("base CNN", "ResNet-18")
MEMORY = {"gradient": {}, "input_times_gradient": {}, "integrated_gradients": {"n_steps": 8}, "smooth_grad": {"n_samples": 8},
          "lrp_epsilon_plus": {}, "occlusion": {"window": 14, "stride": 14}, "grad_cam": {}}


class Work:
    """A network, its images, and the jobs on them: (name, bar, whence's call, peer, peer's calls). Calls return maps."""

    def __init__(self, name, model, x, steps, window):
        self.name, self.model, self.x, self.steps, self.window = name, model, x, steps, window
        self.target = model(x).argmax(1)
        self.role = whence.classifier(model, x[:4], output="logits", layers=True)

    def own(self, method, **options):
        return [lambda batch=batch: whence.attribute(self.role, self.x, self.target, method, batch=batch, **options).values
                for batch in BATCHES]

    def jobs(self, least, least_lrp):
        from captum import attr

        model, x, target = self.model, self.x, self.target
        channels, (window, stride), steps = x.shape[1], self.window, self.steps
        saliency = attr.Saliency(model)
        yield ("saliency", least, self.own("gradient"), "captum",
               [lambda: saliency.attribute(x, target=target, abs=False), lambda: in_batches(
                   lambda rows: saliency.attribute(x[rows], target=target[rows], abs=False), len(x))])
        yield (f"integrated gradients, {steps} points", least, self.own("integrated_gradients", n_steps=steps), "captum",
               [lambda batch=batch: attr.IntegratedGradients(model).attribute(x, target=target, n_steps=steps, internal_batch_size=batch)
                for batch in BATCHES])
        tunnel = attr.NoiseTunnel(attr.Saliency(model))
        yield (f"SmoothGrad, {steps} copies", least, self.own("smooth_grad", n_samples=steps), "captum",
               [lambda at_once=at_once: tunnel.attribute(x, nt_samples=steps, nt_samples_batch_size=at_once, stdevs=0.15,
                                                         target=target, abs=False) for at_once in (1, 2)])
        yield (f"occlusion {window} x {window}, stride {stride}", least, self.own("occlusion", window=window, stride=stride), "captum",
               [lambda at_once=at_once: attr.Occlusion(model).attribute(x, (channels, window, window), (channels, stride, stride), 0, target,
                                                                        perturbations_per_eval=at_once)[:, :1] for at_once in (1, 4)])
        yield "LRP epsilon plus", least_lrp, self.own("lrp_epsilon_plus"), "zennit", [lambda: self.relevance("lrp_epsilon_plus"), lambda: in_batches(
            lambda rows: self.relevance("lrp_epsilon_plus", rows), len(x))]

    def relevance(self, method, rows=slice(None)):
        import networks

        if not hasattr(self, "merged"):
            self.merged = peers.sum_with_zennit(networks.without_norms(self.model))
            self.composites = peers.composites(torch.float32)
        x = self.x[rows].clone().requires_grad_()
        with self.composites[method].context(self.merged) as hooked:
            logits = hooked(x)
            start = torch.nn.functional.one_hot(self.target[rows], logits.shape[1]) * logits.detach()
            return torch.autograd.grad(logits, x, start)[0].detach()


def in_batches(body, count, size=BATCHES[0]):
    return torch.cat([body(slice(first, first + size)) for first in range(0, count, size)])


def seconds_of(call):
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def best_of(calls):
    """The fastest, each after a first run where that was short."""
    timed = []
    for call in calls:
        seconds = seconds_of(call)
        timed.append((seconds_of(call) if seconds < 10 else seconds, call))
    return min(timed, key=lambda entry: entry[0])[1]


def difference(a, b):
    size = b.double().flatten(1).abs().amax(1).clamp_min(1e-30)
    return ((a - b).double().flatten(1).abs().amax(1) / size).median().item()


def works(small):
    import networks

    def images(*shape):
        return torch.rand(*shape, generator=torch.Generator().manual_seed(3))

    cnn = networks.made(networks.base_cnn)
    yield Work("base CNN, 28 x 28", cnn, images(20 if small else 200, 1, 28, 28), 10 if small else 50, (4, 2)), 2.0, 1.5
    resnet = networks.made(networks.resnet18, classes=1000)
    side = 64 if small else 224
    yield Work(f"ResNet-18, {side} x {side}", resnet, images(2 if small else 16, 3, side, side), 4 if small else 10,
               (side // 4, side // 8)), 1.0, 1.0


def compare(small, rounds, chosen):
    lines = ["| network | images | job | whence, images/s | peer | images/s | ratio (least to most) | bar | |", "|---|---|---|---|---|---|---|---|---|"]
    for work, least, least_lrp in works(small):
        if not work.name.startswith(tuple(chosen)):
            continue
        for job, bar, own, peer, theirs in work.jobs(least, least_lrp):
            apart = 0 if job.startswith("SmoothGrad") else difference(own[0](), theirs[0]())  # each draws its own noise
            if apart > LARGEST_DIFFERENCE:
                lines.append(f"| {work.name} | {len(work.x)} | {job} | | {peer} | | results differ by {apart:.1e} | {bar} | **no** |")
                print(lines[-1], flush=True)
                continue
            ours, other = best_of(own), best_of(theirs)
            pairs = [(seconds_of(ours), seconds_of(other)) for _ in range(rounds)]
            ratios = [b / a for a, b in pairs]
            ratio = statistics.median(ratios)
            lines.append(f"| {work.name} | {len(work.x)} | {job} | {len(work.x) / statistics.median(a for a, _ in pairs):.3g} | {peer} | "
                         f"{len(work.x) / statistics.median(b for _, b in pairs):.3g} | {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | "
                         f"{bar} | {'reached' if ratio >= bar else '**missed**'} |")
            print(lines[-1], flush=True)
    return lines


def floor(small):
    """What integrated gradients on the base CNN do in a second, beside what a product of large matrices does."""
    from torch.utils.flop_counter import FlopCounterMode

    work = next(works(small))[0]
    x = work.x.clone().requires_grad_()
    with FlopCounterMode(display=False) as counter:
        work.model(x).gather(1, work.target[:, None]).sum().backward()
    operations = counter.get_total_flops() * work.steps
    matrix = torch.rand(2048, 2048)
    product = min(seconds_of(lambda: matrix @ matrix) for _ in range(10))
    taken = min(seconds_of(call) for call in work.own("integrated_gradients", n_steps=work.steps) for _ in range(2))
    return ["", f"Integrated gradients on the base CNN: {operations / taken / 1e9:.0f} GFLOP/s; a product of matrices of 2048 x 2048: "
            f"{2 * 2048**3 / product / 1e9:.0f} GFLOP/s."]


def masks(small, rounds):
    """Fong and Vedaldi's masks: the time for many images as a multiple of that for one."""
    if "mask_perturbation" not in whence.methods:
        return ["", "Masks of Fong and Vedaldi: this whence has none."]
    work = next(works(small))[0]
    count = 8 if small else 64
    many, one = [], []
    for _ in range(rounds):
        for images, times in ((work.x[:1], one), (work.x[:count], many)):
            times.append(seconds_of(lambda images=images: whence.attribute(work.role, images, work.target[:len(images)],
                                                                           "mask_perturbation", batch=count)))
    ratio = statistics.median(many) / statistics.median(one)
    return ["", f"Masks of Fong and Vedaldi on the base CNN: {count} images take {ratio:.1f} times as long as one "
            f"({statistics.median(many):.2f} s and {statistics.median(one):.2f} s; the bar for 64 is 8)."]


def memory_of(method, count):
    """Peak memory in MiB of a process that explains `count` images; without a method it only makes the model and the images."""
    command = [sys.executable, __file__, "--child", method, "--count", str(count)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def memory_child(method, count):
    import resource

    import networks

    model, x = networks.made(networks.base_cnn), torch.rand(count, 1, 28, 28)
    role = whence.classifier(model, x[:4], output="logits", layers=True)
    options = MEMORY.get(method, {})
    name = method.removeprefix("one:")
    options = MEMORY.get(name, {})
    rows = x[:1] if method.startswith("one:") else x
    whence.attribute(role, rows, 0, name, **options)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def memory(small):
    count = 1000 if small else 10_000
    lines = ["", f"Memory for {count:,} images of 28 x 28 with the base CNN, above the same model explaining one of them (the bar for 10,000 is "
             "1,024 MiB):", "", "| method | MiB |", "|---|---|"]
    for method in MEMORY:
        if method in whence.methods:
            lines.append(f"| {method} | {memory_of(method, count) - memory_of('one:' + method, count):.0f} |")
            print(lines[-1], flush=True)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="few images and points, to try the script")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--networks", nargs="+", default=NETWORKS, choices=NETWORKS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", action="store_true", help="memory instead of time")
    parser.add_argument("--out", type=pathlib.Path, help="a Markdown file")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.child:
        memory_child(arguments.child, arguments.count)
        return
    import os

    lines = [f"captum {peers.version('captum')}, zennit {peers.version('zennit')}, PyTorch {torch.__version__}, {arguments.threads} threads, "
             f"load {os.getloadavg()[0]:.1f} at the start.", ""]
    if arguments.memory:
        lines += memory(arguments.small)
    else:
        lines += compare(arguments.small, arguments.rounds, arguments.networks)
        if NETWORKS[0] in arguments.networks:
            lines += floor(arguments.small) + masks(arguments.small, arguments.rounds)
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


if __name__ == "__main__":
    try:
        if "--child" not in sys.argv:
            peers.load()
        import torch
        import whence
    except (peers.Missing, ImportError) as error:
        print(f"skipped: {error}")
        sys.exit(77)
    main()
