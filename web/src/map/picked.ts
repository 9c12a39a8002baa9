/**
 * The selected place on the map: a pin on it, and the area that owns it at the level on
 * show in another colour, by feature state.
 */

import { Marker, type Map as Canvas, type StyleSpecification } from "maplibre-gl";
import type { Located, Position } from "../api/types";
import type { City } from "../state/city";
import { areaSources } from "./dress";

/** A feature as MapLibre's feature state names it. */
export interface Picked {
  source: string;
  sourceLayer: string;
  id: string;
}

/** The area to colour: the owner's ancestor at `level`, or the owner where it has none there. */
export function areaToPick(style: StyleSpecification, city: City, located: Located | null, level: string | null): Picked | null {
  const chain = located?.owners[0]?.chain ?? [];
  const link = chain.find((one) => one.level === level) ?? chain.at(-1);
  const source = link && areaSources(style, city).get(link.level);
  return link && source ? { source, sourceLayer: link.level, id: link.code } : null;
}

export class Selection {
  private readonly pin = new Marker({ element: pinElement(), anchor: "center" });
  private picked: Picked | null = null;

  constructor(private readonly map: Canvas) {}

  pinAt(place: Position | null): void {
    if (place) this.pin.setLngLat(place).addTo(this.map);
    else this.pin.remove();
  }

  pick(next: Picked | null): void {
    if (JSON.stringify(next) === JSON.stringify(this.picked)) return;
    // A style without the source has no state to set; it is set again when the source is back.
    if (this.picked && this.map.getSource(this.picked.source)) this.map.setFeatureState(this.picked, { picked: false });
    this.picked = null;
    if (next && this.map.getSource(next.source)) {
      this.map.setFeatureState(next, { picked: true });
      this.picked = next;
    }
  }
}

function pinElement(): HTMLElement {
  const element = document.createElement("div");
  element.className = "pin";
  return element;
}
