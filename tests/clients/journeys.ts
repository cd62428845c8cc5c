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

/** A node is let in and listed; nothing of it is used before somebody approves it. */
async function lendNode(client: Released, { target, folder }: Surroundings) {
  const name = `judge-of-v${client.protocol}`;
  const flags = ["--host", "127.0.0.1", "--port", String(target.port), "--display-name", name];
  const host = spawn(await client.at(await folder()).command(["node", "run", ...flags]));
  try {
    const node = await listed(client, name);
    // The old gateway has no such approval, and says nothing of it.
    if (node.approvalState !== undefined) {
      strictEqual(node.approvalState, "pending-approval");
      deepStrictEqual(node.commands, []);
      ok(node.pendingDeclaredCommands?.includes("system.run"), "its commands are not listed");
    }
  } catch (error) {
    host.kill("SIGKILL");
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\nThe node host:${said(await host.output)}`, { cause: error });
  }
  host.kill("SIGKILL"); // how well it ends is not the question
  await host.output;
}

interface NodeRow {
  readonly displayName?: string;
  readonly connected: boolean;
  readonly commands: readonly string[];
  readonly approvalState?: string;
  readonly pendingDeclaredCommands?: readonly string[];
}

/** Asks for the list of nodes until a connected one has that name. */
async function listed(client: Released, name: string): Promise<NodeRow> {
  let last = "";
  for (let asked = 0; asked < 20; asked++) {
    const output = await client.run(["gateway", "call", "node.list"]);
    strictEqual(output.code, 0, `exit code ${output.code}${said(output)}`);
    const { nodes }: { nodes: NodeRow[] } = jsonOf(output);
    const node = nodes.find(({ displayName, connected }) => displayName === name && connected);
    if (node !== undefined) return node;
    last = output.stdout;
  }
  throw new Error(`'${name}' is not among the connected nodes:\n${last}`);
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
