/** The map and what lies over it: zoom, scale, and what is wrong. */

import { useEffect, useRef } from "preact/hooks";
import { distance, words } from "../i18n";
import { mapTrouble } from "../state/city";
import { view } from "../state/screen";
import { Icon } from "../ui/icons";
import { openAtlas } from "./atlas";
import { zoomBy } from "./camera";
import { scaleBar } from "./scale";

export function MapView() {
  const w = words.value;
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => (container.current ? openAtlas(container.current) : undefined), []);
  return (
    <div class="map" role="region" aria-label={w.map}>
      <div class="map-canvas" ref={container} />
      <div class="crosshair" aria-hidden="true" />
      <div class="zoom">
        <button type="button" class="icon-button" aria-label={w.zoomIn} title={w.zoomIn} onClick={() => zoomBy(1)}>
          <Icon name="plus" />
        </button>
        <button type="button" class="icon-button" aria-label={w.zoomOut} title={w.zoomOut} onClick={() => zoomBy(-1)}>
          <Icon name="minus" />
        </button>
      </div>
      <Scale />
      <Trouble />
    </div>
  );
}

/** The longest that the bar may be. */
const MOST_PX = 96;

function Scale() {
  const at = view.value;
  if (!at) return null;
  const { length_m, length_px } = scaleBar(at.centre[1], at.zoom, MOST_PX);
  return (
    <div class="scale" style={{ width: `${length_px.toFixed(1)}px` }}>
      {distance(length_m)}
    </div>
  );
}

function Trouble() {
  const w = words.value;
  const text = { style: w.mapFailed, tiles: w.mapTilesFailed, webgl: w.noWebGL };
  const trouble = mapTrouble.value;
  return trouble ? (
    <div class={trouble === "tiles" ? "trouble trouble-small" : "trouble"} role="alert">
      {text[trouble]}
    </div>
  ) : null;
}
