"""Tiles that are exported, read by libraries that know nothing of the service, against those served."""

import gzip
import json
import re
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

import pyogrio
import pyproj
import pytest
import shapely
from pmtiles.reader import MmapSource, Reader, all_tiles
from pmtiles.tile import tileid_to_zxy

LAYERS = "city,district,street,community,grid,label_grid,building,party_unit"
ZOOMS = range(0, 15)


class Service:
    """A served store."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen(
            [program.path, *map(str, arguments), "--listen", "127.0.0.1:0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for line in self.process.stderr:
            if found := re.search(r"http://\S+/", line):
                self.url = found[0]
                return
        pytest.fail(f"it ended with {self.process.wait()}")

    def get(self, path, **headers):
        """The status, headers and body of an answer."""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def json(self, path):
        return json.loads(self.get(path)[2])

    def post(self, path, body):
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"content-type": "application/json", "if-match": "*"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stderr.close()
        self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def city(gridatlas, tmp_path_factory):
    """A demo city with a grid that was cut in two once it had been there for a while."""
    store = tmp_path_factory.mktemp("tiles") / "city.gpkg"
    service = Service(gridatlas, "demo", "--size", 200, "--seed", 7, "--still", "--store", store)
    time.sleep(1.1)
    service.before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    area = service.json("areas/" + service.json("areas?level=grid")["areas"][20]["code"])
    ring = area["geometry"]["coordinates"][0]
    ring = ring[0] if isinstance(ring[0][0], list) else ring
    xs, ys = [p[0] for p in ring], [p[1] for p in ring]
    middle = round((min(ys) + max(ys)) / 2, 7)
    plan = service.post("plans", {"name": "cut", "author": "li"})["id"]
    line = [[min(xs) - 0.001, middle], [max(xs) + 0.001, middle]]
    service.post(f"plans/{plan}/edits", {"op": "split", "code": area["properties"]["code"], "line": line})
    for step, author in [("submit", "li"), ("approve", "wang"), ("publish", "wang")]:
        service.post(f"plans/{plan}/{step}", {"author": author})
    service.store = store
    yield service
    service.end()


def of_pmtiles(path):
    with open(path, "rb") as file:
        source = MmapSource(file)
        header = Reader(source).header()
        assert header["clustered"]
        assert header["tile_contents_count"] <= header["tile_entries_count"] <= header["addressed_tiles_count"]
        return {zxy: data for zxy, data in all_tiles(source)}, Reader(source).metadata()


def of_mbtiles(path):
    with sqlite3.connect(path) as file:
        assert file.execute("pragma integrity_check").fetchone() == ("ok",)
        rows = file.execute("select zoom_level, tile_column, tile_row, tile_data from tiles").fetchall()
        metadata = dict(file.execute("select name, value from metadata"))
        kept, different = file.execute("select count(*), count(distinct tile_data) from images").fetchone()
        assert kept == different
    assert metadata["format"] == "pbf"
    return {(z, x, 2**z - 1 - y): data for z, x, y, data in rows}, json.loads(metadata["json"])


@pytest.mark.parametrize("ending, read", [("pmtiles", of_pmtiles), ("mbtiles", of_mbtiles)])
@pytest.mark.parametrize("when", ["now", "before"])
def test_every_tile_of_a_file_is_the_one_that_is_served(gridatlas, city, tmp_path, ending, read, when):
    out = tmp_path / f"city.{ending}"
    at = [] if when == "now" else ["--at", city.before]
    query = "" if when == "now" else f"?at={city.before}"
    gridatlas("export", "tiles", LAYERS, "--max-zoom", ZOOMS[-1], "--store", city.store, "--out", out, *at)
    tiles, metadata = read(out)
    assert {layer["id"] for layer in metadata["vector_layers"]} == set(LAYERS.split(","))
    assert len(tiles) > 100
    for (z, x, y), data in tiles.items():
        status, headers, served = city.get(f"tiles/{LAYERS}/{z}/{x}/{y}{query}", **{"accept-encoding": "gzip"})
        assert (status, headers["content-encoding"]) == (200, "gzip")
        assert gzip.decompress(data) == gzip.decompress(served), f"{z}/{x}/{y}"
    # And what is not in the file is not served: of the tiles around those that are.
    for z, x, y in list(tiles):
        for beside in [(z, x + 1, y), (z, x, y + 1), (z, x - 1, y), (z, x, y - 1)]:
            if beside not in tiles and all(0 <= c < 2**z for c in beside[1:]):
                assert city.get(f"tiles/{LAYERS}/{beside[0]}/{beside[1]}/{beside[2]}{query}")[0] == 204


def test_a_file_of_another_date_holds_other_tiles(gridatlas, city, tmp_path):
    files = {}
    for name, at in [("now", []), ("before", ["--at", city.before])]:
        out = tmp_path / f"{name}.pmtiles"
        gridatlas("export", "tiles", "grid", "--min-zoom", 12, "--max-zoom", 13, "--store", city.store, "--out", out, *at)
        files[name] = of_pmtiles(out)[0]
    other = [zxy for zxy in files["now"] if files["now"][zxy] != files["before"].get(zxy)]
    assert 0 < len(other) < len(files["now"]) / 2


@pytest.mark.parametrize("ending", ["pmtiles", "mbtiles"])
def test_an_export_that_is_killed_leaves_nothing_that_looks_whole(gridatlas, city, tmp_path, ending):
    out = tmp_path / f"city.{ending}"
    command = [gridatlas.path, "export", "tiles", LAYERS, "--max-zoom", "18", "--store", city.store, "--out", out]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (parts := list(tmp_path.glob(f".{out.name}.*.part"))) and time.monotonic() < until:
        time.sleep(0.01)
    assert len(parts) == 1 and process.poll() is None, "it was killed while it wrote"
    process.kill()
    process.wait()
    assert not out.exists()
    # The next one begins anew and takes away what was left.
    gridatlas("export", "tiles", "grid", "--max-zoom", 12, "--store", city.store, "--out", out)
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_addresses_are_those_of_the_format(gridatlas, city, tmp_path):
    out = tmp_path / "grid.pmtiles"
    gridatlas("export", "tiles", "grid", "--min-zoom", 12, "--max-zoom", 12, "--store", city.store, "--out", out)
    tiles, _ = of_pmtiles(out)
    with open(out, "rb") as file:
        reader = Reader(MmapSource(file))
        for (z, x, y), data in tiles.items():
            assert reader.get(z, x, y) == data
        west, north = reader.header()["min_lon_e7"] / 1e7, reader.header()["max_lat_e7"] / 1e7
        bounds = city.json("tiles/grid")["bounds"]
        assert (west, north) == (bounds[0], bounds[3])
    assert tileid_to_zxy(0) == (0, 0, 0)


def unit_m(z):
    """A tile unit at a zoom, in metres on the Mercator plane."""
    return 40_075_016.685578488 / 4096 / 2**z


def mercator(geometries):
    return shapely.transform(geometries, pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform, interleaved=False)


def near(drawn, real, limit):
    """Whether two grounds are nowhere farther apart than a limit; where the first ends it was cut."""
    return shapely.hausdorff_distance(drawn, real) <= limit


@pytest.mark.parametrize("z", [13, 15, 16])
@pytest.mark.parametrize("form", ["served", "mbtiles", "pmtiles"])
def test_gdal_finds_the_areas_where_the_coverage_has_them(gridatlas, city, tmp_path, z, form):
    real_file = tmp_path / "grid.fgb"
    gridatlas("export", "areas", "--level", "grid", "--store", city.store, "--out", real_file)
    meta, _, geometry, fields = pyogrio.raw.read(real_file)
    real = dict(zip(dict(zip(meta["fields"], fields))["code"], mercator(shapely.from_wkb(geometry))))

    source = tmp_path / "city.pmtiles"
    gridatlas("export", "tiles", "grid", "--min-zoom", z, "--max-zoom", z, "--store", city.store, "--out", source)
    if form == "served":
        # Tile by tile over HTTP, as what they lie at says where they are.
        reads = [(f"/vsicurl/{city.url}tiles/grid/{z}/{x}/{y}.pbf", {}) for _, x, y in of_pmtiles(source)[0]]
    elif form == "mbtiles":
        gridatlas(
            "export", "tiles", "grid", "--min-zoom", z, "--max-zoom", z, "--store", city.store, "--out", tmp_path / "city.mbtiles"
        )
        reads = [(tmp_path / "city.mbtiles", {"ZOOM_LEVEL": z, "CLIP": "NO"})]
    else:
        reads = [(source, {"ZOOM_LEVEL": z, "CLIP": "NO"})]
    drawn = {}
    for path, options in reads:
        meta, _, geometry, fields = pyogrio.raw.read(path, layer="grid", **options)
        assert meta["crs"] == "EPSG:3857"
        for code, piece in zip(dict(zip(meta["fields"], fields))["code"], shapely.from_wkb(geometry)):
            assert piece.is_valid
            drawn.setdefault(code, []).append(piece)
    assert drawn.keys() == real.keys()
    # A corner that was left out moves a line by some units; a vertex by half of one each way.
    limit = unit_m(z) * (1.5 if z >= 16 else 24)
    for code, pieces in drawn.items():
        # GDAL cuts single tiles at their sides, to a part of a micrometre.
        assert near(shapely.union_all(pieces, grid_size=1e-3), real[code], limit), code
