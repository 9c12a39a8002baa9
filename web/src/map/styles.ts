/** The service's styles, one a theme: each is fetched once and kept. */

import type { StyleSpecification } from "maplibre-gl";
import { service } from "../state/client";

const kept = new Map<boolean, Promise<StyleSpecification>>();

/** The style for light or dark; a failed fetch is forgotten, so that asking again tries again. */
export function styleFor(isDark: boolean): Promise<StyleSpecification> {
  const known = kept.get(isDark);
  if (known) return known;
  const coming = service.get<StyleSpecification>(isDark ? "styles/atlas-dark" : "styles/atlas");
  kept.set(isDark, coming);
  coming.catch(() => kept.delete(isDark));
  return coming;
}
