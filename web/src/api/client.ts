/**
 * The service as functions: one a call, each an answer or a `Refused`. Knows nothing of
 * the screen. Every answer's revision is handed to `onRevision`.
 */

import type { Area, Located, Position, Problem, Worker } from "./types";

/** The service said no, or did not answer (`status` 0). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export class Client {
  /** `root` is where the service lives, with the slash: it may be below a path. */
  constructor(
    readonly root: string,
    private readonly onRevision: (revision: number) => void = () => {},
  ) {}

  url(path: string, query: Record<string, string> = {}): string {
    const url = new URL(path, this.root);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url.href;
  }

  async get<T>(path: string, query: Record<string, string> = {}, signal?: AbortSignal): Promise<T> {
    let answer: Response;
    try {
      answer = await fetch(this.url(path, query), { headers: { accept: "application/json" }, signal: signal ?? null });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new Refused(0, "unreachable", String(cause));
    }
    const revision = Number(answer.headers.get("gridatlas-revision") ?? Number.NaN);
    if (Number.isFinite(revision)) this.onRevision(revision);
    if (!answer.ok) {
      const problem = (await answer.json().catch(() => ({}))) as Problem;
      throw new Refused(answer.status, problem.code ?? "unknown", problem.detail ?? problem.title ?? answer.statusText);
    }
    return (await answer.json()) as T;
  }

  locate([lon, lat]: Position, signal?: AbortSignal): Promise<Located> {
    return this.get("locate", { lon: String(lon), lat: String(lat) }, signal);
  }

  nearestWorkers([lon, lat]: Position, k: number, signal?: AbortSignal): Promise<Worker[]> {
    return this.get("workers/nearest", { lon: String(lon), lat: String(lat), k: String(k) }, signal);
  }

  area(code: string, signal?: AbortSignal): Promise<Area> {
    return this.get(`areas/${encodeURIComponent(code)}`, {}, signal);
  }
}
