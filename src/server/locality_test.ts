import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { ProxyPolicy, TrustedProxyPolicy } from "../gateway/credentials.ts";
import { createJudge } from "./locality.ts";

interface Case {
  readonly peer?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly allowed?: readonly string[];
  readonly bindsLoopback?: boolean;
  readonly ownNames?: readonly string[];
  readonly secure?: boolean;
  readonly method?: string;
  /** Trusts 10.0.0.2 and this machine, on these conditions. */
  readonly proxies?: Partial<ProxyPolicy>;
  readonly people?: Partial<TrustedProxyPolicy>;
  readonly tailscale?: boolean;
}

const LOCAL = { local: true, direct: true, remoteIp: "127.0.0.1", sameOrigin: false };
const NOT_LOCAL = { ...LOCAL, local: false };
/** Somebody stands in between. */
const FAR = { ...NOT_LOCAL, direct: false };

Deno.test("a request is local when a loopback peer asks by a local name, with nobody in between", () => {
  const table: readonly [Case, boolean][] = [
    [{}, true],
    [{ headers: { host: "127.0.0.1:18789" } }, true],
    [{ headers: { host: "[::1]:18789" }, peer: "::1" }, true],
    [{ headers: { host: "LOCALHOST" }, peer: "::ffff:127.0.0.1" }, true],
    [{ headers: { host: "localhost." } }, true],
    [{ headers: { host: "127.1.2.3" }, peer: "127.9.9.9" }, true],
    [{ peer: "192.0.2.1" }, false],
    [{ peer: "::ffff:192.0.2.1" }, false],
    [{ headers: { host: "192.0.2.1:18789" }, bindsLoopback: false }, false],
    [{ headers: { host: "box.local" }, ownNames: ["box.local"] }, false],
    [{ headers: { host: "box.t.ts.net" }, ownNames: ["box.t.ts.net"] }, false],
    [{ headers: { host: "chat.example.com" }, allowed: ["https://chat.example.com"] }, false],
  ];
  for (const [request, local] of table) {
    const verdict = judged(request);
    strictEqual("local" in verdict && verdict.local, local, JSON.stringify(request));
  }
  deepStrictEqual(judged({}), LOCAL);
  deepStrictEqual(judged({ peer: "::ffff:192.0.2.1" }), { ...NOT_LOCAL, remoteIp: "192.0.2.1" });
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
      "True-Client-IP",
      "Remote-User",
      "X-Original-Host",
      "X-Auth-Request-User",
      "CDN-Loop",
      "Tailscale-User-Login",
      "CF-Connecting-IP",
    ]
  ) {
    deepStrictEqual(judged({ headers: { host: "localhost", [header]: "127.0.0.1" } }), FAR);
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
    [
      { ...page("box.t.ts.net", "http://box.t.ts.net"), ownNames: ["box.t.ts.net"] },
      { local: false, sameOrigin: true },
    ],
    [page("localhost:1", "https://localhost:1"), { local: true, sameOrigin: false }],
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
      deepStrictEqual(verdict, { ...LOCAL, ...expected, origin }, why);
    }
  }
});

// ── pages of strangers ────────────────────────────────────────────────────────────────────────

Deno.test("a page of any other site is refused, however it spells itself", () => {
  for (
    const origin of [
      "https://evil.example.com",
      "http://localhost.evil.com",
      "http://evil-localhost",
      "http://127.0.0.1.nip.io",
      "http://127.0.0.1.nip.io:18789",
      "http://0x7f.0.0.1:18789",
      "http://2130706433:18789",
      "http://localhost:18789.evil.com",
      "http://localhost:18789@evil.com",
      "http://evil.com#localhost:18789",
      "http://evil.localhost:18789",
      "http://[::ffff:127.0.0.1]:18789",
      "http://localhost:18789, http://evil.com",
      "http://localhost:18789, http://localhost:18789",
      "http://localhost:18789 http://evil.com",
      "http://localhost..:18789",
      "null",
      "null, http://localhost:18789",
      "",
      "*",
      "file://",
      "data:",
      "chrome-extension://abcdef",
      "https://box.tail1234.ts.net",
    ]
  ) {
    const verdict = judged({
      headers: { host: "localhost:18789", origin },
      allowed: ["null", "*"],
    });
    match("refused" in verdict ? verdict.refused : "", /^origin not allowed/, origin);
  }
});

