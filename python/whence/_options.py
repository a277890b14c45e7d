"""Keyword arguments as the options of the one schema: names, ranges and meanings are those of recipes and flags."""
from __future__ import annotations

import keyword
import typing

from whence import _whence

#: Keys of recipes that are arguments of the functions, or belong to runs alone.
_ARGUMENTS = {
    "attribute": {"methods", "images", "references", "patch", "fill", "replacement", "subsets", "noise_draws", "noise"},
    "evaluate_attributions": {"methods", "images", "references"},
    "attribution_truth": {"methods", "images", "references", "patch", "fill", "replacement", "subsets", "noise_draws", "noise"},
    "causes": {"causal"},
    "select": set(),
    "flow": set(),
    "counterfactual": set(),
    "visualize": {"objectives", "layers", "units", "parametrizations", "references", "real", "judge", "judge_file"},
    "explain": {"causal", "noncausal"},
    "explain_texts": {"causal", "noncausal"},
    "morph": {"images", "target", "components"},
    "modules": set(),
}


#: Where a function's options stand, if not under its own name.
_SECTIONS = {"evaluate_attributions": "attribute", "attribution_truth": "attribute"}


def _text(value: typing.Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "x".join(map(_text, value)) if all(isinstance(each, int) for each in value) else ",".join(map(_text, value))
    return str(value)


def texts(options: dict[str, typing.Any], of_method: typing.Sequence[str] = ()) -> dict[str, str]:
    """Values as text. A name may leave out what stands in front of it in the names of the method's own options: steps for
    integrated_gradients_steps, samples for var_grad's smooth_grad_samples. One that Python keeps for itself ends in an underscore:
    lambda_."""
    result = {}
    for name, value in options.items():
        if keyword.iskeyword(name[:-1]) and name.endswith("_"):
            name = name[:-1]
        result[next((full for full in of_method if full.endswith(f"_{name}")), name)] = _text(value)
    return result


def documented(function: str) -> typing.Callable[[typing.Callable], typing.Callable]:
    """Adds the options to a docstring."""

    def add(to: typing.Callable) -> typing.Callable:
        lines = [to.__doc__ or "", "    Options:"]
        for name, (allowed, default, unit, doc) in _whence.options[_SECTIONS.get(function, function)].items():
            if name not in _ARGUMENTS[function]:
                what = f"{allowed}; {unit}" if unit else allowed
                shown = f"{name}_" if keyword.iskeyword(name) else name
                lines.append(f"    {shown} = {default or 'none'} ({what})\n        {doc}")
        to.__doc__ = "\n".join(lines)
        return to

    return add
