"""Polygons of files, and figures about them in metres."""

import gzip
import json

import numpy as np
import shapely
from pyproj import Geod
from shapely.geometry import shape

GEOD = Geod(ellps="WGS84")


def features(path):
    """The features of a GeoJSON file, gz or plain."""
    opened = gzip.open(path, "rt", encoding="utf8") if str(path).endswith(".gz") else open(path, encoding="utf8")
    with opened as file:
        return json.load(file)["features"]


def polygon(feature):
    """The feature's geometry in two dimensions."""
    return shapely.force_2d(shape(feature["geometry"]))


def area_and_perimeter(geometry):
    """Square metres and metres on the ellipsoid; holes count, whatever way their rings run."""
    area_m2 = perimeter_m = 0.0
    for part in shapely.get_parts(geometry):
        for at, ring in enumerate([part.exterior, *part.interiors]):
            ring_m2, ring_m = GEOD.geometry_area_perimeter(ring)
            area_m2 += abs(ring_m2) if at == 0 else -abs(ring_m2)
            perimeter_m += ring_m
    return area_m2, perimeter_m


class Flat:
    """Degrees to metres on a plane that touches the earth near `lat`, good to a percent over a city."""

    def __init__(self, lat):
        self.scale = np.array([111_320 * np.cos(np.radians(lat)), 110_950])

    def metres(self, geometry):
        return shapely.transform(geometry, lambda degrees: degrees * self.scale)

    def degrees(self, positions_m):
        return np.asarray(positions_m) / self.scale


def random_points(geometry, count, random):
    """Points drawn evenly from inside a geometry on a plane."""
    shapely.prepare(geometry)
    west, south, east, north = geometry.bounds
    found = np.empty((0, 2))
    while len(found) < count:
        drawn = random.uniform((west, south), (east, north), (4 * count, 2))
        found = np.vstack([found, drawn[shapely.contains_xy(geometry, drawn)]])
    return found[:count]