Deno.test("a name that a stranger points here is refused before anything is answered", () => {
  for (
    const host of [
      "evil.tail1234.ts.net",
      "box.tail1234.ts.net",
      "127.0.0.1.nip.io:18789",
      "localhost.evil.com",
      "evil-localhost",
      "evil.localhost",
      "localhost..",
      "localhost:18789:18789",
      "localhost:x",
      "localhost, evil.com",
      "evil.com, localhost",
      "admin@localhost",
      "localhost@evil.com",
      "localhost#",
      "[::1",
      "[::1].evil.com",
      "[evil.com]",
      "box.local",
      "0.0.0.0",
      "192.0.2.1",
      " localhost x",
    ]
  ) {
    // Deno.serve's own `Headers` would refuse some of them; the guard refuses a second `Host`.
    const verdict = judged({ headers: { host, origin: `http://${host}` } });
    match("refused" in verdict ? verdict.refused : "", /^host not allowed/, host);
  }
});

Deno.test("the tailnet's names are strangers', but for this machine's own", () => {
  const ownNames = ["box.tail1234.ts.net"];
  const headers = { host: "box.tail1234.ts.net" };
  ok(!("refused" in judged({ headers, ownNames })));
  for (const host of ["evil.tail1234.ts.net", "box.tail9999.ts.net", "x.box.tail1234.ts.net"]) {
    const { refused } = judged({ headers: { host }, ownNames }) as { refused?: string };
    match(refused ?? "", /--tailscale serve/, host);
  }
  ok(!("refused" in judged({ headers, allowed: ["https://box.tail1234.ts.net"] })));
});

Deno.test("a name of the local network is one that this machine gave itself", () => {
  const lan = { bindsLoopback: false, peer: "192.0.2.9", ownNames: ["box", "box.local"] };
  for (const host of ["box.local:18789", "box", "192.0.2.1:18789", "[2001:db8::1]:18789"]) {
    ok(!("refused" in judged({ ...lan, headers: { host } })), host);
  }
  for (const host of ["evil.local", "box.local.evil.com", "router"]) {
    ok("refused" in judged({ ...lan, headers: { host } }), host);
  }
});

Deno.test("another site can make a browser follow a link, and nothing else", () => {
  const browser = (site: string, rest: Record<string, string> = {}, method?: string) =>
    judged({ method, headers: { host: "localhost:18789", "sec-fetch-site": site, ...rest } });
  const link = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  for (const site of ["same-origin", "none"]) ok(!("refused" in browser(site)), site);
  for (const site of ["cross-site", "same-site"]) ok(!("refused" in browser(site, link)), site);
  for (const site of ["cross-site", "same-site", "same-origin, cross-site", "what"]) {
    for (
      const request of [
        browser(site),
        browser(site, { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }),
        browser(site, { ...link, "sec-fetch-dest": "iframe" }),
        browser(site, link, "POST"),
      ]
    ) {
      match("refused" in request ? request.refused : "", /^cross-site request not allowed/);
    }
  }
});

Deno.test("a page that came in clear is not ours where the gateway speaks TLS", () => {
  const secure = (origin: string) =>
    judged({
      secure: true,
      peer: "192.0.2.9",
      bindsLoopback: false,
      headers: {
        host: "192.0.2.1:18789",
        origin,
      },
    });
  deepStrictEqual(secure("https://192.0.2.1:18789"), {
    ...NOT_LOCAL,
    remoteIp: "192.0.2.9",
    sameOrigin: true,
    origin: "https://192.0.2.1:18789",
  });
  ok("refused" in secure("http://192.0.2.1:18789"));
});

// ── proxies ───────────────────────────────────────────────────────────────────────────────────

Deno.test("a proxy is believed by its address, and elsewhere by its secret too", () => {
  strictEqual(client({ peer: "10.0.0.2" }), "203.0.113.5");
  strictEqual(client({ peer: "::ffff:10.0.0.2" }), "203.0.113.5");
  strictEqual(client({ peer: "10.0.0.3" }), "10.0.0.3");
  strictEqual(client({ peer: "127.0.0.1" }), "127.0.0.1");
  strictEqual(client({ peer: "127.0.0.1", proxies: { allowLoopback: true } }), "203.0.113.5");

  const proxies = { secret: { header: "x-proof", value: "a-secret-of-some-length" } };
  for (const peer of ["127.0.0.1", "10.0.0.2"]) {
    const shows = (secret: string) => client({ peer, proxies, headers: { "x-proof": secret } });
    strictEqual(shows("a-secret-of-some-length"), "203.0.113.5");
    strictEqual(shows("a-secret-of-some-lengtH"), peer);
    strictEqual(shows("a-secret-of-some-length, a-secret-of-some-length"), peer);
    strictEqual(client({ peer, proxies }), peer);
  }
  strictEqual(
    client({ peer: "10.0.0.3", proxies, headers: { "x-proof": "a-secret-of-some-length" } }),
    "10.0.0.3",
  );
});

