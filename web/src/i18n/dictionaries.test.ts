import { expect, test } from "vitest";
import { en } from "./en";
import { zhCN } from "./zh-CN";

/** Every word of a dictionary with the path to it; functions by what they make of a number. */
function flat(value: unknown, path = ""): [string, string][] {
  if (typeof value === "function") return [[path, String(value("3", "4"))]];
  if (typeof value === "object" && value !== null) return Object.entries(value).flatMap(([key, inner]) => flat(inner, `${path}.${key}`));
  return [[path, String(value)]];
}

test("both languages have the same words, also in the tables that the types leave open", () => {
  expect(flat(en).map(([path]) => path).sort()).toEqual(flat(zhCN).map(([path]) => path).sort());
});

test("no word is empty or says undefined", () => {
  for (const [path, word] of [...flat(en), ...flat(zhCN)]) expect(word.includes("undefined") ? "" : word, path).not.toBe("");
});

test("what is English has no Chinese in it, but for the name of the language", () => {
  const chinese = flat(en).filter(([path, word]) => /[\u4e00-\u9fff]/.test(word) && !/language/.test(path));
  expect(chinese).toEqual([]);
});
