/**
 * Keeps what is drawn as fresh as the service: what moves is asked for again while the page
 * is in sight, and of everything else the tiles that the service says have changed.
 */

import type { Map as Canvas, StyleSpecification } from "maplibre-gl";

const EVERY_MS = 5_000;
/** Layers whose features move without anybody changing them. */
const LIVE = ["worker", "event"];

/** West, south, east, north, in degrees. */
export type Box = [number, number, number, number];

export interface TileId {
  z: number;
  x: number;
  y: number;
}

/** The layers of tiles that each vector source draws. */
function drawnBySource(style: StyleSpecification): Map<string, string[]> {
  const drawn = new Map<string, string[]>();
  for (const layer of style.layers) {
    if ("source" in layer && typeof layer.source === "string" && layer["source-layer"]) {
      drawn.set(layer.source, [...(drawn.get(layer.source) ?? []), layer["source-layer"]]);
    }
  }
  return drawn;
}

/** The sources that draw nothing but what is live. */
export function liveSources(style: StyleSpecification): string[] {
  return [...drawnBySource(style)].filter(([, layers]) => layers.every((one) => LIVE.includes(one))).map(([name]) => name);
}

/** The sources that draw a layer. */
export function sourcesOf(style: StyleSpecification, layer: string): string[] {
  return [...drawnBySource(style)].filter(([, layers]) => layers.includes(layer)).map(([name]) => name);
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

/** What a tile draws beside itself, in parts of it: its buffer and a little more. */
const MARGIN = 1 / 32;

/** The tiles of some zooms that draw any of the boxes, as far as they are in view. */
export function tilesOf(boxes: Box[], inView: Box, zooms: [lowest: number, highest: number]): TileId[] {
  const found = new Map<string, TileId>();
  for (let z = Math.max(zooms[0], 0); z <= zooms[1]; z++) {
    const width = 2 ** z;
    const column = (lon: number) => ((lon + 180) / 360) * width;
    const row = (lat: number) => {
      const sine = Math.sin((Math.max(-85, Math.min(85, lat)) * Math.PI) / 180);
      return (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * width;
    };
    for (const box of boxes) {
      const [west, south] = [Math.max(box[0], inView[0]), Math.max(box[1], inView[1])];
      const [east, north] = [Math.min(box[2], inView[2]), Math.min(box[3], inView[3])];
      if (west > east || south > north) continue;
      for (let x = Math.floor(column(west) - MARGIN); x <= Math.floor(column(east) + MARGIN); x++) {
        for (let y = Math.floor(row(north) - MARGIN); y <= Math.floor(row(south) + MARGIN); y++) {
          if (x >= 0 && y >= 0 && x < width && y < width) found.set(`${z}/${x}/${y}`, { z, x, y });
        }
      }
    }
  }
  return [...found.values()];
}

/** Follows the service's changes at `url` from now on; the returned function ends it. */
export function followChanges(map: Canvas, url: string, onRevision: (revision: number) => void): () => void {
  const changes = new EventSource(url);
  const refresh = (sources: string[], boxes: Box[] | undefined) => {
    if (!boxes) return sources.forEach((name) => map.refreshTiles(name));
    const bounds = map.getBounds();
    // A screen more on each side: tiles there are kept for who drags the map.
    const [width, height] = [bounds.getEast() - bounds.getWest(), bounds.getNorth() - bounds.getSouth()];
    const inView: Box = [bounds.getWest() - width, bounds.getSouth() - height, bounds.getEast() + width, bounds.getNorth() + height];
    const zoom = Math.floor(map.getZoom());
    for (const name of sources) {
      const source = map.getStyle().sources[name];
      const deepest = (map.getSource(name) as { maxzoom?: number } | undefined)?.maxzoom ?? 22;
      if (source?.type !== "vector") continue;
      // Tiles of zooms beside it are shown until those of this one have come.
      const at = Math.min(zoom, deepest);
      const tiles = tilesOf(boxes, inView, [at - 2, Math.min(at + 1, deepest)]);
      if (tiles.length > 0) map.refreshTiles(name, tiles);
    }
  };
  changes.addEventListener("revision", ({ data }) => {
    const { revision, boxes } = JSON.parse(data) as { revision: number; boxes: Box[] };
    onRevision(revision);
    const style = map.getStyle();
    refresh(Object.keys(style.sources).filter((name) => style.sources[name]?.type === "vector"), boxes);
  });
  changes.addEventListener("layer", ({ data }) => {
    const { layer, boxes } = JSON.parse(data) as { layer: string; boxes?: Box[] };
    refresh(sourcesOf(map.getStyle(), layer), boxes);
  });
  changes.addEventListener("reset", () => refreshAll(map));
  return () => changes.close();
}