Deno.test("nobody behind a proxy is local, whatever the proxy says", () => {
  for (const peer of ["127.0.0.1", "10.0.0.2"]) {
    for (const forwardedFor of ["127.0.0.1", "::1", "127.0.0.1, 127.0.0.1"]) {
      const verdict = proxied({
        peer,
        proxies: { allowLoopback: true },
        headers: { "x-forwarded-for": forwardedFor },
      });
      deepStrictEqual("local" in verdict && [verdict.local, verdict.direct], [false, false]);
    }
  }
});

Deno.test("the chain is walked from the right, to the first who is no proxy", () => {
  const from = (chain: string) =>
    client({ peer: "10.0.0.2", headers: { "x-forwarded-for": chain } });
  strictEqual(from("203.0.113.5"), "203.0.113.5");
  strictEqual(from("127.0.0.1, 203.0.113.5"), "203.0.113.5");
  strictEqual(from("1.1.1.1,203.0.113.5,10.0.0.2"), "203.0.113.5");
  strictEqual(from("nonsense, 203.0.113.5, 10.0.0.2"), "203.0.113.5");
  strictEqual(from("10.0.0.2"), "10.0.0.2");
  strictEqual(from("2001:db8::1"), "2001:db8::1");
  strictEqual(from("::ffff:203.0.113.5"), "203.0.113.5");
});

Deno.test("what a proxy can't have written is refused", () => {
  const table: readonly Record<string, string>[] = [
    { "x-forwarded-for": "" },
    { "x-forwarded-for": "unknown" },
    { "x-forwarded-for": "203.0.113.5:1234" },
    { "x-forwarded-for": "203.0.113.5, " },
    { "x-forwarded-for": "203.0.113.5, nonsense, 10.0.0.2" },
    { "x-forwarded-proto": "https, http" },
    { "x-forwarded-proto": "ftp" },
    { "x-forwarded-host": "evil.example.com" },
    { "x-forwarded-host": "chat.example.com, evil.example.com" },
  ];
  for (const headers of table) {
    const verdict = proxied({ peer: "10.0.0.2", headers });
    const why = JSON.stringify(headers);
    match("refused" in verdict ? verdict.refused : "", /^forwarding headers not allowed/, why);
  }
  const bare = new Headers({ host: "chat.example.com", via: "1.1 proxy" });
  ok("refused" in judgeOf({ proxies: {} })(bare, { peer: "10.0.0.2" }));
});

Deno.test("a proxy must be asked by a name that the owner gave, and pass it on", () => {
  for (const host of ["127.0.0.1:18789", "localhost", "10.0.0.9", "evil.example.com"]) {
    const verdict = proxied({ peer: "10.0.0.2", headers: { host } });
    match("refused" in verdict ? verdict.refused : "", /^host not allowed: let the proxy/, host);
  }
});

Deno.test("behind a proxy a page is ours by the scheme that the proxy was asked by", () => {
  const page = (origin: string, proto: string) =>
    proxied({ peer: "10.0.0.2", headers: { origin, "x-forwarded-proto": proto } });
  const same = page("https://chat.example.com", "https");
  deepStrictEqual("origin" in same && [same.origin, same.sameOrigin], [
    "https://chat.example.com",
    true,
  ]);
  ok("refused" in page("http://chat.example.com", "https"));
  ok("refused" in page("https://evil.example.com", "https"));
  ok("refused" in page("http://localhost:18789", "https"));
  ok("refused" in page("null", "https"));
});

Deno.test("a user is whom a proven proxy names, once and whole", () => {
  const ada = { "x-user": "ada@example.com", "x-team": "ops" };
  const named = (headers: Record<string, string>, request: Partial<Case> = {}) => {
    const verdict = proxied({
      peer: "10.0.0.2",
      people: { requiredHeaders: ["x-team"], allowUsers: ["ada@example.com"] },
      headers,
      ...request,
    });
    return "refused" in verdict ? verdict.refused : verdict.identity;
  };
  const nobody = (reason: string) => ({ by: "nobody", reason });
  deepStrictEqual(named(ada), { by: "proxy", user: "ada@example.com" });
  deepStrictEqual(named({ "x-team": "ops" }), nobody("trusted_proxy_user_missing"));
  deepStrictEqual(named({ ...ada, "x-user": "  " }), nobody("trusted_proxy_user_missing"));
  const twice = "ada@example.com, mallory@example.com";
  deepStrictEqual(named({ ...ada, "x-user": twice }), nobody("trusted_proxy_user_missing"));
  deepStrictEqual(
    named({ ...ada, "x-user": "Ada@example.com" }),
    nobody("trusted_proxy_user_not_allowed"),
  );
  deepStrictEqual(
    named({ "x-user": ada["x-user"] }),
    nobody("trusted_proxy_missing_header_x-team"),
  );
  deepStrictEqual(named(ada, { peer: "10.0.0.3" }), undefined);
  deepStrictEqual(named(ada, { peer: "127.0.0.1" }), undefined);
});

