import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { findRoute, provesItself, type RouteName, ROUTES } from "./routes.ts";

Deno.test("every path has the route that it is meant for, or none", () => {
  const table: readonly (readonly [RouteName | undefined, readonly string[]])[] = [
    ["webhook", ["/webhooks/telegram/default", "/webhooks/a-1/B_2.c"]],
    ["probe", ["/health", "/healthz", "/ready", "/readyz", "/startupz"]],
    ["file", ["/app-0123456789ab.js", "/style-0123456789ab.css"]],
    ["page", [
      "/healthz/",
      "/app-0123456789ab",
      "/Healthz",
      "/",
      "/chat",
      "/chat/",
      "/devices",
      "/a/b_c/d-e",
      "/apis",
      `/${"a".repeat(255)}`,
    ]],
    [undefined, [
      ...["/healthz\n", "//", "//healthz", "/a//b", "/a.b", "/index.html"],
      ...[
        "/%61",
        "/é",
        "/a%2Fb",
        "/chat?",
        "/chat;x",
        "/app-0123456789ab.js.gz",
        "/APP-0123456789ab.js",
      ],
      ...["/x/app-0123456789ab.js", "/openclaw.json", "/.env", "/.git/config"],
      ...["/webhooks", "/webhooks/", "/webhooks/telegram", "/webhooks/telegram/a/b"],
      ...["/webhooks/Tele/a", "/webhooks/a/%2e", "/webhooks/a/b/"],
      ...["/api", "/api/", "/api/channels", "/v1/models", "/hooks/wake", "/tools/invoke"],
      ...["/__openclaw__/canvas/", `/${"a".repeat(256)}`, "", "chat"],
    ]],
  ];
  for (const [name, paths] of table) {
    for (const path of paths) strictEqual(findRoute(path), name, JSON.stringify(path));
  }
});

Deno.test("a path that nearly fits takes no longer to look at than one that does", () => {
  // Were it tried in every way to cut it into words, this would not end.
  for (const word of ["a", "a/", "a-", "/a"]) {
    strictEqual(findRoute(`/${word.repeat(120)}!`), undefined);
    strictEqual(findRoute(`/webhooks/${word.repeat(30_000)}!`), undefined);
  }
});

Deno.test("a WebSocket may begin on any path but those where somebody else listens", () => {
  for (const path of ["/", "/healthz", "/gateway", "/__openclaw__/ws", "/a.b"]) {
    strictEqual(findRoute(path, { upgrades: true }), "socket", path);
  }
  strictEqual(findRoute("/webhooks/telegram/default", { upgrades: true }), "webhook");
});

Deno.test("only networks come past the judge", () => {
  const names = Object.keys(ROUTES) as RouteName[];
  deepStrictEqual(names.filter(provesItself), ["webhook"]);
});
