"""What the store knows besides samples: series, label names and values, metadata, targets, and facts about itself."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from opsroom.simulator.clock import stamp
from opsroom.simulator.prometheus.arrays import Ints
from opsroom.simulator.prometheus.durations import time_ms
from opsroom.simulator.prometheus.exposition import family
from opsroom.simulator.prometheus.failures import BadData
from opsroom.simulator.prometheus.labels import NAME
from opsroom.simulator.prometheus.promql import parse_selector
from opsroom.simulator.prometheus.scrape import Scraper, Shape, Target
from opsroom.simulator.prometheus.tsdb import Tsdb

Parameters = dict[str, list[str]]
_EVER = 2**61


class Catalogue:
    """Answers the API's questions that are not queries; every method gives the `data` part as JSON text."""

    def __init__(self, tsdb: Tsdb, scraper: Scraper, started: float) -> None:
        self._tsdb = tsdb
        self._scraper = scraper
        self._started = started

    def series(self, given: Parameters) -> str:
        """Label sets of the series that any `match[]` selects; raises BadData where none is given."""
        if not given.get("match[]"):
            raise BadData("no match[] parameter provided")
        rows = self._tsdb.labels(self._selected(given)).rows()
        return json.dumps(sorted(rows, key=lambda row: sorted(row.items())))

    def label_names(self, given: Parameters) -> str:
        """All label names, or those of the selected series."""
        return json.dumps(sorted(self._tsdb.labels(self._selected(given)).columns))

    def label_values(self, given: Parameters) -> str:
        """All values of one label, or those that the selected series have."""
        name = given["path:name"][0]
        if not name.replace(":", "_").isidentifier():
            raise BadData(f'invalid label name: "{name}"')
        codes = set(self._tsdb.labels(self._selected(given)).column(name).tolist()) - {0}
        return json.dumps(sorted(self._tsdb.texts.text(code) for code in codes))

    def metadata(self, given: Parameters) -> str:
        """Type of each metric family that is exposed now."""
        wanted = given.get("metric", [""])[0]
        shapes = self._scraper.last.shapes if self._scraper.last else ()
        kinds = {family(shape): shape.kind for shape in shapes if shape.name != "up"}
        found = {
            name: [{"type": kind, "help": "", "unit": ""}]
            for name, kind in sorted(kinds.items())
            if wanted in ("", name)
        }
        limit = given.get("limit", [""])[0]
        if limit:
            try:
                found = dict(list(found.items())[: int(limit)])
            except ValueError as cause:
                raise BadData("limit must be a number") from cause
        return json.dumps(found)

    def targets(self, given: Parameters) -> str:
        """The endpoints that were scraped last, all of them as active targets."""
        last = self._scraper.last
        active: list[Mapping[str, object]] = []
        for number, target in enumerate(last.targets if last else ()):
            for k, shape in enumerate(last.shapes if last else ()):
                if last and shape.name == "up" and last.present[number, k]:
                    active.append(self._target(target, shape, bool(last.values[number, k])))
        wanted = given.get("state", ["any"])[0].lower()
        shown = active if wanted in ("any", "active") else []
        return json.dumps({"activeTargets": shown, "droppedTargets": []})

    def build(self, given: Parameters) -> str:
        """The version that this behaves like."""
        facts = ("version", "revision", "branch", "buildUser", "buildDate", "goVersion")
        return json.dumps(dict.fromkeys(facts, "") | {"version": "2.42.0", "branch": "simulated"})

    def runtime(self, given: Parameters) -> str:
        """Facts about the process, as far as they mean anything here."""
        return json.dumps(
            {
                "startTime": stamp(self._started, "milliseconds"),
                "CWD": "/",
                "reloadConfigSuccess": True,
                "lastConfigTime": stamp(self._started, "milliseconds"),
                "corruptionCount": 0,
                "goroutineCount": 1,
                "GOMAXPROCS": 1,
                "GOGC": "",
                "GODEBUG": "",
                "storageRetention": f"{round(self._tsdb.retention_seconds)}s",
            }
        )

    def _selected(self, given: Parameters) -> Ints:
        start, end = _moment(given, "start", -_EVER), _moment(given, "end", _EVER)
        chosen: set[int] = set()
        selectors = [parse_selector(text) for text in given.get("match[]", [])] or [[]]
        for matchers in selectors:
            chosen.update(self._tsdb.select(matchers, start, end).tolist())
        return np.array(sorted(chosen), dtype=np.int64)

    def _target(self, target: Target, shape: Shape, up: bool) -> Mapping[str, object]:
        labels = {name: value for name, value in target.labels(shape).items() if name != NAME and value}
        address = f"http://{labels.get('instance', '')}/metrics"
        return {
            "discoveredLabels": labels,
            "labels": labels,
            "scrapePool": shape.job,
            "scrapeUrl": address,
            "globalUrl": address,
            "lastError": "" if up else "connection refused",
            "lastScrape": stamp(self._scraper.last_time, "milliseconds"),
            "lastScrapeDuration": 0.001,
            "health": "up" if up else "down",
            "scrapeInterval": "1s",
            "scrapeTimeout": "1s",
        }


def _moment(given: Parameters, name: str, default: int) -> int:
    text = given.get(name, [""])[0]
    if not text:
        return default
    try:
        return time_ms(text)
    except ValueError as cause:
        raise BadData(f'invalid parameter "{name}": {cause}') from cause