Deno.test("an identity header from anybody else makes them a stranger, and names nobody", () => {
  for (const header of ["x-user", "x-team", "x-proof"]) {
    const verdict = judgeOf({
      proxies: { secret: { header: "x-proof", value: "a-secret-of-some-length" } },
      people: { requiredHeaders: ["x-team"] },
    })(new Headers({ host: "localhost:18789", [header]: "ada" }), { peer: "127.0.0.1" });
    deepStrictEqual(verdict, FAR, header);
  }
});

// ── the tailnet ───────────────────────────────────────────────────────────────────────────────

const SERVED = {
  host: "box.tail1234.ts.net",
  "x-forwarded-for": "100.64.0.7",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "box.tail1234.ts.net",
  "tailscale-user-login": "Ada@example.com",
};

Deno.test("who the tailnet brings is still to be asked for", () => {
  const verdict = served({});
  deepStrictEqual(verdict, {
    ...FAR,
    identity: { by: "tailscale", login: "Ada@example.com", address: "100.64.0.7" },
  });
  strictEqual("identity" in served({}, { tailscale: false }), false);
});

Deno.test("headers that are not Tailscale's own name nobody", () => {
  const reason = (change: Record<string, string | undefined>, request: Partial<Case> = {}) => {
    const verdict = served(change, request);
    return "identity" in verdict && verdict.identity?.by === "nobody" && verdict.identity.reason;
  };
  const MISSING = "tailscale_proxy_missing";
  strictEqual(reason({}, { peer: "192.0.2.1" }), MISSING);
  strictEqual(reason({ "x-forwarded-for": undefined }), MISSING);
  strictEqual(reason({ "x-forwarded-for": "1.1.1.1, 100.64.0.7" }), MISSING);
  strictEqual(reason({ "x-forwarded-for": "--help" }), MISSING);
  strictEqual(reason({ "x-forwarded-proto": "http" }), MISSING);
  strictEqual(reason({ "x-forwarded-host": "evil.example.com" }), MISSING);
  const NAMELESS = "tailscale_user_missing";
  strictEqual(reason({ "tailscale-user-login": "", "tailscale-user-name": "Ada" }), NAMELESS);
  strictEqual(reason({ "tailscale-user-login": "ada@example.com, eve@example.com" }), NAMELESS);
  strictEqual(reason({ "tailscale-funnel-request": "?1" }), NAMELESS);
  strictEqual(reason({ "tailscale-user-login": undefined }), false); // not by Tailscale at all
});

function served(change: Record<string, string | undefined>, request: Partial<Case> = {}) {
  const headers = Object.fromEntries(
    Object.entries({ ...SERVED, ...change }).filter((entry) => entry[1] !== undefined),
  ) as Record<string, string>;
  return judged({ headers, ownNames: ["box.tail1234.ts.net"], tailscale: true, ...request });
}

/** A request that a proxy passes on as it should, but for what the case says. */
function proxied({ headers = {}, proxies = {}, ...request }: Case) {
  return judged({
    allowed: ["https://chat.example.com"],
    ...request,
    proxies,
    headers: {
      host: "chat.example.com",
      "x-forwarded-for": "203.0.113.5",
      "x-forwarded-proto": "https",
      ...headers,
    },
  });
}

/** From whom a proxied request comes; its host is allowed, so that one who is not believed passes. */
function client(request: Case): string {
  const verdict = proxied(request);
  return "refused" in verdict ? verdict.refused : verdict.remoteIp;
}

function page(host: string, origin: string): Case {
  return { headers: { host, origin } };
}

function judged({ headers = { host: "localhost:18789" }, ...request }: Case) {
  const { peer = "127.0.0.1", secure, method } = request;
  return judgeOf(request)(new Headers(headers), { peer, secure, method });
}

function judgeOf({ allowed = [], bindsLoopback = true, ownNames = [], ...rest }: Case) {
  const { proxies, people, tailscale } = rest;
  const secret = "6f1b0c9a5e7d4f2385b16f1b0c9a5e7d";
  return createJudge({
    config: { gateway: { controlUi: { allowedOrigins: [...allowed] } } },
    policy: {
      ...(people === undefined ? { mode: "token", secret } : {
        mode: "trusted-proxy",
        secret,
        userHeader: "x-user",
        requiredHeaders: [],
        allowUsers: [],
        ...people,
      }),
      ...(proxies === undefined ? {} : {
        proxies: { addresses: ["10.0.0.2", "127.0.0.1"], allowLoopback: false, ...proxies },
      }),
      ...(tailscale ? { tailscale } : {}),
    },
    bindsLoopback,
    ownNames: () => ownNames,
  });
}
