import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client, Refused } from "./client";

let server: Server;
let root: string;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, answer) => {
    asked.push(request.url ?? "");
    const url = new URL(request.url ?? "", "http://service");
    const say = (status: number, body: string, headers = {}) => answer.writeHead(status, headers).end(body);
    if (url.searchParams.get("lat") === "91") say(400, JSON.stringify({ code: "bad_position", detail: "lat is 91" }));
    else if (url.searchParams.get("lat") === "90") say(502, "<html>proxy</html>");
    else say(200, JSON.stringify({ revision: 7, point: [1, 2], owners: [] }), { "gridatlas-revision": "7" });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}/below/a/path/`;
});

afterAll(() => void server.close());

test("calls go below the path that the page came from", async () => {
  await new Client(root).locate([120.5, 36]);
  expect(asked.at(-1)).toBe("/below/a/path/locate?lon=120.5&lat=36");
});

test("a code is one part of a path, whatever is in it", async () => {
  await new Client(root).area("a/b?c");
  expect(asked.at(-1)).toBe("/below/a/path/areas/a%2Fb%3Fc");
});

test("the revision of an answer is handed on", async () => {
  let revision = 0;
  await new Client(root, (n) => (revision = n)).locate([1, 2]);
  expect(revision).toBe(7);
});

test("a problem becomes a refusal with its code and words", async () => {
  const refused = await new Client(root).locate([0, 91]).catch((cause) => cause);
  expect(refused).toBeInstanceOf(Refused);
  expect(refused).toMatchObject({ status: 400, code: "bad_position", message: "lat is 91" });
});

test("an error that is not of the service is a refusal too", async () => {
  expect(await new Client(root).locate([0, 90]).catch((cause) => cause)).toMatchObject({ status: 502, code: "unknown" });
});

test("a service that is not there is a refusal with status 0", async () => {
  expect(await new Client("http://127.0.0.1:1/").locate([0, 0]).catch((cause) => cause)).toMatchObject({ status: 0 });
});

test("a question that was dropped is no refusal", async () => {
  const open = new AbortController();
  const answer = new Client(root).locate([1, 2], open.signal).catch((cause) => cause);
  open.abort();
  expect(await answer).not.toBeInstanceOf(Refused);
});
