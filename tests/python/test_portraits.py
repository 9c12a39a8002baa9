"""What a portrait says of events, against a model that keeps them in a list: filed in any order,
some of them twice, with a redraw in the middle, at every level, in both stores."""

import json
import os
import random
import shutil
import subprocess
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from conftest import SEED
from served import Service

EVENTS = 100_000 if "GRIDATLAS_PROOF" in os.environ else 3_000
BATCH = 500
WIDE, HIGH = 6, 4
ORIGIN, SIDE = (1_203_000_000, 360_000_000), 20_000
CITY_TIME = timezone(timedelta(hours=8))
BEGINNING = datetime(2026, 3, 1, tzinfo=CITY_TIME)
DAYS = 40
# What is done with an event, from its beginning on, and where that leaves it.
WAYS = [[], ["filed"], ["filed", "dispatched"], ["cancelled"], ["filed", "handled", "fed_back", "closed"]]
DONE = {"closed", "cancelled"}
PERIODS = [(timedelta(0), timedelta(days=DAYS)), (timedelta(days=3, hours=5, minutes=17), timedelta(days=19, minutes=59))]


def location(kind, folder):
    """A fresh place for a store."""
    if kind == "geopackage":
        return folder / "city.gpkg"
    cluster, psql = os.environ.get("GRIDATLAS_TEST_POSTGRES"), shutil.which("psql")
    if not cluster or not psql:
        pytest.skip("GRIDATLAS_TEST_POSTGRES names no cluster, or there is no psql")
    name = f"portraits_{os.getpid()}"
    subprocess.run([psql, "--quiet", cluster, "--command", f"create database {name}"], check=True)
    return f"{cluster.rsplit('/', 1)[0]}/{name}"


def grids(path):
    """Rows of grids, each row a street; two rows a district."""

    def grid(i):
        x, y = i % WIDE, i // WIDE
        corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1), (x, y)]
        ring = [[(ORIGIN[0] + i * SIDE) / 1e7, (ORIGIN[1] + j * SIDE) / 1e7] for i, j in corners]
        properties = {"grid": f"g{i}", "street": f"s{y}", "district": f"d{y // 2}"}
        return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}

    path.write_text(json.dumps({"type": "FeatureCollection", "features": [grid(i) for i in range(WIDE * HIGH)]}))
    return path


