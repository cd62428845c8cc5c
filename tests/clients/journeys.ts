/** What people do with the clients that takes more than one command. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Check, check, jsonOf } from "./checks.ts";
import type { Peers } from "./install.ts";
import { type Released, runToEnd, said, spawn, type Target } from "./released.ts";
import { Terminal } from "./terminal.ts";

/** What a journey needs to know besides its client. */
export interface Surroundings {
  readonly target: Target;
  /** What the gateway's agent says when it is asked to echo a text. */
  answer(text: string): RegExp;
  /** Makes an empty folder. */
  folder(): Promise<string>;
}

/** Chatting, on the command line and on a terminal, and lending this machine as a node. */
export function journeys(client: Released, surroundings: Surroundings): readonly Check[] {
  return [
    { name: "openclaw agent --message …", run: () => ask(client, surroundings) },
    { name: "openclaw tui", run: () => chatOnScreen(client, surroundings) },
    { name: "openclaw node run", run: () => lendNode(client, surroundings) },
    // Codes that hold no lasting secret came with protocol 4.
    ...client.protocol === 3
      ? []
      : [{ name: "openclaw node run --pair …", run: () => pairByCode(client, surroundings) }],
  ];
}

async function ask(client: Released, { answer }: Surroundings) {
  const agent = client.protocol === 3 ? ["--agent", "main"] : []; // the old release wants it named
  await check(client, {
    args: ["agent", ...agent, "--message", "echo Hello from a shell"],
    expect: ({ stdout }) => match(stdout, answer("Hello from a shell")),
  });
}

async function chatOnScreen(client: Released, { answer, folder }: Surroundings) {
  const start = await client.command(["tui"]);
  const texts = ["The sky is blue", "Grass is green"];
  const idle = (screen: string) => /\bconnected \| idle\b/.test(screen);
  {
    await using terminal = await Terminal.open(start, await folder());
    await terminal.until("An idle, connected TUI", idle);
    for (const text of texts) {
      await terminal.enter(`echo ${text}`);
      await terminal.until(`The answer to 'echo ${text}'`, (screen) => {
        const [, after] = screen.split(`echo ${text}`);
        return after !== undefined && answer(text).test(after) && idle(screen);
      });
    }
  }
  await using again = await Terminal.open(start, await folder());
  await again.until(
    "The conversation, in a new TUI",
    (screen) => idle(screen) && texts.every((text) => screen.includes(`echo ${text}`)),
  );
}

/** A node is let in; nothing of it is used before it is approved, nor after it is revoked. */
async function lendNode(client: Released, { target, folder }: Surroundings) {
  const name = `judge-of-v${client.protocol}`;
  const flags = ["--host", "127.0.0.1", "--port", String(target.port), "--display-name", name];
  const host = spawn(await client.at(await folder()).command(["node", "run", ...flags]));
  try {
    const node = await listed(client, name, ({ connected }) => connected);
    // The old gateway has no such approval, and says nothing of it.
    if (node.approvalState !== undefined) await decideOnNode(client, node);
  } catch (error) {
    host.kill("SIGKILL");
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\nThe node host:${said(await host.output)}`, { cause: error });
  }
  host.kill("SIGKILL"); // how well it ends is not the question
  await host.output;
}

/** Approves what the node lends, as its operator would, and takes it back. */
async function decideOnNode(client: Released, node: NodeRow) {
  strictEqual(node.approvalState, "pending-approval");
  deepStrictEqual(node.commands, []);
  ok(node.pendingDeclaredCommands?.includes("system.run"), "its commands are not listed");
  const { nodeId, displayName = "", pendingRequestId = "" } = node;
  await check(client, {
    args: ["nodes", "pending", "--json"],
    expect: ({ stdout }) => ok(stdout.includes(pendingRequestId), "it is not among the pending"),
  });
  await check(client, { args: ["nodes", "approve", pendingRequestId], expect: () => {} });
  const approved = await listed(
    client,
    displayName,
    ({ approvalState }) => approvalState === "approved",
  );
  ok(approved.connected && approved.commands.includes("system.run"), "it lends nothing");
  const revoke = ["devices", "revoke", "--device", nodeId, "--role", "node"];
  await check(client, { args: revoke, expect: () => {} });
  const revoked = await listed(client, displayName, ({ connected }) => !connected);
  deepStrictEqual(revoked.commands, []);
}

interface NodeRow {
  readonly nodeId: string;
  readonly displayName?: string;
  readonly connected: boolean;
  readonly commands: readonly string[];
  readonly approvalState?: string;
  readonly pendingRequestId?: string;
  readonly pendingDeclaredCommands?: readonly string[];
}

/** Asks for the list of nodes until the one of that name is as it should be. */
async function listed(
  client: Released,
  name: string,
  fits: (node: NodeRow) => boolean,
): Promise<NodeRow> {
  let last = "";
  for (let asked = 0; asked < 20; asked++) {
    const output = await client.run(["gateway", "call", "node.list"]);
    strictEqual(output.code, 0, `exit code ${output.code}${said(output)}`);
    const { nodes }: { nodes: NodeRow[] } = jsonOf(output);
    const node = nodes.find((node) => node.displayName === name && fits(node));
    if (node !== undefined) return node;
    last = output.stdout;
  }
  throw new Error(`'${name}' is not listed as it should be:\n${last}`);
}

/** A headless node that was never here comes in by a setup code alone, and is known from then on. */
async function pairByCode(client: Released, { target, folder }: Surroundings) {
  const name = "judge-by-code";
  const publicUrl = `ws://127.0.0.1:${target.port}`;
  const params = JSON.stringify({ publicUrl, bootstrapProfile: "node", includeQr: false });
  const made = await client.run(["gateway", "call", "device.pair.setupCode", "--params", params]);
  strictEqual(made.code, 0, `exit code ${made.code}${said(made)}`);
  const { setupId, setupCode } = jsonOf(made);
  const stranger = client.at(await folder()).withoutToken();
  const start = await stranger.command([
    "node",
    "run",
    "--pair",
    setupCode,
    "--display-name",
    name,
  ]);
  const host = spawn(start);
  try {
    const { nodeId } = await listed(client, name, ({ connected }) => connected);
    await check(client, {
      args: ["gateway", "call", "device.pair.setupStatus", "--params", JSON.stringify({ setupId })],
      expect: (output) => strictEqual(jsonOf(output).completion.deviceId, nodeId),
    });
  } catch (error) {
    host.kill("SIGKILL");
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\nThe node host:${said(await host.output)}`, { cause: error });
  }
  host.kill("SIGKILL");
  await host.output;
}

/** A client that others wrote connects, chats, and reads what was said. */
export async function thirdParty(peers: Peers, { target, answer, folder }: Surroundings) {
  const home = await folder();
  const output = await runToEnd({
    command: [
      peers.node,
      fileURLToPath(new URL("chat.mjs", import.meta.url)),
      peers.thirdParty,
      `ws://127.0.0.1:${target.port}`,
      target.token,
      join(home, "device.json"),
      "echo Hello from another program",
    ],
    env: { PATH: dirname(peers.node), HOME: home },
  });
  strictEqual(output.code, 0, `exit code ${output.code}${said(output)}`);
  const { protocol, kinds, text, healthy, agents, roles } = jsonOf(output);
  strictEqual(protocol, 4);
  match(text, answer("Hello from another program"));
  deepStrictEqual(kinds.toSorted(), ["agent_end", "agent_start", "done", "text"]);
  strictEqual(healthy, true);
  deepStrictEqual(agents, ["main"]);
  ok(roles.includes("user") && roles.includes("assistant"), `history has only ${roles}`);
}
