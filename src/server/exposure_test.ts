import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { ProxyPolicy } from "../gateway/credentials.ts";
import { exposureOf, type Place } from "./exposure.ts";

const STRONG = "6f1b0c9a5e7d4f2385b16f1b0c9a5e7d";
const NAMED = { gateway: { controlUi: { allowedOrigins: ["https://chat.example.com"] } } };
const PROXY = { addresses: ["10.0.0.2"], allowLoopback: false } as const;
const PEOPLE = {
  mode: "trusted-proxy",
  userHeader: "x-forwarded-user",
  requiredHeaders: [],
  allowUsers: [],
  secret: STRONG,
} as const;

Deno.test("a gateway on loopback is this machine's, whatever its secret", () => {
  for (const policy of [{ mode: "none" }, { mode: "password", secret: "x" }] as const) {
    deepStrictEqual(look({ policy }), {
      name: "loopback",
      reach: "this machine only",
      warnings: [],
    });
  }
});

Deno.test("beyond loopback it needs a secret, and one that nobody types by chance", () => {
  for (const hostname of ["0.0.0.0", "::", "192.0.2.1", "100.64.0.1"]) {
    match(faultOf({ hostname, policy: { mode: "none" } }), /^Auth mode none is for loopback only/);
    match(faultOf({ hostname, policy: { mode: "token", secret: "changeme" } }), /stands in exampl/);
    match(faultOf({ hostname, policy: { mode: "password", secret: "hunter2" } }), /easy to guess/);
    strictEqual(look({ hostname }).name, "network");
  }
  const { warnings } = look({
    hostname: "0.0.0.0",
    policy: { mode: "password", secret: "correct horse battery" },
  });
  match(warnings.join(), /could be guessed in time.*openclaw config set/);
  deepStrictEqual(look({ hostname: "0.0.0.0" }).warnings, []);
});

Deno.test("behind a proxy the owner names the proxy and the name that it is asked by", () => {
  const exposure = behind(PROXY);
  deepStrictEqual([exposure.name, exposure.warnings], ["behind-proxy", []]);
  match(exposure.reach, /https:\/\/chat\.example\.com, by 10\.0\.0\.2/);
  const policy = { mode: "token", secret: STRONG, proxies: PROXY } as const;
  match(faultOf({ policy }), /no name that the proxy is asked by/);
  for (const addresses of [["proxy.example.com"], ["0.0.0.0/0"], ["::/0"], ["10.0.0.0/7"], ["*"]]) {
    const proxies = { ...PROXY, addresses };
    match(
      faultOf({ policy: { ...policy, proxies }, config: NAMED }),
      /gateway\.trustedProxies has/,
    );
  }
  match(faultOf({ policy: { mode: "none", proxies: PROXY }, config: NAMED }), /^Auth mode none/);
});

Deno.test("a proxy on this machine must prove itself before it names users", () => {
  for (const address of ["127.0.0.1", "::1", "127.0.0.0/8"]) {
    const here = { ...PROXY, addresses: ["10.0.0.2", address] };
    const policy = { ...PEOPLE, proxies: here };
    match(faultOf({ policy, config: NAMED }), /any program here could be it/);
    match(behind({ ...here, allowLoopback: true }, PEOPLE).warnings.join(), /Any program on this/);
    const secret = { header: "x-openclaw-proxy-secret", value: STRONG };
    deepStrictEqual(behind({ ...here, secret }, PEOPLE).warnings, []);
    match(behind(here).warnings.join(), /not believed before it proves itself/);
    const short = { ...secret, value: "short" };
    match(
      faultOf({ policy: { ...policy, proxies: { ...here, secret: short } }, config: NAMED }),
      /too short/,
    );
  }
});

Deno.test("the tailnet reaches loopback, and the internet only by a password", () => {
  const password = { mode: "password", secret: STRONG } as const;
  strictEqual(look({ tailscale: "serve" }).name, "tailnet");
  match(look({ tailscale: "funnel", policy: password }).reach, /internet/);
  match(faultOf({ tailscale: "funnel" }), /password only/);
  match(faultOf({ tailscale: "serve", hostname: "0.0.0.0" }), /brings what it serves to loopback/);
  match(
    faultOf({ tailscale: "funnel", policy: { mode: "password", secret: "hunter2" } }),
    /easy to guess/,
  );
  match(faultOf({ tailscale: "serve", policy: { mode: "none" } }), /^Auth mode none/);
  strictEqual(
    look({ tailscale: "serve", policy: { mode: "none", tailscale: true } }).name,
    "tailnet",
  );
  strictEqual(look({ bind: "tailnet", hostname: "100.64.0.1" }).name, "tailnet");
});

function behind(proxies: ProxyPolicy, mode: Place["policy"] = { mode: "token", secret: STRONG }) {
  return look({ policy: { ...mode, proxies }, config: NAMED });
}

function judged(place: Partial<Place>) {
  return exposureOf({
    hostname: "127.0.0.1",
    tailscale: "off",
    policy: { mode: "token", secret: STRONG },
    config: {},
    ...place,
  });
}

function look(place: Partial<Place>) {
  const exposure = judged(place);
  ok(!("fault" in exposure), "fault" in exposure ? exposure.fault : "");
  return exposure;
}

function faultOf(place: Partial<Place>): string {
  const exposure = judged(place);
  ok("fault" in exposure, JSON.stringify(exposure));
  ok(exposure.mend !== "");
  return exposure.fault;
}
