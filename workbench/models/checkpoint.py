"""Loads the processor of a vision-language checkpoint before its weights, and names what is wrong.

A processor is a few files and most of what can go wrong (a package that is absent, a model without
pictures, a template that nothing can be taught with), so it comes first: weights of many gigabytes
are not fetched to find that out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoProcessor

from workbench.errors import InputError, MissingPart
from workbench.models import pointer_processor, region_vlm  # noqa: F401 - makes the Auto classes know them
from workbench.models.bundled import student_folder
from workbench.models.conversation import Conversation
from workbench.models.language import quiet
from workbench.models.weights import NAMES, SMALL, small_folder


def hub_install() -> str:
    """The command that brings what processors of the hub need, without replacing torch.

    torchvision asks for one version of torch alone, so the one that is there is named, and the
    index that its build came from.
    """
    version, _, build = torch.__version__.partition("+")
    index = f" --extra-index-url https://download.pytorch.org/whl/{build}" if build else ""
    return f"pip install{index} 'vpd-workbench[hub]' torch=={version}"


@contextmanager
def loading_errors(checkpoint: str) -> Iterator[None]:
    """Turns what transformers raises while it loads into errors that say what to do."""
    try:
        with quiet():
            yield
    except ImportError as error:
        raise MissingPart(
            f"the model '{checkpoint}' needs a package that is absent ({_brief(error)}); the "
            f"processors of the hub's families take: {hub_install()}"
        ) from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise InputError(
            f"the model '{checkpoint}' cannot be loaded ({_brief(error)}); give {NAMES}, "
            "the folder of a checkpoint of AutoModelForImageTextToText, or a hub id"
        ) from error


def checkpoint_path(checkpoint: str) -> str:
    """The folder or hub id of a checkpoint, as transformers' `from_pretrained` takes it.

    Raises:
        InputError: it is written as a path and nothing is there.
    """
    if checkpoint == "bundled":
        return str(student_folder())
    if checkpoint in SMALL:
        return str(small_folder(checkpoint))
    path = Path(checkpoint).expanduser()
    if path.is_dir():
        return str(path)
    if checkpoint[:1] in ("", ".", "/", "~"):
        raise InputError(f"no model folder at '{checkpoint}'; give {NAMES}, a folder, or a hub id")
    return checkpoint


def load_processor(checkpoint: str) -> Any:
    """The processor of a checkpoint, tried on a question before any weight is read.

    Raises:
        InputError: there is no such checkpoint, it takes no pictures, or its chat template cannot
            write a question about one and its answer.
        MissingPart: the processor needs a package.
    """
    path = checkpoint_path(checkpoint)
    with loading_errors(checkpoint):
        processor = AutoProcessor.from_pretrained(path)
    if not hasattr(processor, "tokenizer"):
        raise InputError(
            f"the model '{checkpoint}' has no processor for pictures; take a vision-language model "
            "(a checkpoint of AutoModelForImageTextToText)"
        )
    Conversation(processor)
    return processor


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
