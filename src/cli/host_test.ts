import { match, ok, strictEqual } from "node:assert/strict";
import { describeHost, tailnetAddress } from "./host.ts";

Deno.test("the machine is described by its name, system and address", () => {
  const { name, ip, platform, deviceFamily, arch, version } = describeHost("1.2.3");
  strictEqual(name, Deno.hostname());
  match(platform, new RegExp(`^${Deno.build.os} \\S`));
  ok(["Linux", "Mac", "Windows"].includes(deviceFamily) || deviceFamily === Deno.build.os);
  strictEqual(arch, Deno.build.arch);
  strictEqual(version, "1.2.3");
  ok(ip === undefined || !ip.startsWith("127."));
});

Deno.test("an address in a tailnet is one of 100.64.0.0/10", () => {
  const address = tailnetAddress();
  if (address === undefined) return; // this machine is in none
  const [first, second = 0] = address.split(".").map(Number);
  ok(first === 100 && second >= 64 && second < 128, address);
});
