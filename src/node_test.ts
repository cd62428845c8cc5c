import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { NodeSurface } from "./caller.ts";
import { common, isWithin, offered, scopesToApprove } from "./node.ts";

const EVERYTHING = [
  "camera.list",
  "camera.snap",
  "canvas.present",
  "contacts.search",
  "location.get",
  "notifications.list",
  "sms.send",
  "system.run",
  "system.notify",
  "made.up",
];

Deno.test("a node offers what nodes of its kind have, by its platform, else by its family", () => {
  const table: readonly [string | undefined, string | undefined, readonly string[]][] = [
    ["ios", "iPhone", [
      "camera.list",
      "canvas.present",
      "contacts.search",
      "location.get",
      "system.notify",
    ]],
    ["iOS 26.1", undefined, [
      "camera.list",
      "canvas.present",
      "contacts.search",
      "location.get",
      "system.notify",
    ]],
    ["Android", undefined, [
      "camera.list",
      "canvas.present",
      "contacts.search",
      "location.get",
      "notifications.list",
      "system.notify",
    ]],
    ["darwin", "Mac", [
      "camera.list",
      "canvas.present",
      "contacts.search",
      "location.get",
      "system.run",
      "system.notify",
    ]],
    ["linux", undefined, ["camera.list", "location.get", "system.run", "system.notify"]],
    ["win32", undefined, ["camera.list", "location.get", "system.run", "system.notify"]],
    ["strange", "Linux", ["camera.list", "location.get", "system.run", "system.notify"]],
    ["linuxish", undefined, ["camera.list", "location.get", "system.notify"]],
    [undefined, undefined, ["camera.list", "location.get", "system.notify"]],
  ];
  for (const [platform, deviceFamily, commands] of table) {
    const surface = { caps: ["a"], commands: EVERYTHING };
    const described = { platform, deviceFamily };
    deepStrictEqual(
      offered(surface, described, { allow: [], deny: [] }),
      { caps: ["a"], commands },
      platform ?? "none",
    );
  }
});

Deno.test("the owner allows and denies, and denying counts for more", () => {
  const { commands } = offered(
    { caps: [], commands: [...EVERYTHING, "location.get"] },
    { platform: "linux" },
    { allow: ["camera.snap", "sms.send"], deny: ["sms.send", "system.run"] },
  );
  deepStrictEqual(commands, ["camera.list", "camera.snap", "location.get", "system.notify"]);
});

Deno.test("what is declared and approved is what both name", () => {
  const approved = { caps: ["a", "b"], commands: ["x"], permissions: { mic: true, cam: false } };
  const declared = {
    caps: ["b", "c"],
    commands: ["x", "y"],
    permissions: { mic: true, cam: true, gps: false },
  };
  deepStrictEqual(common(declared, approved), {
    caps: ["b"],
    commands: ["x"],
    permissions: { mic: true, gps: false },
  });
  deepStrictEqual(common({ caps: ["a"], commands: ["x"] }, undefined), { caps: [], commands: [] });
});

Deno.test("a surface is within another if it has nothing besides", () => {
  const wide = { caps: ["a"], commands: ["x", "y"], permissions: { mic: true } };
  ok(isWithin(wide, wide));
  ok(isWithin({ caps: [], commands: ["y"] }, wide));
  ok(isWithin({ caps: [], commands: [], permissions: { gps: false } }, wide));
  const wider: readonly NodeSurface[] = [
    { caps: ["b"], commands: [] },
    { caps: [], commands: ["z"] },
    { caps: [], commands: [], permissions: { gps: true } },
    { caps: [], commands: [], permissions: { constructor: true } },
  ];
  for (const more of wider) strictEqual(isWithin(more, wide), false);
});

Deno.test("commands that act as the node's user take an admin to approve", () => {
  const table: readonly [readonly string[], string | undefined][] = [
    [[], undefined],
    [["location.get"], "operator.write"],
    [["location.get", "system.run"], "operator.admin"],
    [["system.run.prepare"], "operator.admin"],
    [["system.which"], "operator.admin"],
    [["system.execApprovals.get"], "operator.admin"],
    [["browser.proxy.upload.v1"], "operator.admin"],
    [["fs.listDir"], "operator.admin"],
    [["system.runner"], "operator.write"],
  ];
  for (const [commands, second] of table) {
    const scopes = ["operator.pairing", second].filter((scope) => scope !== undefined);
    deepStrictEqual(scopesToApprove(commands), scopes, commands.join(" "));
  }
});
