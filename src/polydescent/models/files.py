"""A model a file, of any kind: saved, changed and merged while nobody else can touch it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from polydescent.errors import AlreadyAdded
from polydescent.sealed.atomic import locked
from polydescent.sealed.fingerprint import Known, Remembered


class Sourced:
    """Something that knows the sources whose rows it holds."""

    sources: tuple[Remembered, ...]

    def check_new(self, sources: Iterable[Remembered], path: object) -> None:
        """Raise AlreadyAdded or SourceGrew where the model at `path`, or another of the sources,
        holds the rows of one.
        """
        known = Known()
        known.add(self.sources, path)
        known.take(sources)


M = TypeVar("M", bound=Sourced)


class Load(Protocol[M]):
    """Reads a model. Raises NoFile, NotAFile, FileRefused, DamagedModel, UnknownSchema."""

    def __call__(self, path: str | os.PathLike[str], /) -> M: ...


@dataclass(frozen=True)
class ModelFiles(Generic[M]):
    """How models of one kind stand in files.

    load: reads one. write: writes what `load` will read, under the lock of its path.
    check_replaceable: raises NotAModel where a path holds something that was never such a model,
    NotAFile where it is no file, NoFolder where nothing can be written.
    """

    load: Load[M]
    write: Callable[[M, Path], None]
    check_replaceable: Callable[[Path], None]

    def save(self, model: M, path: str | os.PathLike[str]) -> None:
        """Write the model: all of it or nothing. Raises NotAModel, NotAFile where something else is
        there, NotKept, NoFolder, FileRefused.
        """
        path = Path(path)
        self.check_replaceable(path)
        with locked(path):
            self.check_replaceable(path)
            self.write(model, path)

    def change(self, path: Path, changed: Callable[[M], M]) -> M:
        """Replace the model in a file by `changed` of it, while nobody else can, and return that.

        Raises what `load` and `save` raise.
        """
        with locked(path):
            model = changed(self.load(path))
            self.write(model, path)
        return model

    def merge(
        self,
        paths: Sequence[str],
        output: str,
        joined: Callable[[Sequence[tuple[str, M]]], M],
        is_same: Callable[[M, M], int] | None,
    ) -> M:
        """Write what `joined` makes of the models and their paths to `output`, which may be one of
        them, while nobody else can change any of them, and return it.

        is_same: how many rows two of them hold if they are the same, else 0; None where models of
        the same rows may be merged. Raises AlreadyAdded, SourceGrew and what `load`, `joined` and
        `save` raise.
        """
        target = Path(output)
        self.check_replaceable(target)
        for path in paths:
            self.load(path)  # what is no model is refused before anybody waits for a lock beside it
        with locked(output, *paths):
            self.check_replaceable(target)
            models = [(path, self.load(path)) for path in paths]
            if is_same is not None:
                _check_apart(models, is_same)
            merged = joined(models)
            self.write(merged, target)
        return merged


def _check_apart(models: Sequence[tuple[str, M]], is_same: Callable[[M, M], int]) -> None:
    """Raise AlreadyAdded or SourceGrew where two of the models hold the same rows."""
    known = Known()
    for i, (path, model) in enumerate(models):
        for source in model.sources:
            known.check(source)
        known.add(model.sources, path)
        for earlier, other in models[:i]:
            if rows := is_same(model, other):
                raise AlreadyAdded(path, earlier, rows, earlier)
