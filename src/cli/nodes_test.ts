import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { FakeGateway, type FakeGatewayOptions, Refuse } from "../client/fake_gateway.ts";
import { run } from "./cli.ts";
import { FakeIo } from "./fake_io.ts";

const NOW = 1_000_000_000_000;
const MINUTE = 60_000;

const KITCHEN = {
  nodeId: "9f86d081884c7d65",
  displayName: "Kitchen",
  platform: "linux",
  deviceFamily: "Linux",
  version: "1.2",
  caps: ["system"],
  commands: ["location.get"],
  permissions: { location: true, camera: false },
  paired: true,
  connected: true,
  connectedAtMs: NOW - MINUTE,
  approvalState: "pending-reapproval",
  pendingRequestId: "aaaa-1",
  pendingDeclaredCommands: ["location.get", "system.run"],
};
const PHONE = {
  ...KITCHEN,
  nodeId: "9f86aaaaaaaaaaaa",
  displayName: "Phone",
  connected: false,
  approvalState: "approved",
  pendingRequestId: undefined,
};
const request = (requestId: string, ts: number) => ({
  requestId,
  nodeId: KITCHEN.nodeId,
  displayName: "Kitchen\x1b[2J",
  platform: "linux",
  commands: ["location.get", "system.run"],
  requiredApproveScopes: ["operator.pairing", "operator.admin"],
  ts,
});
const OLD = request("aaaa-1", NOW - 2 * MINUTE);
const NEW = request("bbbb-2", NOW - MINUTE);

/** Runs `nodes …` against a gateway that knows these. */
async function ask(
  argv: readonly string[],
  { pending = [OLD, NEW], answers = {} }: {
    pending?: readonly unknown[];
    answers?: FakeGatewayOptions["answers"];
  } = {},
) {
  await using gateway = new FakeGateway({
    answers: {
      "node.list": () => ({ ts: NOW, nodes: [KITCHEN, PHONE] }),
      "node.pair.list": () => ({ pending, paired: [] }),
      ...answers,
    },
  });
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" }, now: NOW });
  const code = await run(["nodes", ...argv, "--url", gateway.url, "--token", "t"], io);
  const requests = gateway.requests.filter(({ method }) => method !== "connect");
  const scopes = gateway.connects.map((params) => params.scopes);
  return { code, stdout: io.stdout, stderr: io.stderr, last: requests.at(-1), scopes };
}

Deno.test("nodes status counts them, and says where to look when one asks", async () => {
  const { stdout, scopes } = await ask(["status"]);
  deepStrictEqual(scopes, [["operator.read"]]);
  match(stdout, /^2 known, 1 connected, 1 ask for approval: see openclaw nodes pending\n\nNODE /);
  match(stdout, /9f86d081884c… +Kitchen +linux +would lend more +1m ago +location\.get\n/);
});

Deno.test("nodes pending shows what would be lent, and which rights that takes", async () => {
  const { stdout, scopes } = await ask(["pending"], { pending: [OLD] });
  deepStrictEqual(scopes, [["operator.pairing"]]);
  strictEqual(
    stdout,
    `ASKING  NAME        PLATFORM  TAKES          SINCE   WOULD LEND
aaaa-1  Kitchen[2J  linux     pairing,admin  2m ago  location.get, system.run
`,
  );
  strictEqual((await ask(["pending"], { pending: [] })).stdout, "No node asks to be approved\n");
});

Deno.test("nodes approve takes an id, the start of one, the newest or the only one", async () => {
  const answers = {
    "node.pair.approve": ({ requestId }: { requestId: string }) => ({ requestId, node: KITCHEN }),
  };
  const approved = async (argv: readonly string[], pending = [OLD, NEW]) => {
    const { code, stdout, last } = await ask(["approve", ...argv], { pending, answers });
    return [code, stdout, last?.method === "node.pair.approve" ? last.params : undefined];
  };
  const done = "Kitchen lends location.get\n";
  deepStrictEqual(await approved(["aaaa-1"]), [0, done, { requestId: "aaaa-1" }]);
  deepStrictEqual(await approved(["bbbb"]), [0, done, { requestId: "bbbb-2" }]);
  deepStrictEqual(await approved(["--latest"]), [0, done, { requestId: "bbbb-2" }]);
  deepStrictEqual(await approved([], [OLD]), [0, done, { requestId: "aaaa-1" }]);
  deepStrictEqual(await approved([]), [2, "", undefined]);
  deepStrictEqual(await approved(["cccc"]), [1, "", undefined]);
  deepStrictEqual(await approved([], []), [1, "", undefined]);
});

Deno.test("nodes approve asks for the rights that the gateway says it takes", async () => {
  let refused = false;
  const { code, scopes } = await ask(["approve"], {
    pending: [OLD],
    answers: {
      "node.pair.approve": () => {
        if (refused) return { requestId: OLD.requestId, node: KITCHEN };
        refused = true;
        const requiredScopes = OLD.requiredApproveScopes;
        throw new Refuse({
          code: "FORBIDDEN",
          message: "missing scope: operator.admin",
          details: { code: "MISSING_SCOPE", missingScope: "operator.admin", requiredScopes },
        });
      },
    },
  });
  strictEqual(code, 0);
  deepStrictEqual(scopes.map((list) => list?.toSorted()), [
    ["operator.pairing"],
    ["operator.admin", "operator.pairing"],
  ]);
});

Deno.test("nodes are named by name, by id, or by the start of it", async () => {
  const answers = {
    "node.pair.remove": (params: unknown) => params,
    "node.rename": (params: unknown) => params,
    "node.describe": () => ({ ts: NOW, ...KITCHEN }),
    "node.pair.reject": (params: object) => ({ ...params, nodeId: KITCHEN.nodeId }),
  };
  const asked = async (...argv: string[]) => {
    const { code, stdout, last } = await ask(argv, { answers });
    return [code, stdout, last?.params];
  };
  const { nodeId } = KITCHEN;
  deepStrictEqual(await asked("remove", "kitchen"), [
    0,
    "9f86d081884c is no node any more\n",
    { nodeId },
  ]);
  deepStrictEqual(await asked("rename", "9f86d", "Hall"), [
    0,
    "9f86d081884c is now 'Hall'\n",
    { nodeId, displayName: "Hall" },
  ]);
  deepStrictEqual(await asked("reject", "aaaa"), [
    0,
    "9f86d081884c lends nothing more\n",
    { requestId: "aaaa-1" },
  ]);
  deepStrictEqual((await asked("remove", "9f86")).slice(0, 2), [1, ""]);
  deepStrictEqual((await asked("remove", "nobody")).slice(0, 2), [1, ""]);
  const [, described] = await asked("describe", "Kitchen");
  strictEqual(
    described,
    `Node         9f86d081884c7d65
Name         Kitchen
Platform     linux, Linux
Version      1.2
State        would lend more
Seen         1m ago
Abilities    system
Commands     location.get
Permissions  location
Asks         aaaa-1
Would lend   location.get, system.run
`,
  );
});
