"""Template hashes: what must not change them, what must."""

from __future__ import annotations

import re

from opsroom.simulator.controllers.objects import Obj
from opsroom.simulator.controllers.template_hash import safe_suffix, template_hash


def template(image: str, **labels: str) -> Obj:
    return {"metadata": {"labels": {"app": "web"} | labels}, "spec": {"containers": [{"name": "app", "image": image}]}}


def test_a_hash_has_ten_safe_characters() -> None:
    assert re.fullmatch("[bcdfghjklmnpqrstvwxz2456789]{10}", template_hash(template("app:1")))


def test_hash_labels_defaults_and_null_timestamps_do_not_count() -> None:
    plain = template_hash(template("app:1"))
    marked = template("app:1", **{"pod-template-hash": "abc"})
    marked["metadata"]["creationTimestamp"] = None
    marked["spec"] = {**marked["spec"], "restartPolicy": "Always"}
    assert template_hash(marked) == plain


def test_image_and_labels_count() -> None:
    hashes = {
        template_hash(template("app:1")),
        template_hash(template("app:2")),
        template_hash(template("app:1", a="b")),
    }
    assert len(hashes) == 3


def test_suffixes_are_reproducible() -> None:
    assert safe_suffix("one") == safe_suffix("one") != safe_suffix("two")
    assert len(safe_suffix("one")) == 5
