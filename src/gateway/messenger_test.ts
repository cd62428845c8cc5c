import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { FakeChannel, fakeNetwork, inboundOf, placeOf } from "../../tests/fakes/channel.ts";
import { startKernel } from "../../tests/kernel.ts";
import { checkConfig } from "../config.ts";
import type { Messenger } from "../messenger.ts";

const SIGNAL = new AbortController().signal;

/** A run that answers Ada in a thread of hers, at work until `use` is done. */
async function answering(
  crossContext: object,
  use: (world: { messenger: Messenger; channel: FakeChannel; folder: string }) => Promise<void>,
): Promise<void> {
  const stateDir = await Deno.makeTempDir();
  const channels = new Map<string, FakeChannel>();
  const config = {
    channels: { fake: { token: "t", dmPolicy: "open", allowFrom: ["*"] }, other: { token: "t" } },
    tools: { message: { crossContext } },
  };
  await using kernel = startKernel({
    stateDir,
    config: checkConfig(config).config,
    networks: ["fake", "other"].map((id) =>
      fakeNetwork(id, ({ accountId }) => {
        const channel = new FakeChannel({ id, accountId });
        channels.set(id, channel);
        return channel;
      })
    ),
  });
  try {
    await kernel.gateway.reconfigured();
    const channel = channels.get("fake")!;
    const place = placeOf("ada", { threadId: "7" });
    await channel.hears(inboundOf("hello", { place, messageId: "m0" }));
    const turn = await kernel.agent.turn();
    const messenger = kernel.gateway.networks.messenger(turn.request.runId);
    if (messenger === undefined) throw new Error("the run has no messenger");
    await use({ messenger, channel, folder: `${stateDir}/workspace` });
    await turn.answers("done");
    const stranger = kernel.gateway.networks.messenger("no such run");
    strictEqual(stranger === undefined, !("allowAcrossProviders" in crossContext));
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
}

Deno.test("a run may write into its own chat, in its thread", async () => {
  await answering({}, async ({ messenger, channel, folder }) => {
    strictEqual(messenger.here, "fake direct chat ada");
    deepStrictEqual(await messenger.send({ text: "hi", folder }, SIGNAL), ["m1"]);
    await messenger.send({ to: "ada", text: "ho", folder }, SIGNAL);
    await messenger.poll({ to: "fake:ada", question: "?", options: ["a", "b"] }, SIGNAL);
    for (const { message: { place } } of channel.network.shown) {
      deepStrictEqual([place.chatId, place.threadId], ["ada", "7"]);
    }
    await messenger.react({ emoji: "👍" }, SIGNAL);
    await messenger.edit({ messageId: "m1", text: "ha" }, SIGNAL);
    await messenger.delete({ messageId: "m1" }, SIGNAL);
    deepStrictEqual(channel.done.map(({ what, target }) => [what, target.messageId]), [
      ["react", "m0"],
      ["edit", "m1"],
      ["delete", "m1"],
    ]);
  });
});

Deno.test("elsewhere it may write only as far as the owner allows", async () => {
  const [bob, other] = ["bob", "other:ada"];
  const tries = async (messenger: Messenger, folder: string) => {
    const reasons: string[] = [];
    for (const to of [bob, other]) {
      await messenger.send({ to, text: "hi", folder }, SIGNAL).then(
        () => reasons.push("sent"),
        ({ message }) => reasons.push(/crossContext\.(\w+)$/.exec(message)?.[1] ?? message),
      );
    }
    return reasons;
  };
  await answering({}, async ({ messenger, folder }) => {
    deepStrictEqual(await tries(messenger, folder), [
      "allowWithinProvider",
      "allowAcrossProviders",
    ]);
  });
  await answering({ allowWithinProvider: true }, async ({ messenger, folder }) => {
    deepStrictEqual(await tries(messenger, folder), ["sent", "allowAcrossProviders"]);
  });
  await answering({ allowAcrossProviders: true }, async ({ messenger, folder }) => {
    deepStrictEqual(await tries(messenger, folder), ["sent", "sent"]);
    await rejects(messenger.react({ to: bob, emoji: "👍" }, SIGNAL), /Say in 'messageId'/);
  });
});

Deno.test("only files of its own workspace, and such as came with messages, are sent", async () => {
  await answering({}, async ({ messenger, channel, folder }) => {
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/a.txt`, "a");
    await messenger.send({ text: "", files: [`${folder}/a.txt`], folder }, SIGNAL);
    strictEqual(channel.network.shown[0]?.message.attachment?.name, "a.txt");
    await rejects(
      messenger.send({ text: "", files: ["/etc/passwd"], folder }, SIGNAL),
      ({ message }) => {
        match(message, /^Cannot send '\/etc\/passwd': there is no such file/);
        return true;
      },
    );
  });
});
