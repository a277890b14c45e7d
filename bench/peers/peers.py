"""captum, zennit and Quantus, where they are installed."""
import sys
import types


class Missing(Exception):
    """One sentence for the user."""


def without_torchvision():
    """zennit imports two classes of torchvision, which does not load beside every PyTorch; nothing here uses them."""
    resnet = types.ModuleType("torchvision.models.resnet")
    resnet.Bottleneck = type("Bottleneck", (), {})
    resnet.BasicBlock = type("BasicBlock", (), {})
    models = types.ModuleType("torchvision.models")
    models.resnet = resnet
    package = types.ModuleType("torchvision")
    package.models = models
    sys.modules.update({"torchvision": package, "torchvision.models": models, "torchvision.models.resnet": resnet})


def load():
    """The three modules. Error: Missing."""
    without_torchvision()
    try:
        import captum
        import captum.attr
        import quantus
        import zennit
        import zennit.composites
    except ImportError as error:
        raise Missing(f"{error.name or error} is missing; pip install -r bench/peers/requirements.txt into a virtual environment") \
            from error
    return captum, zennit, quantus


def sum_with_zennit(model):
    """A copy whose sums are zennit's."""
    import copy

    import torch
    import zennit.layer

    import networks

    class Stacked(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.sum = zennit.layer.Sum()

        def forward(self, a, b):
            return self.sum(torch.stack([a, b], -1))

    model = copy.deepcopy(model)
    for part in list(model.modules()):
        for name, child in list(part._modules.items()):
            if isinstance(child, networks.Sum):
                part._modules[name] = Stacked()
    return model


def composites(dtype):
    """whence's name of a method: zennit's composite.

    zennit's ZPlus counts positive biases among the terms that share relevance; whence's z_plus (Montavon et al. 2017) and excitation
    (Zhang et al. 2016, equation 5) do not, so its ZPlus gets no bias here. All other rules treat biases alike. Where layers add up,
    zennit's excitation lets negative summands share, whence's does not.
    """
    import torch
    from zennit import composites as z
    from zennit.core import BasicHook, stabilize
    from zennit.layer import Sum
    from zennit.rules import Epsilon, Gamma, ZPlus
    from zennit.types import Convolution, Linear

    positive_sum = BasicHook([lambda inputs: inputs.clamp(min=0)], gradient_mapper=lambda grad, outputs: grad / stabilize(outputs[0]),
                             reducer=lambda inputs, gradients: inputs[0] * gradients[0])

    no_bias = {"zero_params": "bias"}
    base = z.layer_map_base()
    plus = [(Convolution, ZPlus(**no_bias))]
    box = {"low": torch.tensor(0, dtype=dtype), "high": torch.tensor(1, dtype=dtype)}
    return {
        "lrp_epsilon": z.LayerMapComposite(base + [(Linear, Epsilon())]),
        "lrp_gamma": z.LayerMapComposite(base + [(Convolution, Gamma(0.25)), (Linear, Epsilon())]),
        "lrp_gamma_box": z.EpsilonGammaBox(**box),
        "lrp_epsilon_plus": z.EpsilonPlus(layer_map=plus),
        "lrp_epsilon_plus_flat": z.EpsilonPlusFlat(layer_map=plus),
        "lrp_alpha2_beta1": z.EpsilonAlpha2Beta1(),
        "excitation_backprop": z.ExcitationBackprop(layer_map=[(Sum, positive_sum)], **no_bias),
    }


def version(package):
    import importlib.metadata

    return importlib.metadata.version(package)
