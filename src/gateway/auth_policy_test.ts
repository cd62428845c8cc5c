import { deepStrictEqual, match, ok } from "node:assert/strict";
import type { Config } from "../config.ts";
import { type GivenAuth, readPolicy } from "./auth_policy.ts";

const GATEWAY = {
  trustedProxies: ["10.0.0.2"],
  auth: { trustedProxy: { userHeader: "X-Forwarded-User" } },
};

function read(given: Partial<GivenAuth>, gateway: Config["gateway"] = {}) {
  return readPolicy({ gateway }, { tailscale: "off", ...given });
}

Deno.test("the mode is the flag's, then the configuration's, then what the secrets say", () => {
  const both = { token: "t", password: "p" };
  deepStrictEqual(read({ token: "t" }), { mode: "token", secret: "t" });
  deepStrictEqual(read(both), { mode: "password", secret: "p" });
  deepStrictEqual(read(both, { auth: { mode: "token" } }), { mode: "token", secret: "t" });
  deepStrictEqual(read({ ...both, mode: "password" }, { auth: { mode: "token" } }), {
    mode: "password",
    secret: "p",
  });
  deepStrictEqual(read({ ...both, mode: "none" }), { mode: "none" });
});

Deno.test("a token can be made, a password can not", () => {
  deepStrictEqual(read({}), "token wanted");
  const fault = read({ mode: "password", token: "t" });
  ok(typeof fault === "object" && "fault" in fault);
  match(fault.fault, /no password is set/);
});

Deno.test("trusted-proxy needs a proxy and the header that names the user", () => {
  const mode = "trusted-proxy";
  const fault = (policy: ReturnType<typeof read>) =>
    typeof policy === "object" && "fault" in policy ? policy.fault : undefined;
  match(fault(read({ mode, token: "t" })) ?? "", /no proxy is trusted/);
  match(fault(read({ mode, token: "t" }, { trustedProxies: ["10.0.0.2"] })) ?? "", /which header/);
  deepStrictEqual(read({ mode }, GATEWAY), "token wanted");
  deepStrictEqual(read({ mode, token: "t" }, GATEWAY), {
    mode,
    userHeader: "x-forwarded-user",
    requiredHeaders: [],
    allowUsers: [],
    secret: "t",
    proxies: { addresses: ["10.0.0.2"], allowLoopback: false },
  });
});

Deno.test("a proxy's secret has a header of ours, unless the owner names another", () => {
  const given = { token: "t", proxySecret: "p" };
  const proxies = (gateway: Config["gateway"]) => {
    const policy = read(given, gateway);
    return typeof policy === "object" && "proxies" in policy ? policy.proxies : undefined;
  };
  deepStrictEqual(proxies({}), undefined);
  deepStrictEqual(proxies(GATEWAY)?.secret, { header: "x-openclaw-proxy-secret", value: "p" });
  const trustedProxy = { secretHeader: "X-Our-Secret" };
  deepStrictEqual(proxies({ ...GATEWAY, auth: { trustedProxy } })?.secret?.header, "x-our-secret");
});

Deno.test("the tailnet's word counts when the gateway is served there, and no other mode names people", () => {
  const counts = (given: Partial<GivenAuth>, gateway: Config["gateway"] = {}) => {
    const policy = read({ token: "t", password: "p", ...given }, gateway);
    return typeof policy === "object" && "tailscale" in policy && policy.tailscale === true;
  };
  ok(counts({ mode: "token", tailscale: "serve" }));
  ok(counts({ mode: "none", tailscale: "serve" }));
  ok(!counts({ mode: "token" }));
  ok(!counts({ mode: "password", tailscale: "serve" }));
  ok(!counts({ mode: "password", tailscale: "funnel" }));
  ok(!counts({ mode: "trusted-proxy", tailscale: "serve" }, GATEWAY));
  ok(counts({ mode: "password" }, { auth: { allowTailscale: true } }));
  ok(!counts({ mode: "token", tailscale: "serve" }, { auth: { allowTailscale: false } }));
});