def event(dice, number):
    """What is sent, and what the model keeps of it."""
    i = dice.randrange(WIDE * HIGH)
    # Never on a border.
    x, y = (ORIGIN[k] + place * SIDE + dice.randrange(1, SIDE) for k, place in enumerate((i % WIDE, i // WIDE)))
    time = BEGINNING + timedelta(seconds=dice.randrange(DAYS * 86_400))
    kind, source = dice.choice(["noise", "road.pothole", "部件.路灯", "waste"]), dice.choice(["12345", "巡查", "app"])
    sent = {"source": source, "id": str(number), "type": kind, "time": time.isoformat(), "lon": x / 1e7, "lat": y / 1e7}
    at, steps = time, []
    for state in dice.choice(WAYS):
        at += timedelta(seconds=dice.randrange(1, 30_000))
        steps.append({"to": state, "time": at.isoformat(), "actor": "somebody", "note": "done so"})
    if steps:
        sent["steps"] = steps
    state = steps[-1]["to"] if steps else "collected"
    return sent, {"grid": i, "time": time, "type": kind, "source": source, "state": state, "took_s": (at - time).total_seconds()}


def sent_in_any_order(service, dice, events):
    """Sends batches side by side, one event in ten twice and some with another content."""
    all_of_it = events + [dice.choice(events) for _ in range(len(events) // 10)]
    dice.shuffle(all_of_it)
    batches = [all_of_it[i : i + BATCH] for i in range(0, len(all_of_it), BATCH)]
    with ThreadPoolExecutor(3) as pool:
        answers = [answer for _, answer in pool.map(lambda batch: service.ask("POST", "events", batch), batches)]
    accepted, duplicate = (sum(answer[name] for answer in answers) for name in ("accepted", "duplicate"))
    assert (accepted, duplicate) == (len(events), len(events) // 10), answers[0]
    liars = [{**liar, "type": "another"} for liar in dice.sample(events, 5)]
    _, answer = service.ask("POST", "events", liars)
    assert answer["conflict"] == len(liars), answer


def of(area, kept, owned):
    """Whether a kept event is an area's."""
    # By the plan that is published in the middle, g0 takes g1 in.
    grid = 0 if owned == "now" and kept["grid"] == 1 else kept["grid"]
    row = grid // WIDE
    return area in (f"g{grid}", f"s{row}", f"d{row // 2}")


def counted(events, begin, end):
    """The portrait of some events, counted one by one."""

    def by(name):
        sums = {}
        for one in events:
            sums[one[name]] = sums.get(one[name], 0) + 1
        return sums

    closed = [one for one in events if one["state"] in DONE]
    series, by_hour = {}, [0] * 24
    day = begin.date()
    while day <= (end - timedelta(microseconds=1)).date():
        series[day.isoformat()] = [0, 0]
        day += timedelta(days=1)
    for one in events:
        by_hour[one["time"].hour] += 1
        sums = series[one["time"].date().isoformat()]
        sums[0] += 1
        sums[1] += one["state"] in DONE
    took_s = [one["took_s"] for one in closed]
    return {
        "total": len(events),
        "open": len(events) - len(closed),
        "closed": len(closed),
        "closing_rate": round(len(closed) / len(events), 6) if events else None,
        "by_type": by("type"),
        "by_state": by("state"),
        "by_source": by("source"),
        "series": [{"day": day, "total": total, "closed": done} for day, (total, done) in series.items()],
        "by_hour": by_hour,
        "median_close_s": float(np.quantile(took_s, 0.5)) if took_s else None,
        "p90_close_s": float(np.quantile(took_s, 0.9)) if took_s else None,
    }


@pytest.mark.parametrize("kind", ["geopackage", "postgis"])
def test_portraits_say_what_counting_one_by_one_says(gridatlas, tmp_path, kind):
    dice = random.Random(SEED)
    store = location(kind, tmp_path)
    levels = "district=district,street=street,grid=grid"
    gridatlas("import", "areas", grids(tmp_path / "grids.geojson"), "--store", store, "--levels", levels)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"plans": {"approval": False}}))
    made = [event(dice, number) for number in range(EVENTS)]
    kept = [one for _, one in made]
    service = Service(gridatlas, store, "--config", config)
    try:
        half = EVENTS // 2
        sent_in_any_order(service, dice, [sent for sent, _ in made[:half]])
        _, plan = service.ask("POST", "plans", {"name": "two in one", "author": "planner"})
        service.ask("POST", f"plans/{plan['id']}/edits", {"op": "merge", "codes": ["g0", "g1"], "into": "g0"})
        service.ask("POST", f"plans/{plan['id']}/publish", {"author": "planner"})
        sent_in_any_order(service, dice, [sent for sent, _ in made[half:]])

        areas = [f"g{i}" for i in range(WIDE * HIGH) if i != 1] + [f"s{y}" for y in range(HIGH)] + ["d0", "d1"]
        compared = 0
        for begin, end in [(BEGINNING + begin, BEGINNING + end) for begin, end in PERIODS]:
            within = [one for one in kept if begin <= one["time"] < end]
            period = urllib.parse.urlencode({"from": begin.isoformat(), "to": end.isoformat()})
            for owned in ["now", "then"]:
                totals = {}
                for area in areas:
                    expected = counted([one for one in within if of(area, one, owned)], begin, end)
                    _, portrait = service.ask("GET", f"areas/{area}/portrait?{period}&owned={owned}")
                    told = {name: portrait["events"][name] for name in expected}
                    assert told == expected, (area, owned)
                    totals[area] = expected["total"]
                    compared += 1
                for level in ["district", "street", "grid"]:
                    _, told = service.ask("GET", f"portraits?level={level}&metric=total&{period}&owned={owned}")
                    assert {one["code"]: one["value"] for one in told["areas"]} == {
                        area: total for area, total in totals.items() if area[0] == level[0]
                    }
        print(f"{EVENTS} events, {compared} portraits compared")
    finally:
        service.stop()
    gridatlas("check", "--store", store)
