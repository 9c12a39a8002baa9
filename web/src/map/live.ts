/**
 * Keeps what is drawn as fresh as the service: workers and events are asked for again
 * while the page is in sight, and everything is when the boundaries have a new revision.
 */

import type { Map as Canvas, StyleSpecification } from "maplibre-gl";

const EVERY_MS = 5_000;
/** Layers whose features change without a new revision of the boundaries. */
const LIVE = ["worker", "event"];

/** The sources that draw nothing but what is live. */
export function liveSources(style: StyleSpecification): string[] {
  return Object.keys(style.sources).filter((name) => {
    const drawn = style.layers.flatMap((layer) =>
      "source" in layer && layer.source === name && "source-layer" in layer && layer["source-layer"] ? [layer["source-layer"]] : [],
    );
    return drawn.length > 0 && drawn.every((one) => LIVE.includes(one));
  });
}

export function refreshAll(map: Canvas): void {
  for (const [name, source] of Object.entries(map.getStyle().sources)) {
    if (source.type === "vector") map.refreshTiles(name);
  }
}

/** Refreshes the live sources from now on; the returned function ends it. */
export function keepLive(map: Canvas): () => void {
  const timer = setInterval(() => {
    // A map that is busy is fresh enough, and one that nobody sees need not be.
    if (document.visibilityState !== "visible" || !map.isStyleLoaded() || map.isMoving()) return;
    for (const name of liveSources(map.getStyle())) map.refreshTiles(name);
  }, EVERY_MS);
  return () => clearInterval(timer);
}
