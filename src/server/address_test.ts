import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  addressKey,
  AddressSet,
  isLoopback,
  LOOPBACK,
  plainAddress,
  readAddress,
} from "./address.ts";

Deno.test("an address counts by itself in IPv4, by its /64 network in IPv6, as one on this machine", () => {
  for (
    const [hostname, key] of [
      ["192.0.2.7", "192.0.2.7"],
      ["::ffff:192.0.2.7", "192.0.2.7"],
      ["::FFFF:192.0.2.7", "192.0.2.7"],
      ["::ffff:c000:207", "192.0.2.7"],
      ["127.0.0.1", "127.0.0.1"],
      ["127.81.3.9", "127.0.0.1"],
      ["::ffff:127.0.0.9", "127.0.0.1"],
      ["::1", "127.0.0.1"],
      ["::", "0:0:0:0::/64"],
      ["2001:db8::1", "2001:db8:0:0::/64"],
      ["2001:db8:0:0:1:2:3:4", "2001:db8:0:0::/64"],
      ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
      ["2001:db8:1::5:6", "2001:db8:1:0::/64"],
      ["2001::4:5:6:7:8", "2001:0:0:4::/64"],
    ] as const
  ) {
    strictEqual(addressKey(hostname), key, hostname);
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

Deno.test("an address in a header is read strictly", () => {
  for (
    const [text, address] of [
      ["10.0.0.2", "10.0.0.2"],
      ["::ffff:10.0.0.2", "10.0.0.2"],
      ["::FFFF:A00:2", "10.0.0.2"],
      ["2001:DB8::1", "2001:db8::1"],
      ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
      ["::", "::"],
    ] as const
  ) {
    strictEqual(readAddress(text), address, text);
  }
  for (
    const text of [
      "",
      "unknown",
      "_hidden",
      "10.0.0",
      "10.0.0.256",
      "10.0.0.02",
      "0x7f.0.0.1",
      "10.0.0.2:80",
      "[2001:db8::1]",
      "fe80::1%eth0",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4::5:6:7:8",
      "12345::",
      "::1.2.3",
      " 10.0.0.2",
    ]
  ) {
    strictEqual(readAddress(text), undefined, text);
  }
});

Deno.test("a set holds addresses and networks, in every spelling", () => {
  const set = new AddressSet(["10.0.0.2", "192.168.0.0/16", "2001:db8::/32", "::1"]);
  deepStrictEqual(set.faults, []);
  for (
    const address of [
      "10.0.0.2",
      "::ffff:10.0.0.2",
      "192.168.255.1",
      "2001:db8:9::1",
      "2001:DB8::",
      "::1",
    ]
  ) {
    ok(set.has(address), address);
  }
  for (const address of ["10.0.0.3", "192.169.0.1", "2001:db9::1", "::2", "", "10.0.0.2 "]) {
    ok(!set.has(address), address);
  }
});

Deno.test("what is no address names nobody, and is told", () => {
  const entries = ["proxy.example.com", "10.0.0.0/33", "::/129", "10.0.0.0/8/8", "10.0.0.0/", "*"];
  const set = new AddressSet(entries);
  deepStrictEqual(set.faults, entries);
  ok(set.isEmpty);
  ok(!set.has("10.0.0.1"));
});

Deno.test("sets tell whether they share an address", () => {
  const overlaps = (...entries: string[]) => new AddressSet(entries).overlaps(LOOPBACK);
  ok(overlaps("127.0.0.1"));
  ok(overlaps("10.0.0.2", "::1"));
  ok(overlaps("0.0.0.0/0"));
  ok(overlaps("::/0"));
  ok(overlaps("::ffff:127.0.0.1"));
  ok(!overlaps("10.0.0.0/8", "128.0.0.0/8", "::2"));
  ok(!overlaps());
});

Deno.test("an address is shown as people write it", () => {
  strictEqual(plainAddress("::ffff:192.0.2.1"), "192.0.2.1");
  strictEqual(plainAddress("2001:db8::1"), "2001:db8::1");
});
