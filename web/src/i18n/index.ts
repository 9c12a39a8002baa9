/** The words and numbers of the page in the chosen language. */

import { computed } from "@preact/signals";
import { language } from "../state/screen";
import type { Language } from "../state/url";
import { en } from "./en";
import { type Dictionary, zhCN } from "./zh-CN";

const DICTIONARIES: Record<Language, Dictionary> = { "zh-CN": zhCN, en };

/** The words now: read `words.value.…` where it is drawn, and it changes with the language. */
export const words = computed(() => DICTIONARIES[language.value]);

/** The name of a thing in a table of names, or the thing's own where the table lacks it. */
export function named(table: Record<string, string>, key: string): string {
  return table[key] ?? key.replaceAll("_", " ");
}

const whole = computed(() => new Intl.NumberFormat(language.value, { maximumFractionDigits: 0 }));
const tenths = computed(() => new Intl.NumberFormat(language.value, { maximumFractionDigits: 1 }));

export function count(n: number): string {
  return whole.value.format(n);
}

/** 0.4 m, 38 m, 1.2 km: two figures that matter. */
export function distance(distance_m: number): string {
  const w = words.value;
  if (distance_m < 10) return w.metres(tenths.value.format(distance_m));
  if (distance_m < 1000) return w.metres(whole.value.format(distance_m));
  const km = distance_m / 1000;
  return w.kilometres((km < 100 ? tenths : whole).value.format(km));
}

export function age(age_s: number): string {
  const w = words.value;
  if (age_s < 90) return w.age(w.seconds(count(age_s)));
  if (age_s < 90 * 60) return w.age(w.minutes(count(age_s / 60)));
  if (age_s < 36 * 3600) return w.age(w.hours(count(age_s / 3600)));
  return w.age(w.days(count(age_s / 86400)));
}

/** Degrees as people paste them into other programs: longitude, latitude. */
export function coordinates([lon, lat]: readonly [number, number]): string {
  return `${lon.toFixed(6)}, ${lat.toFixed(6)}`;
}
