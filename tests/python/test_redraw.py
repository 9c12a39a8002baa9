"""A city redrawn at random over HTTP, then judged by GEOS: nothing is left with a gap or an
overlap, and every upper area is the union of what lies below it."""

import json
import math
import os
import random
import subprocess

import pytest
import shapely
from conftest import SEED
from served import Service
from shapes import features, polygon

EDITS = 500
LEVELS = ["city", "district", "street", "community", "grid"]


@pytest.fixture(scope="module")
def store(gridatlas, tmp_path_factory):
    """Kaohsiung where there is real data, else the demo city."""
    place = tmp_path_factory.mktemp("redraw") / "city.gpkg"
    folder = os.environ.get("GRIDATLAS_TEST_DATA")
    if folder:
        levels = "city=COUNTY_ID,district=TOWN_ID,street=CODE2,community=CODE1,grid=CODEBASE"
        file = f"{folder}/kaohsiung_basic_stat_areas.geojson.gz"
        gridatlas("import", "areas", file, "--store", place, "--levels", levels)
        return place
    command = [gridatlas.path, "demo", "--store", str(place), "--listen", "127.0.0.1:0"]
    made = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert made.stdout.readline().startswith("http://")
    made.terminate()
    assert made.wait(timeout=60) == 0
    return place


def edit(service, plan, dice, codes):
    """One random edit of one random grid, as it is drawn in the plan now."""
    code = dice.choice(codes)
    _, area = service.ask("GET", f"areas/{code}?plan={plan}")
    shape = polygon(area)
    middle, turn = shape.representative_point(), dice.uniform(0, math.tau)
    west, south, east, north = shape.bounds
    reach = max(east - west, north - south)
    along = [math.cos(turn) * reach, math.sin(turn) * reach]
    kind = dice.choice(["split", "split", "merge", "reshape", "move_node"])
    part = max(shape.geoms, key=lambda g: g.area) if shape.geom_type == "MultiPolygon" else shape
    ring = list(part.exterior.coords)[:-1]
    if kind == "split":
        line = [[middle.x - along[0], middle.y - along[1]], [middle.x + along[0], middle.y + along[1]]]
        return {"op": "split", "code": code, "line": line, "keep": dice.choice(["largest", "left", "right"])}
    if kind == "merge":
        _, beside = service.ask("GET", f"areas/{code}/neighbours?plan={plan}")
        others = [n["code"] for n in beside["neighbours"]]
        return {"op": "merge", "codes": [code, dice.choice(others)], "into": code} if others else None
    at = dice.randrange(len(ring))
    if kind == "move_node":
        step = reach / 50
        to = [ring[at][0] + dice.uniform(-step, step), ring[at][1] + dice.uniform(-step, step)]
        return {"op": "move_node", "node": ring[at], "to": to}
    # From one vertex to a later one, by way of a place beside the straight line.
    then = ring[(at + max(1, len(ring) // 4)) % len(ring)]
    bulge = [dice.uniform(-0.2, 0.2) * reach, dice.uniform(-0.2, 0.2) * reach]
    between = [(ring[at][0] + then[0]) / 2 + bulge[0], (ring[at][1] + then[1]) / 2 + bulge[1]]
    return {"op": "reshape", "code": code, "line": [ring[at], between, then], "several": dice.random() < 0.5}


def test_after_random_edits_every_level_is_a_coverage_and_the_union_of_what_lies_below(gridatlas, store, tmp_path):
    dice = random.Random(SEED)
    service = Service(gridatlas, store)
    try:
        _, plan = service.ask("POST", "plans", {"name": "at random", "author": "dice"})
        plan = plan["id"]
        _, areas = service.ask("GET", "areas?level=grid")
        codes = [area["code"] for area in areas["areas"]]
        made, refused = 0, {}
        while made < EDITS:
            wanted = edit(service, plan, dice, codes)
            if wanted is None:
                continue
            status, answer = service.ask("POST", f"plans/{plan}/edits", wanted, accepted=(201, 422))
            if status == 422:
                # A refusal says why and, where there is one, where.
                assert answer["reason"] and answer["detail"], answer
                refused[answer["reason"]] = refused.get(answer["reason"], 0) + 1
                assert sum(refused.values()) < 20 * EDITS, refused
                continue
            made += 1
            codes = [code for code in codes if code not in answer["removed"]] + answer["created"]
        print(f"{made} edits, refused: {refused}")
        service.ask("POST", f"plans/{plan}/submit", {"author": "dice"})
        service.ask("POST", f"plans/{plan}/approve", {"author": "judge"})
        _, published = service.ask("POST", f"plans/{plan}/publish", {"author": "judge"})
        assert published["revision"] == 2
    finally:
        service.stop()
    gridatlas("check", "--store", store)

    by_level = {}
    for level in LEVELS:
        out = tmp_path / f"{level}.geojson"
        gridatlas("export", "areas", "--level", level, "--store", store, "--out", out)
        by_level[level] = {f["properties"]["code"]: (f["properties"]["parent"], polygon(f)) for f in features(out)}
        shapes = [shape for _, shape in by_level[level].values() if not shape.is_empty]
        assert shapely.is_valid(shapes).all(), level
        assert shapely.coverage_is_valid(shapes), level
    assert set(by_level["grid"]) == set(codes)
    for above, below in zip(LEVELS, LEVELS[1:]):
        children = {}
        for parent, shape in by_level[below].values():
            children.setdefault(parent, []).append(shape)
        for code, (_, shape) in by_level[above].items():
            union = shapely.coverage_union_all(children[code])
            assert shapely.equals(union, shape), f"{above} {code} is not the union of its parts"
