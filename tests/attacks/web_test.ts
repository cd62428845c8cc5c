/** Every route, verb and way to ask; every spelling of a path. One form is looked at, and used. */
import { deepStrictEqual, ok } from "node:assert/strict";
import type { AuditEntry } from "../../src/audit.ts";
import { ROUTES } from "../../src/server/routes.ts";
import { startGateway, TOKEN } from "../gateway.ts";
import { besiege, exchange, requestHead } from "./attacker.ts";

const NAME = "chat.example.com";
const PROOF = "what-only-the-proxy-knows-0123456789";
const BEHIND_PROXY = {
  gateway: {
    trustedProxies: ["127.0.0.1"],
    controlUi: { allowedOrigins: [`https://${NAME}`] },
    auth: { trustedProxy: { secret: PROOF } },
  },
  agents: { defaults: { model: { primary: "demo/demo" } } },
};

/** What there is, written down a second time: who may come, and by which verbs. */
const EXPECTED = {
  webhook: { paths: ["/webhooks/telegram/default"], verbs: ["GET", "POST"], judged: false },
  socket: { paths: ["/", "/any/path", "/healthz"], verbs: ["GET"], judged: true },
  probe: {
    paths: ["/health", "/healthz", "/ready", "/readyz", "/startupz"],
    verbs: ["GET", "HEAD"],
    judged: true,
  },
  file: { paths: ["/app-0123456789ab.js"], verbs: ["GET", "HEAD"], judged: true },
  page: { paths: ["/", "/devices", "/a/b"], verbs: ["GET", "HEAD"], judged: true },
} as const;

const VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] as const;

type Headers = readonly (readonly [string, string])[];

/** Somebody's headers, and whether the judge lets them near. */
interface Stance {
  readonly isNear: boolean;
  readonly headers: Headers;
}

function stances(host: string): readonly Stance[] {
  const near = (...headers: Headers) => ({ isNear: true, headers: [["Host", host], ...headers] });
  const far = (...headers: Headers) => ({ isNear: false, headers: [["Host", host], ...headers] });
  const at = (name: string, ...headers: Headers) => ({
    isNear: false,
    headers: [["Host", name], ...headers],
  });
  const proxied: Headers = [
    ["X-OpenClaw-Proxy-Secret", PROOF],
    ["X-Forwarded-For", "203.0.113.9"],
    ["X-Forwarded-Proto", "https"],
  ];
  const all = [
    near(),
    near(["Origin", `http://${host}`]),
    near(["Origin", "http://localhost:3000"]),
    near(["Sec-Fetch-Site", "same-origin"], ["Sec-Fetch-Mode", "cors"]),
    near(["Sec-Fetch-Site", "none"], ["Sec-Fetch-Mode", "navigate"], [
      "Sec-Fetch-Dest",
      "document",
    ]),
    near(["X-Forwarded-For", "127.0.0.1"]), // a stranger, whom the handshake gives nothing
    { isNear: true, headers: [["Host", NAME], ...proxied] },
    { isNear: true, headers: [["Host", NAME], ...proxied, ["Origin", `https://${NAME}`]] },
    far(["Origin", "null"]),
    far(["Origin", "https://evil.example"]),
    far(["Origin", `http://${host}.evil.example`]),
    far(["Origin", `http://${host}`], ["Origin", "https://evil.example"]),
    far(["Sec-Fetch-Site", "cross-site"], ["Sec-Fetch-Mode", "no-cors"]),
    far(["Sec-Fetch-Site", "same-site"], ["Sec-Fetch-Mode", "cors"]),
    far(...proxied, ["X-Forwarded-Host", "evil.example"]),
    at("evil.example"),
    at("localhost.evil.example"),
    at("box.tail1234.ts.net"),
    at("evil.example", ...proxied),
    at(NAME, ["X-OpenClaw-Proxy-Secret", PROOF], ["X-Forwarded-For", "not an address"]),
  ];
  return all as readonly Stance[];
}

// ── which routes there are ────────────────────────────────────────────────────────────────────

Deno.test("the table of routes has what is expected, and nothing else", () => {
  const table = Object.entries(ROUTES).map(([name, { verbs, admits }]) =>
    [name, [...verbs], admits === "judged"] as const
  );
  deepStrictEqual(
    table,
    Object.entries(EXPECTED).map(([name, { verbs, judged }]) => [name, [...verbs], judged]),
  );
});

Deno.test("each route answers its verbs, to those who may ask, from wherever they come", async () => {
  await using gateway = await startGateway({ config: BEHIND_PROXY });
  const { host } = new URL(gateway.url);
  let combinations = 0;
  for (const [name, { paths, verbs, judged }] of Object.entries(EXPECTED)) {
    for (const path of paths) {
      for (const verb of VERBS) {
        for (const { isNear, headers } of stances(host)) {
          const isUpgrade = name === "socket";
          const sent: Headers = [
            ...headers,
            ...(isUpgrade ? UPGRADE : [["Connection", "close"]] as const),
          ];
          const { status } = await exchange(gateway, requestHead(verb, path, sent));
          const allowed = (verbs as readonly string[]).includes(verb);
          const answers = ANSWERS[name as keyof typeof EXPECTED];
          // That a WebSocket is asked for with GET, the guard knows as well.
          const refusals = isUpgrade ? [400, 405] : [405];
          const wanted = judged && !isNear ? [400, 403] : allowed ? answers : refusals;
          const what = `${name} ${verb} ${path} ${JSON.stringify(headers)}`;
          ok(wanted.includes(status), `${what}: ${status}, not ${wanted}`);
          combinations++;
        }
      }
    }
  }
  ok(combinations >= 1_000, `only ${combinations} combinations`);
});

