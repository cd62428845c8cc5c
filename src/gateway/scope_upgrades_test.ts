import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { callerOf, startKernel, type TestKernel } from "../../tests/kernel.ts";

Deno.test("a device asks for more, and hears what became of it, with its token", async () => {
  await using kernel = startKernel();
  const { caller, token } = pair(kernel, "phone");
  const scopes = ["operator.read", "operator.write"];
  const { requestId } = await kernel.call("device.scopes.requestUpgrade", { scopes }, { caller });
  const asked = kernel.events.of("device.pair.requested")[0];
  deepStrictEqual([asked?.requestId, asked?.scopes, asked?.isRepair, asked?.displayName], [
    requestId,
    scopes,
    true,
    "phone",
  ]);
  const again = await kernel.call("device.scopes.requestUpgrade", { scopes }, { caller });
  strictEqual(again.requestId, requestId);
  const answer = kernel.call("device.scopes.waitUpgrade", { requestId }, { caller });
  await kernel.call("device.pair.approve", { requestId });
  const approved = { status: "approved", requestId, deviceToken: token, scopes };
  deepStrictEqual(await answer, approved);
  deepStrictEqual(
    await kernel.call("device.scopes.waitUpgrade", { requestId }, { caller }),
    approved,
  );
});

Deno.test("a wish that is turned down, or replaced by a wider one, is told as rejected", async () => {
  await using kernel = startKernel();
  const { caller } = pair(kernel, "phone");
  const ask = (...scopes: string[]) =>
    kernel.call("device.scopes.requestUpgrade", { scopes }, { caller });
  const first = await ask("operator.write");
  const waiting = kernel.call("device.scopes.waitUpgrade", first, { caller });
  const second = await ask("operator.admin");
  notStrictEqual(second.requestId, first.requestId);
  strictEqual((await waiting).status, "rejected");
  await kernel.call("device.pair.reject", second);
  strictEqual(
    (await kernel.call("device.scopes.waitUpgrade", second, { caller })).status,
    "rejected",
  );
});

Deno.test("who goes away waits no longer", async () => {
  await using kernel = startKernel();
  const { caller } = pair(kernel, "phone");
  const wish = await kernel.call("device.scopes.requestUpgrade", { scopes: ["operator.write"] }, {
    caller,
  });
  const gone = new AbortController();
  const waiting = kernel.call("device.scopes.waitUpgrade", wish, { caller, signal: gone.signal });
  gone.abort();
  strictEqual((await waiting).status, "expired");
});

Deno.test("only the device itself waits for its wish, and only a device has one", async () => {
  await using kernel = startKernel();
  const { caller } = pair(kernel, "phone");
  const { caller: other } = pair(kernel, "tablet");
  const scopes = ["operator.write"];
  const wish = await kernel.call("device.scopes.requestUpgrade", { scopes }, { caller });
  for (const by of [other, callerOf()]) {
    await rejects(
      kernel.call("device.scopes.waitUpgrade", wish, { caller: by }),
      /expired or not found/,
    );
  }
  await rejects(kernel.call("device.scopes.requestUpgrade", { scopes }), {
    code: "INVALID_REQUEST",
    details: { code: "DEVICE_IDENTITY_REQUIRED" },
  });
  await rejects(
    kernel.call("device.scopes.requestUpgrade", { scopes: ["operator.root"] }, { caller }),
    /unknown scope: operator\.root/,
  );
});

function pair(kernel: TestKernel, deviceId: string) {
  const admitted = kernel.gateway.pairing.admit({
    deviceId,
    publicKey: `key of ${deviceId}`,
    displayName: deviceId,
    role: "operator",
    scopes: ["operator.read"],
    silent: true,
  });
  ok("token" in admitted);
  const scopes = ["operator.read"];
  const caller = callerOf({ deviceId, method: "device-token", scopes });
  return { caller, token: admitted.token.token };
}
