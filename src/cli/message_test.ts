import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { FakeGateway } from "../client/fake_gateway.ts";
import { run } from "./cli.ts";
import { FakeIo, withHome } from "./fake_io.ts";

/** Runs a command line against a gateway that does what it is asked to. */
async function ask(argv: readonly string[]) {
  const answers = {
    send: () => ({ runId: "r", channel: "tg", chatId: "7", messageId: "m1" }),
    poll: () => ({ runId: "r", channel: "tg", chatId: "7", messageId: "m2" }),
    "message.action": () => ({ ok: true }),
  };
  await using gateway = new FakeGateway({ answers });
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" } });
  const code = await run(["message", ...argv, "--url", gateway.url, "--token", "t"], io);
  const requests = gateway.requests.filter(({ method }) => method !== "connect")
    .map(({ method, params }) => {
      const { idempotencyKey: key, ...rest } = params as Record<string, unknown>;
      strictEqual(typeof key, "string");
      return [method, rest];
    });
  return { code, stdout: io.stdout, stderr: io.stderr, requests };
}

Deno.test("message send asks the gateway to send", async () => {
  const { code, stdout, requests } = await ask(
    ["send", "--channel", "tg", "--to", "7", "-m", "hi", "--account", "work", "--thread-id", "3"]
      .concat(["--reply-to", "m0", "--silent", "--media", "https://a.example/b.png"]),
  );
  deepStrictEqual([code, stdout], [0, "Sent to tg 7 as message m1\n"]);
  deepStrictEqual(requests, [["send", {
    to: "7",
    channel: "tg",
    accountId: "work",
    threadId: "3",
    message: "hi",
    mediaUrls: ["https://a.example/b.png"],
    replyToId: "m0",
    silent: true,
  }]]);
});

Deno.test("a file of this machine goes along", async () => {
  await withHome(async ({ stateDir }) => {
    await Deno.writeTextFile(`${stateDir}/a.txt`, "hello");
    const { requests } = await ask(["send", "--target", "7", "--media", `${stateDir}/a.txt`]);
    deepStrictEqual(requests, [["send", { to: "7", buffer: btoa("hello"), filename: "a.txt" }]]);
    const { code, stderr } = await ask(["send", "--to", "7", "--media", stateDir]);
    deepStrictEqual([code, /it is no file/.test(stderr)], [2, true]);
  });
});

Deno.test("a dry run asks nothing", async () => {
  const { code, stdout, requests } = await ask(["send", "--to", "7", "-m", "hi", "--dry-run"]);
  deepStrictEqual([code, requests], [0, []]);
  match(stdout, /^Would ask for send:\n\{\n {2}"to": "7",\n {2}"message": "hi"/);
});

Deno.test("the examples in the help of a message's commands can be typed", async () => {
  for (const name of ["react", "edit", "delete"]) {
    const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" } });
    await run(["message", name, "--help"], io);
    const lines = io.stdout.matchAll(/\$? *openclaw message (.*?)(?: {2,}.*)?$/gm);
    const examples = [...lines].map(([, line = ""]) => line).filter((line) =>
      line.includes("12345")
    );
    ok(examples.length > 0, io.stdout);
    for (const example of examples) {
      const argv = example.replaceAll('"', "").split(" ");
      const { code, stderr } = await ask([...argv, "--dry-run"]);
      deepStrictEqual([code, stderr], [0, ""], example);
    }
  }
});

Deno.test("poll, react, edit and delete do what they say", async () => {
  const where = ["--channel", "tg", "--to", "7"];
  const asked = async (argv: readonly string[]) => (await ask([...argv, ...where])).requests;
  deepStrictEqual(
    await asked(["poll", "--question", "?", "--option", "a", "--option", "b", "--multi"]),
    [["poll", { to: "7", channel: "tg", question: "?", options: ["a", "b"], maxSelections: 2 }]],
  );
  const action = (action: string, params: object) => [
    ["message.action", { channel: "tg", action, params: { to: "7", messageId: "m1", ...params } }],
  ];
  const id = ["--message-id", "m1"];
  deepStrictEqual(
    await asked(["react", ...id, "--emoji", "👍"]),
    action("react", { emoji: "👍" }),
  );
  deepStrictEqual(
    await asked(["react", ...id, "--remove"]),
    action("react", { remove: true, emoji: "" }),
  );
  deepStrictEqual(await asked(["edit", ...id, "-m", "ho"]), action("edit", { message: "ho" }));
  deepStrictEqual(await asked(["delete", ...id]), action("delete", {}));
});

Deno.test("what can't be meant exits with 2 and says why", async () => {
  for (
    const [line, why] of [
      ["send --to 7", /There is nothing to send/],
      ["send -m hi", /Say where it goes with --to/],
      ["send --to 7 --target 8 -m hi", /the same: give one/],
      ["poll --to 7 --question ? --option a", /--option twice or more/],
      ["poll --to 7", /needs --question/],
      ["react --to 7 --channel tg --message-id 1", /needs --emoji/],
      ["edit --to 7 --channel tg -m hi", /needs --message-id/],
      ["delete --to 7 --message-id 1", /needs --channel/],
      ["send --to 7 --media a --media b", /One file of this machine/],
    ] as const
  ) {
    const { code, stderr, requests } = await ask(line.split(" "));
    deepStrictEqual([code, requests], [2, []], line);
    match(stderr, why);
  }
});
