import { strictEqual } from "node:assert/strict";
import { duration, moment, relative } from "./time.ts";

const S = 1_000, M = 60 * S, H = 60 * M, D = 24 * H;

Deno.test("a duration is said in at most two units that follow each other", () => {
  strictEqual(duration(0), "0s");
  strictEqual(duration(999), "0s");
  strictEqual(duration(12 * S), "12s");
  strictEqual(duration(3 * H + 5 * M + 7 * S), "3h 5m");
  strictEqual(duration(2 * D + 3 * M), "2d");
});

Deno.test("a time is said by its distance", () => {
  const now = 100 * D;
  strictEqual(relative(now - 5 * M - 3 * S, now), "5m ago");
  strictEqual(relative(now + 2 * H, now), "in 2h");
  strictEqual(relative(now - 1, now), "now");
  strictEqual(relative(undefined, now), "-");
  strictEqual(relative(null, now), "-");
});

Deno.test("a moment is told to the second, and what is no time is told so", () => {
  strictEqual(moment("2026-01-02T12:03:44.999Z", true), "2026-01-02 12:03:44");
  strictEqual(moment(0, true), "1970-01-01 00:00:00");
  strictEqual(moment("soon", true), "-");
  strictEqual(moment(undefined, false), "-");
});
