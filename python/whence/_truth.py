"""Attribution methods on problems whose answer is known."""
from __future__ import annotations

import json
import typing

from whence import _html, _whence
from whence._options import documented, texts
from whence._result import _Result

Progress = typing.Callable[[str, int, int], None]

#: The problems: {name: {"title", "meaning", "source", "score", "score_title", "larger_is_better"}}.
truth_problems: dict[str, dict[str, typing.Any]] = _whence.truth_problems


class AttributionTruth(_Result):
    """problems: {name: {"title", "images", "accuracy" of the classifier, "methods": {name: {score: {"mean", "se"}, "seconds_per_image"}},
    "random_order", "edge_filter", "skipped": {method: why}}}; summary: which methods find the truth most often, in words; without_data:
    problems that need CIFAR-10, which Python does not load; record: all of it, as `whence attribute --truth --json` prints it."""

    problems: dict[str, dict[str, typing.Any]]
    summary: str
    without_data: list[str]
    record: dict[str, typing.Any]

    def _table(self) -> tuple[list[list[str]], list[str]]:
        """A row for each method, with the first score of each problem, and the header."""
        names = [name for name in _whence.methods if any(name in own["methods"] for own in self.problems.values())]

        def cell(problem: str, row: dict[str, typing.Any] | None) -> str:
            own = None if row is None else row.get(truth_problems[problem]["score"])
            return "-" if own is None or own["mean"] is None else f"{own['mean']:.2f} ± {own.get('se') or 0:.2f}"

        rows = [[name] + [cell(problem, own["methods"].get(name)) for problem, own in self.problems.items()] for name in names]
        rows += [[name.replace("_", " ")] + [cell(problem, own[name]) for problem, own in self.problems.items()]
                 for name in ("random_order", "edge_filter")]
        return rows, ["method", *self.problems]

    def __str__(self) -> str:
        rows, header = self._table()
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
        lines = ["  ".join([row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])])
                 for row in [header, *rows]]
        return "\n".join([*lines, "", self.summary])

    def _repr_html_(self) -> str:
        known = [[name, facts["title"], facts["score_title"], "1 is best" if facts["larger_is_better"] else "0 is best"]
                 for name, facts in truth_problems.items() if name in self.problems]
        return (f"<p>{_html.html.escape(self.summary)}</p>" + _html.table(*self._table())
                + _html.table(known, ["problem", "what it is", "score", ""]))


@documented("attribution_truth")
def attribution_truth(methods: typing.Sequence[str] | str | None = None, images: int = 50, *,
                      problems: typing.Sequence[str] | str | None = None, seed: int = 0, progress: Progress | None = None,
                      **options: typing.Any) -> AttributionTruth:
    """Attribution methods on problems whose answer is known (`whence attribute --truth`): do they find the pixels that the classifier
    really uses? Images are drawn, and classifiers written down or trained within seconds; no model of yours takes part.

    methods: names of whence.methods; None: all. problems: names of whence.truth_problems; None: all.
    images: of each problem, 2 or more.

    Errors (usage): a method, problem or option that does not exist.
    """
    if images < 2:
        raise _whence.UsageError(f"images is {images}, but must be 2 or more")
    named = [methods] if isinstance(methods, str) else list(methods or [])
    asked = [problems] if isinstance(problems, str) else list(problems or [])
    chosen = [_whence.method_named(name) for name in named]
    found = json.loads(_whence.attribution_truth(chosen, asked, images, texts(options), seed, progress))
    summary = found.pop("summary", "No problem could be made without CIFAR-10.").replace("**", "")
    return AttributionTruth({"problems": found["problems"], "summary": summary, "without_data": found.get("without_data", []),
                             "record": found})
