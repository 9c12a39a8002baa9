/** The box around an area's outline, in degrees: west, south, east, north. */

import type { Area } from "../api/types";

export function boundsOf(geometry: Area["geometry"]): [number, number, number, number] {
  const bounds: [number, number, number, number] = [180, 90, -180, -90];
  const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  // The outer rings alone: a hole lies inside its own.
  for (const [shell] of polygons) {
    for (const [lon, lat] of shell ?? []) {
      bounds[0] = Math.min(bounds[0], lon);
      bounds[1] = Math.min(bounds[1], lat);
      bounds[2] = Math.max(bounds[2], lon);
      bounds[3] = Math.max(bounds[3], lat);
    }
  }
  return bounds;
}
