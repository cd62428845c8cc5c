import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { isLoopback, judge } from "./locality.ts";

interface Case {
  readonly peer?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly allowed?: readonly string[];
  readonly bindsLoopback?: boolean;
}

const LOCAL = { local: true, sameOrigin: false };
const NOT_LOCAL = { local: false, sameOrigin: false };

Deno.test("a request is local when a loopback peer asks by a local name, with nobody in between", () => {
  const table: readonly [Case, typeof LOCAL][] = [
    [{}, LOCAL],
    [{ headers: { host: "127.0.0.1:18789" } }, LOCAL],
    [{ headers: { host: "[::1]:18789" }, peer: "::1" }, LOCAL],
    [{ headers: { host: "LOCALHOST" }, peer: "::ffff:127.0.0.1" }, LOCAL],
    [{ headers: { host: "localhost." } }, LOCAL],
    [{ headers: { host: "127.1.2.3" }, peer: "127.9.9.9" }, LOCAL],
    [{ peer: "192.0.2.1" }, NOT_LOCAL],
    [{ peer: "::ffff:192.0.2.1" }, NOT_LOCAL],
    [{ headers: { host: "box.tail1234.ts.net" } }, NOT_LOCAL],
    [{ headers: { host: "192.0.2.1:18789" }, bindsLoopback: false }, NOT_LOCAL],
    [{ headers: { host: "box.local" }, bindsLoopback: false, peer: "192.0.2.1" }, NOT_LOCAL],
    [{ headers: { host: "chat.example.com" }, allowed: ["https://chat.example.com"] }, NOT_LOCAL],
  ];
  for (const [request, expected] of table) {
    deepStrictEqual(judged(request), expected, JSON.stringify(request));
  }
});

Deno.test("whoever a proxy speaks for is not local", () => {
  for (
    const header of [
      "Forwarded",
      "Via",
      "X-Forwarded-For",
      "X-Forwarded-Host",
      "X-Forwarded-Proto",
      "X-Forwarded-Server",
      "X-Real-IP",
      "Tailscale-User-Login",
      "CF-Connecting-IP",
    ]
  ) {
    deepStrictEqual(judged({ headers: { host: "localhost", [header]: "127.0.0.1" } }), NOT_LOCAL);
  }
});

Deno.test("a name that a stranger's DNS could point here is not ours", () => {
  const table: readonly Case[] = [
    { headers: { host: "evil.example.com" } },
    { headers: { host: "localhost.evil.example.com" } },
    { headers: { host: "127.0.0.1.evil.example.com" } },
    { headers: { host: "evil-ts.net" } },
    { headers: { host: "192.0.2.1" } }, // nobody asks a loopback listener by that name
    { headers: { host: "box.local" } },
    { headers: { host: "" } },
    { headers: { host: "localhost:1:2" } },
    { headers: { host: "localhost/path" } },
    { headers: { host: "user@localhost" } },
    { headers: { host: "chat.example.com" }, allowed: ["https://other.example.com"] },
  ];
  for (const request of table) {
    const { refused } = judged(request) as { refused?: string };
    ok(refused?.startsWith("host not allowed"), JSON.stringify(request));
  }
});

Deno.test("a page may connect when it is ours, on this machine, or listed", () => {
  const table: readonly [Case, { local: boolean; sameOrigin: boolean } | undefined][] = [
    [page("localhost:1", "http://localhost:1"), { local: true, sameOrigin: true }],
    [page("localhost:1", "HTTP://LOCALHOST:1"), { local: true, sameOrigin: true }],
    [page("[::1]:1", "http://[::1]:1"), { local: true, sameOrigin: true }],
    [page("box.t.ts.net", "https://box.t.ts.net"), { local: false, sameOrigin: true }],
    [page("localhost:1", "http://localhost:5173"), { local: true, sameOrigin: false }],
    [page("localhost:1", "http://127.0.0.1:9"), { local: true, sameOrigin: false }],
    [page("localhost:1", "https://evil.example.com"), undefined],
    [page("localhost:1", "https://localhost.evil.example.com"), undefined],
    [page("localhost:1", "null"), undefined],
    [page("localhost:1", ""), undefined],
    [page("localhost:1", "file://"), undefined],
    [page("localhost:1", "http://localhost:1/"), undefined],
    [page("localhost:1", "http://user@localhost:1"), undefined],
    [page("localhost:1", "chrome-extension://abc"), undefined],
    [{ ...page("localhost:1", "http://localhost:5"), peer: "192.0.2.1" }, undefined],
    [
      {
        headers: {
          host: "localhost:1",
          origin: "http://localhost:5",
          "x-forwarded-for": "1.2.3.4",
        },
      },
      undefined,
    ],
    [
      {
        ...page("localhost:1", "https://chat.example.com"),
        allowed: ["https://chat.example.com/"],
      },
      { local: true, sameOrigin: false },
    ],
    [
      { ...page("localhost:1", "chrome-extension://abc"), allowed: ["chrome-extension://abc"] },
      { local: true, sameOrigin: false },
    ],
    [
      { ...page("localhost:1", "http://chat.example.com"), allowed: ["https://chat.example.com"] },
      undefined,
    ],
  ];
  for (const [request, expected] of table) {
    const verdict = judged(request);
    const why = JSON.stringify(request);
    if (expected === undefined) {
      ok("refused" in verdict && verdict.refused.startsWith("origin not allowed"), why);
    } else {
      const origin = request.headers?.origin?.toLowerCase();
      deepStrictEqual(verdict, { ...expected, origin }, why);
    }
  }
});

Deno.test("loopback addresses are told from all others", () => {
  for (
    const address of ["127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1", "::FFFF:127.0.0.1"]
  ) {
    strictEqual(isLoopback(address), true, address);
  }
  for (
    const address of [
      "",
      "0.0.0.0",
      "128.0.0.1",
      "::",
      "::ffff:10.0.0.1",
      "127.0.0.1.evil",
      "localhost",
    ]
  ) {
    strictEqual(isLoopback(address), false, address);
  }
});

function page(host: string, origin: string): Case {
  return { headers: { host, origin } };
}

function judged(
  { peer = "127.0.0.1", headers = { host: "localhost:18789" }, allowed = [], bindsLoopback = true }:
    Case,
) {
  const config = { gateway: { controlUi: { allowedOrigins: [...allowed] } } };
  return judge(new Headers(headers), { peer, config, bindsLoopback });
}
