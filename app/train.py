"""The page of training jobs: what is ready to train on."""

from __future__ import annotations

from fastapi import Request, Response

from app.site import Site
from workbench.store import snapshots


def add(site: Site) -> None:
    @site.server.get("/train")
    def train(request: Request) -> Response:
        path = site.project.path.resolve()
        view = {"command": f"vpd snapshot --project {path}", "snapshots": snapshots.taken(site.project.database)}
        return site.page(request, "train.html", "train", view)
