/// <reference types="vitest/config" />
import { defineConfig } from "vite";

// In development the service runs beside Vite: `gridatlas demo`, then `npm run dev`.
const service = process.env.GRIDATLAS_URL ?? "http://127.0.0.1:8080";
const served = ["/locate", "/areas", "/tiles", "/styles", "/layers", "/workers", "/events", "/search", "/changes", "/revisions", "/readyz"];

export default defineConfig({
  // Relative, so that the built page works under any path a proxy gives it.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 1300,
    // MapLibre by itself: it changes seldom, so a visitor keeps it when our own code is new.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "maplibre-gl", test: /node_modules.(?!preact|@preact)/ }] } } },
  },
  server: { proxy: Object.fromEntries(served.map((path) => [path, service])) },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
