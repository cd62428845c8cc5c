import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Credentials, splitAddress } from "./credentials.ts";
import { MemoryKeep } from "./keep.ts";

Deno.test("the token leaves the address, and nothing else does", () => {
  const split = (address: string) => splitAddress(new URL(address, "http://localhost"));
  deepStrictEqual(split("/#token=s3cret"), { token: "s3cret", clean: "/" });
  deepStrictEqual(split("/chat?session=a#token=s%2Bt&x=1"), {
    token: "s+t",
    clean: "/chat?session=a#x=1",
  });
  deepStrictEqual(split("/devices"), { token: undefined, clean: "/devices" });
  deepStrictEqual(split("/#token="), { token: undefined, clean: "/" });
});

Deno.test("a token is kept until it is forgotten", () => {
  const keep = new MemoryKeep();
  new Credentials(keep).use({ kind: "token", secret: "t" });
  deepStrictEqual(new Credentials(keep).current, { kind: "token", secret: "t" });
  new Credentials(keep).forget();
  strictEqual(new Credentials(keep).current, undefined);
});

Deno.test("a password is used and not kept", () => {
  const keep = new MemoryKeep();
  const credentials = new Credentials(keep);
  credentials.use({ kind: "token", secret: "t" });
  credentials.use({ kind: "password", secret: "swordfish" });
  deepStrictEqual(credentials.current, { kind: "password", secret: "swordfish" });
  ok(![...keep.values.values()].some((value) => value.includes("swordfish")));
  strictEqual(new Credentials(keep).current, undefined);
});

Deno.test("what something else kept under our name is ignored", () => {
  for (const text of ["", "null", "[]", "{}", '{"kind":"password","secret":"x"}', "{"]) {
    const keep = new MemoryKeep();
    keep.setItem("openclaw.credential", text);
    strictEqual(new Credentials(keep).current, undefined, text);
  }
});
