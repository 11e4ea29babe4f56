"""What of a model is here, and what it takes to get and to load it, before anything is downloaded.

The hub is asked for names and sizes of files and for the licence alone; where it cannot be reached,
the catalogue and what lies in the cache have to do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from workbench.models.hub_catalogue import KNOWN, PERMISSIVE
from workbench.models.weights import EMBEDDED, is_folder

GIGA = 1e9
_MARGIN = 1.15
"""What a model takes beside its weights, as a factor: activations, caches, fragments."""
_DRIVER = 1.0
"""Gigabytes that the driver and the libraries take."""
_WEIGHTS = (".safetensors", ".bin", ".gguf")
_LISTS = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
"""Files that name the weights of a model in pieces."""

Place = Literal["embedded", "folder", "hub"]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model."""

    name: str
    size: int | None
    """Bytes; None where nobody could say."""
    present: bool


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What is to be known of a model before it is loaded."""

    model: str
    roles: tuple[str, ...]
    """What it is for in the profile."""
    place: Place
    files: tuple[ModelFile, ...] = ()
    licence: str = ""
    """As its card writes it; empty where nobody could say."""
    gated: bool | None = None
    """Whether terms have to be accepted first; None where nobody could say."""
    size: float | None = None
    """Of its weights as they are loaded, gigabytes; None where nobody could say."""
    problem: str = ""
    """Why the hub could not be asked; empty where it was, or need not be."""

    @property
    def permissive(self) -> bool | None:
        """Whether its licence allows any use; None where nobody could say."""
        if self.place == "embedded":
            return True
        return self.licence.lower() in PERMISSIVE if self.licence else None

    @property
    def complete(self) -> bool:
        """Whether all files are here that it is loaded from, as far as can be seen."""
        if self.place == "embedded":
            return True
        weights = [one for one in self.files if one.name.endswith(_WEIGHTS)]
        return bool(weights) and all(one.present for one in self.files)

    @property
    def download(self) -> float | None:
        """Gigabytes that are to be downloaded; None where nobody could say."""
        if self.complete:
            return 0.0
        if not self.files:
            return self.size
        missing = [one.size for one in self.files if not one.present]
        if not missing or None in missing:
            return None
        return sum(size or 0 for size in missing) / GIGA

    @property
    def advice(self) -> str:
        """How to get it; empty where it is here."""
        if self.complete:
            return ""
        if self.place == "folder":
            return f"put the missing files into {self.model}, or name another folder"
        terms = (
            f"accept its terms at https://huggingface.co/{self.model}, hf auth login, then "
            if self.gated
            else ""
        )
        return (
            f"{terms}hf download {self.model}; without a network: hf download {self.model} "
            "--local-dir FOLDER on another machine, copy the folder, and write its path in the "
            "profile"
        )


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """What the hub says of a model."""

    files: Mapping[str, int | None] = field(default_factory=dict)
    licence: str = ""
    gated: bool | None = None
    problem: str = ""


AskHub = Callable[[str], HubAnswer]


def memory_of(checks: Iterable[ModelCheck]) -> float | None:
    """Gigabytes of a card that models take together; None where a size is not known."""
    sizes = [one.size for one in checks if one.place != "embedded"]
    if None in sizes:
        return None
    return sum(size or 0.0 for size in sizes) * _MARGIN + _DRIVER


def check_model(model: str, roles: tuple[str, ...], ask: AskHub) -> ModelCheck:
    """Look at a model.

    Args:
        model: `bundled`, `small`, `distilled`, a folder or a hub id.
        roles: what it is for.
        ask: asks the hub.
    """
    if model in EMBEDDED:
        return ModelCheck(model, roles, "embedded")
    if is_folder(model):
        return _folder(model, roles)
    answer, here, listed = ask(model), _cached(model), KNOWN.get(model)
    names = answer.files or dict.fromkeys(here) or {}
    files = tuple(
        ModelFile(name, size if size is not None else here.get(name), here.get(name) is not None)
        for name, size in sorted(names.items())
        if _is_loaded(name)
    )
    licence, gated = answer.licence, answer.gated
    size = _size_of({one.name: one.size for one in files})
    if listed is not None:
        licence, size = licence or listed.licence, listed.size
        gated = listed.gated if gated is None else gated
    return ModelCheck(model, roles, "hub", files, licence, gated, size, answer.problem)


def ask_the_hub(model: str) -> HubAnswer:
    """What the hub says of a model; its `problem` says why it says nothing."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        info = HfApi().model_info(model, files_metadata=True, timeout=10)
    except GatedRepoError:
        return HubAnswer(gated=True, problem="its terms were not accepted yet")
    except RepositoryNotFoundError:
        return HubAnswer(problem="the hub has no such model, or it is private")
    except Exception as error:  # no network, a proxy, an offline setting: all mean the same here
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        return HubAnswer(problem=f"the hub was not reached ({reason})")
    card: Any = info.card_data
    return HubAnswer(
        {one.rfilename: one.size for one in info.siblings or ()},
        str(getattr(card, "license", None) or ""),
        bool(info.gated),
    )


def _folder(model: str, roles: tuple[str, ...]) -> ModelCheck:
    folder = Path(model).expanduser()
    paths = folder.iterdir() if folder.is_dir() else ()
    here = {path.name: path.stat().st_size for path in paths if path.is_file()}
    names: dict[str, int | None] = {name: size for name, size in here.items() if _is_loaded(name)}
    names |= dict.fromkeys(set(_pieces(folder)) - set(names))
    names.setdefault("config.json", None)
    if not any(name.endswith(_WEIGHTS) for name in names):
        names["model.safetensors"] = None
    files = tuple(ModelFile(name, size, name in here) for name, size in sorted(names.items()))
    return ModelCheck(model, roles, "folder", files, _licence_in(folder), False, _size_of(names))


def _cached(model: str) -> dict[str, int | None]:
    """The files of a model in the hub's cache; a piece that its list names and that is not there
    has no size.
    """
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    root = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=model, repo_type="model")
    try:
        commit = (root / "refs" / "main").read_text().strip()
    except OSError:
        return {}
    folder = root / "snapshots" / commit
    here: dict[str, int | None] = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }
    return {**dict.fromkeys(_pieces(folder)), **here}


def _pieces(folder: Path) -> list[str]:
    """Weights that a model's own list names."""
    for name in _LISTS:
        try:
            names = json.loads((folder / name).read_bytes())["weight_map"].values()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        return sorted({str(one) for one in names})
    return []


def _is_loaded(name: str) -> bool:
    """Whether a model is loaded from a file of this name."""
    if "/" in name:  # other formats, and examples
        return False
    return name.endswith((*_WEIGHTS, ".json", ".jinja", ".model", "merges.txt", "vocab.txt"))


def _size_of(files: Mapping[str, int | None]) -> float | None:
    """Gigabytes of the weights among some files; None where one has no size."""
    names = [name for name in files if name.endswith(_WEIGHTS)]
    if any(name.endswith(".safetensors") for name in names):
        names = [name for name in names if name.endswith(".safetensors")]
    sizes = [files[name] for name in names]
    if not sizes or None in sizes:
        return None
    return sum(size or 0 for size in sizes) / GIGA


def _licence_in(folder: Path) -> str:
    """The licence that the card of a folder names."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    head = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    line = re.search(r"^license:[ \t]*[\"']?([\w.+-]+)", head[1], re.MULTILINE) if head else None
    return line[1] if line else ""
