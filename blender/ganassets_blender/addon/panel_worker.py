# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""The worker process for the panel: it lists the models and renders thumbnails of seeds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import bpy.utils.previews

from . import job_queue, models, paths
from .preferences import absolute, preferences
from .worker_process import AddonWorker, Message

THUMBNAIL_COUNT = 12
THUMBNAIL_SIZE = 128  # pixels
MAX_MATERIAL_SIZE = 512  # pixels; larger materials are previewed at this size


class PanelWorker:
    """The worker process for the panel.

    Attributes:
        worker: the process; None while it is not needed.
        panel_shown: whether the panel has been drawn.
        thumbnails: icons by seed, from the last request.
        error: message for the panel, or "".
        retry_action: repeats what a process was asked before it died; None if there is nothing to repeat.
        pending: functions that receive the answers, by request id.
        paths: model files that the user has added.
    """

    def __init__(self) -> None:
        self.worker: AddonWorker | None = None
        self.retry_action: Callable[[], None] | None = None
        self.panel_shown = False
        self.models_requested = False
        self.thumbnails: dict[int, int] = {}
        self.error = ""
        self.paths: list[str] = []
        self.pending: dict[int, Callable[[Message], None]] = {}
        self._new_model = ""  # path of the model to choose when the process has described it
        self._requested_job: dict[str, Any] | None = None  # job of the last thumbnails
        self._thumbnail_request = 0
        self._previews: Any = None
        self._deaths = 0  # number of times that the process has ended before it listed the models

    @property
    def is_rendering(self) -> bool:
        """Return whether thumbnails were requested and not all have arrived."""
        return bool(self.pending and self._requested_job)

    def _request(self, receive: Callable[[Message], None], **request: Any) -> int:
        """Send a request and start the process if necessary.

        Args:
            receive: called with each answer.
            **request: the request.
        """
        self.worker = self.worker or paths.start_worker()
        request_id = self.worker.send_request(**request)
        self.retry_action = None
        self.pending[request_id] = receive
        return request_id

    def add_model(self, path: str) -> None:
        """Add a model file, and choose it in the panel when the process has described it."""
        self.paths = [*(one for one in self.paths if one != path), path]
        self._new_model = path
        self.request_models()

    def request_models(self) -> None:
        """Request the list of models."""
        if not self.models_requested:
            added = [path for path in preferences().added.splitlines() if Path(path).is_file()]
            self.paths = list(dict.fromkeys([*added, *self.paths]))
        self.models_requested = True
        folder = preferences().models
        places = [*self.paths, *([absolute(folder)] if folder else [])]
        self._request(self._receive_models, do="models", paths=places)

    def _receive_models(self, message: Message) -> None:
        if "error" in message:
            self.error, self.retry_action = message["error"], self.request_models
        if "done" not in message:
            return
        state, chosen = bpy.context.window_manager.ganassets, ""
        if models.FOUND:
            chosen = state.model
        models.set_models(message["done"])
        self._deaths = 0
        self.error = models.BROKEN[-1]["error"] if models.BROKEN else ""
        broken = {model["path"] for model in models.BROKEN}
        self.paths = [path for path in self.paths if path not in broken]
        preferences().added = "\n".join(self.paths)
        candidates = [models.find(self._new_model), models.find(chosen), models.find("textures"), *models.FOUND]
        self._new_model = ""
        model = next(filter(None, candidates), None)
        if model:
            state.model = model["path"]

    def request_thumbnails(self, job: dict[str, Any]) -> None:
        """Request thumbnails of a job's assets, unless they were requested last."""
        if job == self._requested_job:
            return
        if self.worker and self._thumbnail_request:
            self.worker.cancel(self._thumbnail_request)
        self._requested_job, self.error = job, ""
        self.clear_thumbnails()
        folder = str(paths.user_folder("thumbnails"))
        self._thumbnail_request = self._request(
            self._receive_thumbnail, do="thumbnails", job=job, folder=folder, side=THUMBNAIL_SIZE
        )

    def _receive_thumbnail(self, message: Message) -> None:
        if message.get("id") != self._thumbnail_request:
            return
        thumbnail = message.get("thumbnail")
        if thumbnail:
            self._previews = self._previews or bpy.utils.previews.new()
            file = thumbnail["file"]
            if file not in self._previews:
                self._previews.load(file, file, "IMAGE")
            self.thumbnails[thumbnail["seed"]] = self._previews[file].icon_id
        if "error" in message:
            self.error, self._requested_job = message["error"], None  # allows the same request again

    def clear_thumbnails(self) -> None:
        """Free the thumbnails."""
        self.thumbnails = {}
        if self._previews:
            bpy.utils.previews.remove(self._previews)
            self._previews = None

    def update(self) -> bool:
        """Receive answers; returns whether there were any."""
        if self.panel_shown and not self.models_requested:
            self.request_models()
        if not self.worker:
            return False
        messages = self.worker.poll()
        for message in messages:
            receive = self.pending.get(message.get("id", 0))
            if receive:
                receive(message)
            if {"done", "error", "cancelled"} & message.keys():
                self.pending.pop(message.get("id", 0), None)
        if self.worker.failure:
            self._handle_failure(self.worker.failure)
        elif self.worker.idle_seconds() > preferences().idle:
            self.release()
        return bool(messages)

    def release(self) -> None:
        """End the process to free its memory, unless a request is pending."""
        if self.worker and not self.pending:
            self.worker.close()
            self.worker = None

    def _handle_failure(self, reason: str) -> None:
        """Show why the process died, and offer to repeat the pending request."""
        job = self._requested_job if self._thumbnail_request in self.pending else None
        self.error, self.retry_action = "", None
        if self.pending:
            self.error = f"{reason}."
            self.retry_action = partial(self.request_thumbnails, job) if job else self.request_models
        self.worker, self._requested_job, self.pending = None, None, {}
        self._deaths += 1
        self.models_requested = bool(models.FOUND) or self._deaths > job_queue.MAX_RESTARTS

    def dismiss_error(self) -> None:
        """Remove the error from the panel."""
        self.error, self.retry_action = "", None

    def retry(self) -> None:
        """Repeat the request that was pending when the process died, or look for models."""
        action = self.retry_action or self.request_models
        self.dismiss_error()
        action()
