/**
 * The state of the screen as signals. The URL's fragment is its one lasting form: it is
 * read once at the start and on every change by hand, and written when a signal changes.
 */

import { computed, effect, signal } from "@preact/signals";
import type { Position } from "../api/types";
import { type Language, readFragment, type Screen, type Theme, type View, writeFragment } from "./url";

const first = readFragment(location.hash);

export const view = signal<View | null>(first.view);
export const level = signal<string | null>(first.level);
export const selection = signal<Position | null>(first.selection);
export const hidden = signal<ReadonlySet<string>>(first.hidden);
export const chosenLanguage = signal<Language | null>(first.language);
export const theme = signal<Theme>(first.theme);

/** The revision that the last answer was given at. */
export const revision = signal<number | null>(null);

export const language = computed<Language>(
  () => chosenLanguage.value ?? (navigator.languages.some((tag) => tag.startsWith("zh")) || !navigator.languages.length ? "zh-CN" : "en"),
);

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(systemDark.matches);
systemDark.addEventListener("change", () => (systemIsDark.value = systemDark.matches));

export const isDark = computed(() => (theme.value === "system" ? systemIsDark.value : theme.value === "dark"));

export function toggleLayer(name: string): void {
  const next = new Set(hidden.value);
  if (!next.delete(name)) next.add(name);
  hidden.value = next;
}

function current(): Screen {
  return {
    view: view.value,
    level: level.value,
    selection: selection.value,
    hidden: hidden.value,
    language: chosenLanguage.value,
    theme: theme.value,
  };
}

/** Keeps the URL and the signals the same, from now on. */
export function followUrl(): void {
  effect(() => {
    const fragment = writeFragment(current());
    // Replaced, not pushed: a hundred steps back through a pan help nobody.
    if (fragment !== location.hash) history.replaceState(null, "", fragment || location.pathname + location.search);
  });
  addEventListener("hashchange", () => {
    const screen = readFragment(location.hash);
    view.value = screen.view ?? view.value;
    level.value = screen.level;
    selection.value = screen.selection;
    hidden.value = screen.hidden;
    chosenLanguage.value = screen.language;
    theme.value = screen.theme;
  });
}
