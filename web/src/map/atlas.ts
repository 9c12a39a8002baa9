/**
 * MapLibre and the state of the screen, each following the other. The one place that
 * holds a live map. Knows no words: the screen around it says what went wrong.
 */

import { effect, untracked } from "@preact/signals";
import { Map as Canvas, Marker, setWorkerUrl, type StyleSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { located } from "../state/answer";
import { city, levelInView, mapTrouble, swatches } from "../state/city";
import { hidden, isDark, level, revision, selection, view } from "../state/screen";
import { service } from "../state/client";
import { areaSources, cityOf, dress, levelAt, swatch } from "./dress";

setWorkerUrl(workerUrl);

/** What moves on its own is drawn again this often while the page is in sight. */
const LIVE_EVERY_MS = 5_000;
const LIVE = ["worker", "event"];

/** The styles that have come, one a theme. */
const styles = new Map<string, StyleSpecification>();

async function styleFor(dark: boolean): Promise<StyleSpecification> {
  const name = dark ? "atlas-dark" : "atlas";
  const known = styles.get(name);
  if (known) return known;
  const style = await service.get<StyleSpecification>(`styles/${name}`);
  styles.set(name, style);
  return style;
}

/** Puts the map into `container` and keeps it right until the returned function is called. */
export function openAtlas(container: HTMLElement): () => void {
  let map: Canvas | null = null;
  let picked: { source: string; sourceLayer: string; id: string }[] = [];
  const marker = new Marker({ element: pin(), anchor: "center" });
  const ends: (() => void)[] = [];

  const start = (style: StyleSpecification): Canvas => {
    const at = view.peek();
    const canvas = new Canvas({
      container,
      style,
      ...(at ? { center: at.centre, zoom: at.zoom } : {}),
      attributionControl: { compact: false },
      maxPitch: 0,
      pitchWithRotate: false,
      dragRotate: false,
      fadeDuration: 120,
    });
    canvas.touchZoomRotate.disableRotation();
    canvas.keyboard.disableRotation();
    follow(canvas);
    return canvas;
  };

  /** From the map to the state. */
  const follow = (canvas: Canvas) => {
    const moved = () => {
      const { lng, lat } = canvas.getCenter();
      view.value = { centre: [lng, lat], zoom: canvas.getZoom() };
    };
    canvas.on("load", moved);
    canvas.on("moveend", moved);
    canvas.on("click", (event) => (selection.value = [event.lngLat.lng, event.lngLat.lat]));
    canvas.on("error", ({ error }) => {
      console.warn(error);
      mapTrouble.value = "tiles";
    });
    canvas.on("idle", () => {
      if (mapTrouble.peek() === "tiles") mapTrouble.value = null;
    });
    canvas.getCanvas().addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        const { lng, lat } = canvas.getCenter();
        selection.value = [lng, lat];
      }
    });
  };

  // The style for the theme, dressed for the rest.
  let wanted = 0;
  ends.push(
    effect(() => {
      const wish = { level: level.value, hidden: hidden.value, isDark: isDark.value };
      const turn = ++wanted;
      styleFor(wish.isDark).then(
        (style) => {
          if (turn !== wanted) return;
          const found = cityOf(style);
          if (JSON.stringify(found) !== JSON.stringify(city.peek())) city.value = found;
          swatches.value = new Map(found.layers.map((name) => [name, swatch(style, name)]));
          const dressed = dress(style, found, wish);
          if (mapTrouble.peek() === "style") mapTrouble.value = null;
          if (map) map.setStyle(dressed, { diff: true, validate: false });
          else {
            try {
              map = start(dressed);
            } catch (cause) {
              console.error(cause);
              mapTrouble.value = "webgl";
            }
          }
          showLevel();
          showPlace();
        },
        (cause) => {
          console.error(cause);
          if (turn === wanted) mapTrouble.value = "style";
        },
      );
    }),
  );

  const showLevel = () => {
    const style = styles.get(isDark.peek() ? "atlas-dark" : "atlas");
    const zoom = view.peek()?.zoom ?? style?.zoom;
    if (style && zoom !== undefined) levelInView.value = levelAt(style, city.peek().levels, zoom);
  };
  ends.push(effect(() => void (view.value, untracked(showLevel))));

  // From the URL to the map: when the view was changed by hand there, not by the map.
  ends.push(
    effect(() => {
      const to = view.value;
      if (!map || !to || map.isMoving()) return;
      const { lng, lat } = map.getCenter();
      const same = Math.abs(lng - to.centre[0]) < 1e-5 && Math.abs(lat - to.centre[1]) < 1e-5 && Math.abs(map.getZoom() - to.zoom) < 0.01;
      if (!same) map.jumpTo({ center: to.centre, zoom: to.zoom });
    }),
  );

  // The selected place: a pin at the point that was used, and the area that owns it at
  // the level on show.
  const showPlace = () => {
    if (!map) return;
    const at = selection.peek();
    if (at) marker.setLngLat(at).addTo(map);
    else marker.remove();

    const answer = located.peek();
    const owner = answer.is === "here" ? answer.value.owners[0] : undefined;
    const on = level.peek() ?? levelInView.peek();
    const link = owner?.chain?.find((one) => one.level === on) ?? owner?.chain?.at(-1);
    const style = styles.get(isDark.peek() ? "atlas-dark" : "atlas");
    const source = link && style ? areaSources(style, city.peek()).get(link.level) : undefined;
    const next = link && source ? [{ source, sourceLayer: link.level, id: link.code }] : [];
    if (JSON.stringify(next) === JSON.stringify(picked)) return;
    for (const one of picked) if (map.getSource(one.source)) map.setFeatureState(one, { picked: false });
    for (const one of next) if (map.getSource(one.source)) map.setFeatureState(one, { picked: true });
    picked = next;
  };
  ends.push(effect(() => void (selection.value, located.value, level.value, levelInView.value, untracked(showPlace))));

  // A new revision has other borders; workers and events change by themselves.
  const refresh = (live: boolean) => {
    if (!map?.isStyleLoaded()) return;
    for (const [name, source] of Object.entries(map.getStyle().sources)) {
      if (source.type !== "vector") continue;
      const drawn = map.getStyle().layers.flatMap((one) => ("source" in one && one.source === name && "source-layer" in one ? [one["source-layer"]] : []));
      if (!live || (drawn.length > 0 && drawn.every((one) => LIVE.includes(one ?? "")))) map.refreshTiles(name);
    }
  };
  const ticking = setInterval(() => {
    if (document.visibilityState === "visible") refresh(true);
  }, LIVE_EVERY_MS);
  ends.push(() => clearInterval(ticking));
  let known: number | null = null;
  ends.push(
    effect(() => {
      const now = revision.value;
      if (known !== null && now !== null && now !== known) untracked(() => refresh(false));
      known = now ?? known;
    }),
  );

  const zoomTo = (bounds: [number, number, number, number]) => map?.fitBounds(bounds, { padding: 40, maxZoom: 17, duration: 600 });
  camera = { zoomBy: (steps) => void map?.zoomTo(map.getZoom() + steps, { duration: 200 }), fit: (bounds) => void zoomTo(bounds) };

  return () => {
    for (const end of ends) end();
    map?.remove();
    camera = STILL;
  };
}

function pin(): HTMLElement {
  const element = document.createElement("div");
  element.className = "pin";
  return element;
}

interface Camera {
  zoomBy(steps: number): void;
  /** West, south, east, north. */
  fit(bounds: [number, number, number, number]): void;
}

const STILL: Camera = { zoomBy: () => {}, fit: () => {} };
let camera: Camera = STILL;

/** Moves the open map; nothing where none is open. */
export const move: Camera = {
  zoomBy: (steps) => camera.zoomBy(steps),
  fit: (bounds) => camera.fit(bounds),
};
