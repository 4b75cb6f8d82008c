# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""The process that answers the panel: which models there are, and thumbnails of their seeds."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import bpy
import bpy.utils.previews

from . import jobs, models, places
from .child import Child
from .preferences import absolute, preferences

THUMBNAILS, SIDE = 12, 128
MOST_SIZE = 512  # pixels of what a thumbnail of a material is made of


class Desk:
    """The process that answers the panel.

    Attributes:
        wanted: whether the panel is, or was, to be seen.
        thumbnails: icons by seed, of what was asked for last.
        told: what was asked for last, so that nothing is asked twice.
        error: what to tell, or "".
        again: asks once more what a process that died was asked; None if there is no such.
    """

    def __init__(self) -> None:
        self.child: Child | None = None
        self.again: Callable[[], None] | None = None
        self.wanted = False
        self.known = False
        self.thumbnails: dict[int, int] = {}
        self.told: dict[str, Any] | None = None
        self.error = ""
        self.paths: list[str] = []
        self.newest = ""  # of these, until the process has told of it
        self.calls: dict[int, Callable[[dict[str, Any]], None]] = {}
        self.pictures: Any = None
        self.asked = 0
        self.deaths = 0  # of the process before it had told of models

    def ask(self, take: Callable[[dict[str, Any]], None], **request: Any) -> int:
        """Send a request, starting the process if there is none."""
        self.child = self.child or places.start_child()
        number = self.child.ask(**request)
        self.again = None
        self.calls[number] = take
        return number

    def add_model(self, path: str) -> None:
        """Ask what a model file is; it is the one to choose."""
        self.paths = [*(one for one in self.paths if one != path), path]
        self.newest = path
        self.look_for_models()

    def look_for_models(self) -> None:
        """Ask which models there are."""
        if not self.known:
            kept = [path for path in preferences().added.splitlines() if os.path.isfile(path)]
            self.paths = list(dict.fromkeys([*kept, *self.paths]))
        self.known = True
        folder = preferences().models
        paths = [*self.paths, *([absolute(folder)] if folder else [])]
        self.ask(self._take_models, do="models", paths=paths)

    def _take_models(self, message: dict[str, Any]) -> None:
        if "error" in message:
            self.error, self.again = message["error"], self.look_for_models
        if "done" not in message:
            return
        state, chosen = bpy.context.window_manager.ganassets, ""
        if models.FOUND:
            chosen = state.model
        models.take(message["done"])
        self.deaths = 0
        self.error = models.BROKEN[-1]["error"] if models.BROKEN else ""
        broken = {model["path"] for model in models.BROKEN}
        self.paths = [path for path in self.paths if path not in broken]
        preferences().added = "\n".join(self.paths)
        wanted = (
            models.find(self.newest) or models.find(chosen) or models.find("textures") or (models.FOUND or [None])[0]
        )
        self.newest = ""
        if wanted:
            state.model = wanted["path"]

    def look_at(self, table: dict[str, Any]) -> None:
        """Ask for thumbnails, unless they are what was asked for last."""
        if table == self.told:
            return
        if self.child and self.asked:
            self.child.cancel(self.asked)
        self.told, self.error = table, ""
        self.forget_pictures()
        folder = str(places.user_folder("thumbnails"))
        self.asked = self.ask(self._take_thumbnail, do="thumbnails", job=table, folder=folder, side=SIDE)

    def _take_thumbnail(self, message: dict[str, Any]) -> None:
        if message.get("id") != self.asked:
            return
        found = message.get("thumbnail")
        if found:
            self.pictures = self.pictures or bpy.utils.previews.new()
            if found["file"] not in self.pictures:
                self.pictures.load(found["file"], found["file"], "IMAGE")
            self.thumbnails[found["seed"]] = self.pictures[found["file"]].icon_id
        if "error" in message:
            self.error, self.told = message["error"], None  # the same may be asked again

    def forget_pictures(self) -> None:
        """Free the thumbnails."""
        self.thumbnails = {}
        if self.pictures:
            bpy.utils.previews.remove(self.pictures)
            self.pictures = None

    def tend(self) -> bool:
        """Take in what was said; returns whether there was anything."""
        if self.wanted and not self.known:
            self.look_for_models()
        if not self.child:
            return False
        heard = self.child.poll()
        for message in heard:
            take = self.calls.get(message.get("id", 0))
            if take:
                take(message)
            if {"done", "error", "cancelled"} & message.keys():
                self.calls.pop(message.get("id", 0), None)
        if self.child.failure:
            self._lost(self.child.failure)
        elif self.child.idle() > preferences().idle:
            self.release()
        return bool(heard)

    def release(self) -> None:
        """Give the memory back, if nothing is waited for."""
        if self.child and not self.calls:
            self.child.end()
            self.child = None

    def _lost(self, why: str) -> None:
        """The process is dead."""
        table = self.told if self.asked in self.calls else None
        self.error = f"{why}." if self.calls else ""
        self.again = (partial(self.look_at, table) if table else self.look_for_models) if self.calls else None
        self.child, self.told, self.calls = None, None, {}
        self.deaths += 1
        self.known = bool(models.FOUND) or self.deaths > jobs.MOST_RESTARTS

    def dismiss(self) -> None:
        """The error has been read."""
        self.error, self.again = "", None

    def try_again(self) -> None:
        """Ask once more what a process that died was asked."""
        again = self.again or self.look_for_models
        self.dismiss()
        again()
