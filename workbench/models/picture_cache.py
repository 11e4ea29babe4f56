"""Each picture goes through a family's image processor once, however many questions are about it.

A label and a rationale, and other questions about the same picture, need the same pixels.  A
processor is handed every picture of a batch at once and joins what it makes of them; here each one
is made alone, kept in a bounded cache, and joined in the same way: behind one another in the first
dimension, filled with zeros in the others.  Whether a family joins so is tried on its first batch:
where the result differs by one number, the family's own way is taken from then on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchFeature

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 2**27
"""Bytes of pictures, decoded and processed, that are kept."""


class PictureCache:
    """What a processor's image processor made of pictures.

    Args:
        largest: bytes that are kept; the pictures used longest ago go first.  With 0, the
            processor works as ever.
    """

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._kept: OrderedDict[tuple[int, str], tuple[Image.Image, Mapping[str, Any]]] = (
            OrderedDict()
        )
        """By the picture's identity, which is its own as long as it is held here, and the call."""
        self._bytes = 0
        self._joins: bool | None = None
        """Whether the family joins pictures as is done here; None until it was tried."""
        self.processed = 0
        """How often a picture was processed."""

    @contextmanager
    def on(self, processor: Any) -> Iterator[None]:
        """Let a processor take pictures out of the cache; nobody else may use it meanwhile."""
        own = getattr(processor, "image_processor", None)
        if own is None or self._joins is False or not self._largest:
            yield
            return
        processor.image_processor = _Stand(own, self)
        try:
            yield
        finally:
            processor.image_processor = own

    def features(self, own: Any, images: Any, options: Mapping[str, Any]) -> Any:
        """What an image processor makes of pictures.

        Args:
            own: the image processor.
            images: as the processor hands them over.
            options: the other arguments of the call.
        """
        pictures = _flat(images)
        if self._joins is False or not pictures:
            return own(images, **options)
        is_nested = isinstance(images, list | tuple) and isinstance(images[0], list | tuple)
        single = [self._single(own, picture, is_nested, options) for picture in pictures]
        joined = _joined(single)
        if self._joins is None:
            direct = own(images, **options)
            # one picture says nothing of how several are joined
            if len({id(picture) for picture in pictures}) > 1 or joined is None:
                self._joins = joined is not None and _same(joined, direct)
            return direct
        return own(images, **options) if joined is None else BatchFeature(joined)

    def _single(
        self, own: Any, picture: Image.Image, is_nested: bool, options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        key = (id(picture), repr(sorted(options.items(), key=lambda pair: pair[0])))
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][1]
        self.processed += 1
        features = dict(own([[picture]] if is_nested else [picture], **options))
        self._kept[key] = (picture, features)
        self._bytes += _size(picture, features)
        while self._bytes > self._largest and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= _size(*oldest)
        return features


class _Stand:
    """Stands in an image processor's place, and passes everything on but the call itself."""

    def __init__(self, own: Any, cache: PictureCache) -> None:
        self._own, self._cache = own, cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def __call__(self, images: Any, **options: Any) -> Any:
        return self._cache.features(self._own, images, options)


def _flat(images: Any) -> list[Image.Image]:
    """The pictures of a call in their order; none where something else is among them."""
    if isinstance(images, Image.Image):
        return []  # a family's own way of handing over one
    flat: list[Image.Image] = []
    for item in images or ():
        inner = item if isinstance(item, list | tuple) else [item]
        if len(inner) != 1 or not isinstance(inner[0], Image.Image):
            return []
        flat.append(inner[0])
    return flat


def _joined(single: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The features of several pictures; None where these cannot be joined."""
    names = list(single[0])
    if any(list(one) != names for one in single):
        return None
    out: dict[str, Any] = {}
    for name in names:
        values = [one[name] for one in single]
        if all(isinstance(value, Tensor) for value in values):
            out[name] = _behind(values)
        elif all(isinstance(value, list) and not _holds_tensors(value) for value in values):
            out[name] = [item for value in values for item in value]
        else:
            return None
        if out[name] is None:
            return None
    return out


def _holds_tensors(value: list[Any]) -> bool:
    return any(
        isinstance(item, Tensor) or (isinstance(item, list) and _holds_tensors(item))
        for item in value
    )


def _behind(tensors: Sequence[Tensor]) -> Tensor | None:
    """Tensors behind one another, the smaller ones filled with zeros in the other dimensions."""
    if len({tensor.dim() for tensor in tensors}) > 1 or not tensors[0].dim():
        return None
    shape = [max(sizes) for sizes in zip(*(tensor.shape[1:] for tensor in tensors))]
    if all(list(tensor.shape[1:]) == shape for tensor in tensors):
        return torch.cat(list(tensors))
    filled = []
    for tensor in tensors:
        whole = tensor.new_zeros((tensor.shape[0], *shape))
        whole[tuple(slice(0, side) for side in tensor.shape)] = tensor
        filled.append(whole)
    return torch.cat(filled)


def _same(joined: Mapping[str, Any], direct: Any) -> bool:
    """Whether two processed batches are equal, number by number."""
    if set(joined) != set(direct):
        return False
    for name, value in joined.items():
        other = direct[name]
        if isinstance(value, Tensor):
            is_equal = (
                isinstance(other, Tensor)
                and value.dtype == other.dtype
                and torch.equal(value, other)
            )
        else:
            is_equal = value == other
        if not is_equal:
            return False
    return True


def _size(picture: Image.Image, features: Mapping[str, Any]) -> int:
    return 3 * picture.width * picture.height + sum(
        value.numel() * value.element_size()
        for value in features.values()
        if isinstance(value, Tensor)
    )
