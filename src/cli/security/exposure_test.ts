import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { exposureFindings, type Started } from "./exposure.ts";
import { remedy } from "./finding.ts";

/** The ids and severities of what is found in the `gateway` section. */
function found(gateway: unknown, started?: Started): readonly string[] {
  return exposureFindings({ gateway }, started).map(({ severity, checkId }) =>
    `${severity} ${checkId}`
  );
}

Deno.test("a gateway for this machine, with a secret, is as it should be", () => {
  deepStrictEqual(found({}), []);
  deepStrictEqual(found({ bind: "loopback", auth: { mode: "password", password: "x" } }), []);
  deepStrictEqual(found({ bind: "custom", customBindHost: "127.0.0.1" }), []);
  deepStrictEqual(exposureFindings("no configuration at all"), []);
});

Deno.test("no secret is bad here and critical beyond here", () => {
  const auth = { mode: "none" };
  deepStrictEqual(found({ auth }), ["warn gateway.loopback_no_auth"]);
  deepStrictEqual(found({ auth, bind: "lan" }), [
    "critical gateway.bind_no_auth",
    "warn gateway.bind_no_tls",
  ]);
  deepStrictEqual(found({ auth, tailscale: { mode: "serve" } }), [
    "critical gateway.bind_no_auth",
    "info gateway.tailscale_serve",
  ]);
});

Deno.test("how the gateway was started counts before its configuration", () => {
  deepStrictEqual(found({ bind: "loopback" }, { bind: "lan" }), ["warn gateway.bind_no_tls"]);
  deepStrictEqual(found({}, { auth: "none" }), ["warn gateway.loopback_no_auth"]);
  deepStrictEqual(found({ tailscale: { mode: "funnel" } }, { tailscale: "off" }), []);
});

Deno.test("a network is reached in clear, with TLS, or through a tailnet", () => {
  deepStrictEqual(found({ bind: "lan", tls: { enabled: true } }), ["info gateway.bind_network"]);
  deepStrictEqual(found({ bind: "custom", customBindHost: "0.0.0.0" }), [
    "warn gateway.bind_no_tls",
  ]);
  deepStrictEqual(found({ bind: "tailnet" }), []);
  deepStrictEqual(found({ tailscale: { mode: "funnel" } }), ["critical gateway.tailscale_funnel"]);
});

Deno.test("a proxy is one machine, or a few", () => {
  const wide = ["critical gateway.trusted_proxies_wide"];
  for (const proxy of ["0.0.0.0/0", "::/0", "10.0.0.0/8", "2001:db8::/32", "*", "proxy.example"]) {
    deepStrictEqual(found({ trustedProxies: [proxy] }), wide, proxy);
  }
  for (const proxy of ["127.0.0.1", "::1", "10.1.2.0/24", "172.17.0.0/16", "2001:db8::/64"]) {
    deepStrictEqual(found({ trustedProxies: [proxy] }), [], proxy);
  }
});

Deno.test("a proxy that tells who comes is named, and so are those whom it may tell of", () => {
  const auth = { mode: "trusted-proxy" };
  deepStrictEqual(found({ auth }), [
    "critical gateway.trusted_proxy_no_proxies",
    "warn gateway.trusted_proxy_no_allowlist",
  ]);
  const trustedProxy = { allowUsers: ["ada@example.com"] };
  deepStrictEqual(found({ auth: { ...auth, trustedProxy }, trustedProxies: ["127.0.0.1"] }), []);
});

Deno.test("origins of strangers are taken out, the others stay", () => {
  const controlUi = { allowedOrigins: ["*", "https://a.example", "null"] };
  const [finding] = exposureFindings({ gateway: { controlUi } });
  strictEqual(finding?.severity, "warn");
  strictEqual(
    finding?.mend && remedy(finding.mend),
    `openclaw config set gateway.controlUi.allowedOrigins '["https://a.example"]'`,
  );
  const [alone] = exposureFindings({
    gateway: { bind: "lan", tls: { enabled: true }, controlUi: { allowedOrigins: ["*"] } },
  }).filter(({ severity }) => severity === "critical");
  strictEqual(
    alone?.mend && remedy(alone.mend),
    "openclaw config unset gateway.controlUi.allowedOrigins",
  );
  const plain = ["http://a.example", "http://localhost:5173", "https://b.example"];
  deepStrictEqual(found({ controlUi: { allowedOrigins: plain } }), [
    "warn gateway.control_ui.plain_origins",
  ]);
});

Deno.test("switches that take a protection away are found wherever they are", () => {
  const findings = exposureFindings({
    gateway: { controlUi: { allowInsecureAuth: true, dangerouslyDisableDeviceAuth: false } },
    channels: { "my.net": { accounts: [{ dangerouslyAllowAll: true }] } },
  });
  deepStrictEqual(findings.map(({ mend }) => mend && remedy(mend)), [
    "openclaw config unset gateway.controlUi.allowInsecureAuth",
    `openclaw config unset 'channels["my.net"].accounts.0.dangerouslyAllowAll'`,
  ]);
});

Deno.test("guessing and hooks without a token are found", () => {
  deepStrictEqual(found({ auth: { rateLimit: { maxAttempts: 100_000 } } }), [
    "warn gateway.auth_rate_limit_weak",
  ]);
  deepStrictEqual(found({ auth: { rateLimit: { maxAttempts: 20 } } }), []);
  const ids = exposureFindings({ hooks: { enabled: true } }).map(({ checkId }) => checkId);
  deepStrictEqual(ids, ["hooks.no_token"]);
});
