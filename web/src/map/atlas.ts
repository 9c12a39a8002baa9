/**
 * MapLibre and the state of the screen, each following the other. The one place where a
 * live map is made and ended. Knows no words: the screen around it says what went wrong.
 */

import { effect, untracked } from "@preact/signals";
import { Map as Canvas, type MapOptions, setWorkerUrl, type StyleSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { located, reach } from "../state/answer";
import { city, levelInView, mapTrouble, swatches } from "../state/city";
import { service } from "../state/client";
import { hidden, isDark, level, revision, selection, view } from "../state/screen";
import type { View } from "../state/url";
import { setCamera } from "./camera";
import { cityOf, dress, levelAt, swatch } from "./dress";
import { followChanges, keepLive } from "./live";
import { areaToPick, Selection } from "./picked";
import { styleFor } from "./styles";

setWorkerUrl(workerUrl);

/** Puts the map into `container` and keeps it right until the returned function is called. */
export function openAtlas(container: HTMLElement): () => void {
  let close: (() => void) | null = null;
  let isClosed = false;
  styleFor(isDark.peek()).then(
    (style) => {
      if (isClosed) return;
      try {
        close = start(container, style);
      } catch (cause) {
        console.error(cause);
        mapTrouble.value = "webgl";
      }
    },
    (cause) => {
      console.error(cause);
      mapTrouble.value = "style";
    },
  );
  return () => {
    isClosed = true;
    close?.();
  };
}

function start(container: HTMLElement, style: StyleSpecification): () => void {
  const at = view.peek();
  const first = dressed(style);
  const map = new Canvas({
    container,
    style: first,
    ...(at ? { center: at.centre, zoom: at.zoom } : wholeCity(style)),
    attributionControl: { compact: false, customAttribution: `<a href="${service.url("docs")}">Gridatlas</a>` },
    maxPitch: 0,
    pitchWithRotate: false,
    dragRotate: false,
    fadeDuration: 120,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  setCamera(map);
  followMap(map);
  const ends = [keepLive(map)];
  // Before it has its first style a map can't take a second one.
  map.once("style.load", () => {
    ends.push(followScreen(map, style, first));
    ends.push(followChanges(map, service.url("changes"), (now) => (revision.value = now)));
  });
  return () => {
    for (const end of ends) end();
    setCamera(null);
    map.remove();
  };
}

/** The view of everything, where the style says how far the city reaches; else the style's own. */
function wholeCity(style: StyleSpecification): Pick<MapOptions, "bounds" | "fitBoundsOptions"> {
  const bounds = (style.metadata as Record<string, unknown> | undefined)?.["gridatlas:bounds"];
  const isBox = Array.isArray(bounds) && bounds.length === 4 && bounds.every(Number.isFinite);
  return isBox ? { bounds: bounds as [number, number, number, number], fitBoundsOptions: { padding: 24 } } : {};
}

/** The style for the screen as it is now; the city's levels and layers are learnt from it. */
function dressed(style: StyleSpecification): StyleSpecification {
  const found = cityOf(style);
  if (JSON.stringify(found) !== JSON.stringify(city.peek())) city.value = found;
  swatches.value = new Map(found.layers.map((name) => [name, swatch(style, name)]));
  return dress(style, found, { level: level.peek(), hidden: hidden.peek(), isDark: isDark.peek(), reach: reach.peek() });
}

/** From the map to the state. */
function followMap(map: Canvas): void {
  const moved = () => (view.value = viewOf(map));
  map.on("load", moved);
  map.on("moveend", moved);
  map.on("click", ({ lngLat }) => (selection.value = [lngLat.lng, lngLat.lat]));
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key === "Enter") selection.value = viewOf(map).centre;
  });
  map.on("error", ({ error }) => {
    console.warn(error);
    mapTrouble.value = "tiles";
  });
  map.on("idle", () => {
    if (mapTrouble.peek() === "tiles") mapTrouble.value = null;
  });
}

/** From the state to the map; the returned function ends it. */
function followScreen(map: Canvas, first: StyleSpecification, firstDressed: StyleSpecification): () => void {
  const place = new Selection(map);
  let latest = first;
  let worn = JSON.stringify(firstDressed);

  const show = () => {
    levelInView.value = levelAt(latest, city.peek().levels, map.getZoom());
    const answer = located.peek();
    place.pinAt(selection.peek());
    place.pick(areaToPick(latest, city.peek(), answer.is === "here" ? answer.value : null, level.peek() ?? levelInView.peek()));
  };

  let turn = 0;
  const ends = [
    effect(() => {
      const now = ++turn;
      void [level.value, hidden.value, reach.value];
      styleFor(isDark.value).then(
        (style) => {
          if (now !== turn) return;
          latest = style;
          const next = dressed(style);
          const text = JSON.stringify(next);
          if (text !== worn) map.setStyle(next, { diff: true, validate: false });
          worn = text;
          show();
        },
        // The map stays as it is; a look in another theme is not worth losing it.
        (cause) => console.error(cause),
      );
    }),
    effect(() => {
      const to = view.value;
      if (to && !map.isMoving() && !isSameView(viewOf(map), to)) map.jumpTo({ center: to.centre, zoom: to.zoom });
    }),
    effect(() => {
      void [view.value, selection.value, located.value, level.value];
      untracked(show);
    }),
  ];
  return () => {
    turn = -1;
    for (const end of ends) end();
  };
}

function viewOf(map: Canvas): View {
  const { lng, lat } = map.getCenter();
  return { centre: [lng, lat], zoom: map.getZoom() };
}

/** The same to the figures that the URL keeps. */
function isSameView(a: View, b: View): boolean {
  return Math.abs(a.centre[0] - b.centre[0]) < 1e-5 && Math.abs(a.centre[1] - b.centre[1]) < 1e-5 && Math.abs(a.zoom - b.zoom) < 0.01;
}