/** What is answered to those who may ask; the page may not have been built. */
const ANSWERS: Readonly<Record<keyof typeof EXPECTED, readonly number[]>> = {
  webhook: [404], // nobody expects that network here
  socket: [101],
  probe: [200],
  file: [404, 503],
  page: [200, 503],
};

const UPGRADE: Headers = [
  ["Upgrade", "websocket"],
  ["Connection", "Upgrade"],
  ["Sec-WebSocket-Version", "13"],
  ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
];

// ── how a path may be spelled ─────────────────────────────────────────────────────────────────

/** A step upwards, as programs that read it once more, or otherwise, might understand it. */
const UP = [
  ...["../", "..\\", "%2e%2e/", "%2E%2E%2F", ".%2e/", "..%2f", "..%5c", "..%5C", "..;/", "..;x=1/"],
  ...["%252e%252e%252f", "..%252f", "..%255c", "%25252e%25252e%25252f", "....//", ".../", "./../"],
  ...["%c0%ae%c0%ae/", "..%c0%af", "..%c1%9c", "%e0%80%ae%e0%80%ae/", "%f0%80%80%ae/", "..%ff/"],
  ...[
    "..%ef%bc%8f",
    "..%e2%88%95",
    "..%e2%81%84",
    "%ef%bc%8e%ef%bc%8e/",
    "%u002e%u002e/",
    "..%u2215",
  ],
  ...[
    "..%00/",
    "%00../",
    "..%0a/",
    "..%0d%0a/",
    "..%09/",
    "..%20/",
    "..%7f/",
    "..%",
    "..%2",
    "..%zz",
  ],
  ...["..\0/", "..\t/", "..\x7f/", "\xc0\xae\xc0\xae/", "\xff\xfe../", "..\xef\xbc\x8f"],
];
/** Where paths begin that something is served under. */
const BASES = ["/", "/devices/", "/app-0123456789ab.js/", "/webhooks/telegram/", "/webhooks/"];
const TARGETS = ["etc/passwd", "openclaw.json", "deno.json", "manifest.json"];

Deno.test("no spelling of a path leads out of the page, nor to a file that is not the page's", async () => {
  await using besieged = await besiege();
  const { gateway } = besieged;
  const headers = [["Host", new URL(gateway.url).host], ["Connection", "close"]] as const;
  const outcomes = new Set<number>();
  await besieged.withstands(async () => {
    for (const base of BASES) {
      for (const up of UP) {
        for (const target of TARGETS) {
          const path = `${base}${up.repeat(target === "etc/passwd" ? 8 : 2)}${target}`;
          const { status, body } = await exchange(gateway, requestHead("GET", path, headers));
          ok([400, 403, 404].includes(status), `${JSON.stringify(path)}: ${status}`);
          revealsNothing(body, path);
          outcomes.add(status);
        }
      }
    }
  }, isRefusal);
  deepStrictEqual([...outcomes].sort(), [400, 403, 404]);
});

Deno.test("a whole address, or none, in the place of the path leads nowhere else", async () => {
  await using besieged = await besiege();
  const { gateway } = besieged;
  const { host } = new URL(gateway.url);
  const headers = [["Host", host], ["Connection", "close"]] as const;
  const lines = [
    ...[`http://${host}/../../etc/passwd`, `http://${host}/%2e%2e/%2e%2e/etc/passwd`],
    ...["http://evil.example/", "https://evil.example/healthz", `http://${host}@evil.example/`],
    ...[`http://evil.example\\@${host}/`, "file:///etc/passwd", "javascript:1", "*", "etc/passwd"],
    ...["../etc/passwd", "?a", "//evil.example/..", "//evil.example/%2e%2e/x", "/\\evil.example/"],
    ...["/a b", "\\etc\\passwd", "/\xe2\x80\xae/.."],
  ];
  const outcomes: [string, number][] = [];
  await besieged.withstands(async () => {
    for (const line of lines) {
      const { status, body } = await exchange(gateway, requestHead("GET", line, headers));
      outcomes.push([line, status]);
      revealsNothing(body, line);
    }
  }, isRefusal);
  const letThrough = outcomes.filter(([, status]) => ![400, 403, 404].includes(status));
  deepStrictEqual(letThrough, []);
});

function revealsNothing(body: string, path: string): void {
  ok(!/root:x?:0|"imports"|"compilerOptions"|"files":|"agents"/.test(body), path);
  ok(!body.includes(TOKEN), path);
}

function isRefusal({ action, allowed, who }: AuditEntry): boolean {
  return /^[A-Z]+ /.test(action) && !allowed && who?.remoteIp === "127.0.0.1";
}
