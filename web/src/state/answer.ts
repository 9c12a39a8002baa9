/**
 * What the service says about the selected place: who owns it and who is near. One
 * question is open at a time; a newer one ends the older. The two halves come and fail
 * on their own.
 */

import { computed, effect, signal } from "@preact/signals";
import { Refused } from "../api/client";
import type { Located, Position, Worker } from "../api/types";
import { selection } from "./screen";
import { service } from "./client";

export type Answer<T> =
  | { is: "none" }
  | { is: "loading"; before: T | null }
  | { is: "here"; value: T }
  | { is: "refused"; why: Refused };

/** How many workers the panel has room for. */
const WORKERS = 5;

export const located = signal<Answer<Located>>({ is: "none" });
export const workers = signal<Answer<Worker[]>>({ is: "none" });

/** The selected place and where those who are near it stand. */
export const reach = computed(() => {
  const answer = workers.value;
  return selection.value && answer.is === "here" ? { from: selection.value, to: answer.value.map((worker) => worker.point) } : null;
});

let open: AbortController | null = null;

async function fill<T>(into: { value: Answer<T>; peek(): Answer<T> }, ask: Promise<T>, signal: AbortSignal): Promise<void> {
  const now = into.peek();
  // The answer before stays in sight, dimmed, so that the panel doesn't jump.
  into.value = { is: "loading", before: now.is === "here" ? now.value : now.is === "loading" ? now.before : null };
  try {
    const value = await ask;
    if (!signal.aborted) into.value = { is: "here", value };
  } catch (cause) {
    if (signal.aborted) return;
    into.value = { is: "refused", why: cause instanceof Refused ? cause : new Refused(0, "unreadable", String(cause)) };
  }
}

export function ask(place: Position | null): void {
  open?.abort();
  open = null;
  if (!place) {
    located.value = { is: "none" };
    workers.value = { is: "none" };
    return;
  }
  open = new AbortController();
  const { signal } = open;
  void fill(located, service.locate(place, signal), signal);
  void fill(workers, service.nearestWorkers(place, WORKERS, signal), signal);
}

/** Asks whenever the selection changes, from now on. */
export function followSelection(): void {
  effect(() => ask(selection.value));
}
