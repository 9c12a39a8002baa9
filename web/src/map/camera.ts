/** Ways for the rest of the page to move the open map, without holding it. */

import type { Map as Canvas } from "maplibre-gl";

let open: Canvas | null = null;

/** Says which map the page has open; null when it is gone. */
export function setCamera(map: Canvas | null): void {
  open = map;
}

export function zoomBy(steps: number): void {
  open?.zoomTo(open.getZoom() + steps, { duration: 200 });
}

/** Brings a box (west, south, east, north, in degrees) into view. */
export function fit(bounds: [number, number, number, number]): void {
  open?.fitBounds(bounds, { padding: 40, maxZoom: 17, duration: 600 });
}
