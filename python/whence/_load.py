"""Explanations from run folders, of images and of texts."""
from __future__ import annotations

import os
import pathlib

from whence import _folder, _models, _text_folder
from whence._explain import Explanation
from whence._explain_texts import TextExplanation


def load(folder: str | os.PathLike) -> Explanation | TextExplanation:
    """An explanation that Explanation.save, TextExplanation.save or the program wrote. Errors: no run folder; not trained yet; a run
    without an explanation."""
    place = pathlib.Path(folder)
    if _models.run_folder(place) is not None and "image" not in _models.recipe_of(place)[1]:
        return _text_folder.load(place, TextExplanation)
    return _folder.load(place, Explanation)
