/** The fake is as strict as what it stands in for. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { ANNA, type FakeTelegram, type Order, startFakeTelegram } from "./telegram.ts";

Deno.test("markup that can't be parsed is refused, and where it breaks is said", async () => {
  await using telegram = fake();
  for (
    const [mode, text, why] of [
      ["HTML", "<b>x", /Can't find end tag corresponding to start tag "b"/],
      ["HTML", "ü<x>y</x>", /Unsupported start tag "x" at byte offset 2/],
      ["HTML", "x</b>", /Unexpected end tag at byte offset 1/],
      [
        "HTML",
        "<b>x</i></b>",
        /Unmatched end tag at byte offset 4, expected "<\/b>", found "<\/i>"/,
      ],
      ["MarkdownV2", "1.", /Character '\.' is reserved and must be escaped/],
      ["Markdown", "a *b", /Can't find end of the entity starting at byte offset 2/],
    ] as const
  ) {
    const { status, body } = await call(telegram, "sendMessage", {
      chat_id: ANNA.id,
      text,
      parse_mode: mode,
    });
    strictEqual(status, 400);
    match(body.description, /^Bad Request: can't parse entities: /);
    match(body.description, why);
  }
  const { body } = await call(telegram, "sendMessage", {
    chat_id: ANNA.id,
    text: '<b>bold</b> &amp; <a href="https://e.org">link</a>',
    parse_mode: "HTML",
  });
  strictEqual(body.result.text, "bold & link");
  deepStrictEqual(body.result.entities, [
    { type: "bold", offset: 0, length: 4 },
    { type: "text_link", url: "https://e.org", offset: 7, length: 4 },
  ]);
});

Deno.test("tokens, methods and limits", async () => {
  await using telegram = fake();
  const ask = async (path: string) => {
    const response = await fetch(`${telegram.url}${path}`);
    return [response.status, (await response.json()).description];
  };
  deepStrictEqual(await ask("/bot1:x/getMe"), [401, "Unauthorized"]);
  deepStrictEqual(await ask("/botx/getMe"), [404, "Not Found"]);
  deepStrictEqual(await ask(`/bot${telegram.token}/getme`), [200, undefined]);
  deepStrictEqual(await ask(`/bot${telegram.token}/getYou`), [
    404,
    "Not Found: method not found",
  ]);
  telegram.fail("getMe", {
    kind: "error",
    code: 429,
    description: "Too Many Requests: retry after 7",
    parameters: { retry_after: 7 },
  }, 1);
  const limited = await call(telegram, "getMe", {});
  deepStrictEqual([limited.status, limited.retryAfter, limited.body.parameters], [429, "7", {
    retry_after: 7,
  }]);
  strictEqual((await call(telegram, "getMe", {})).status, 200);
});

Deno.test("a webhook and a poll exclude each other, and so do two polls", async () => {
  await using telegram = fake();
  const first = call(telegram, "getUpdates", { timeout: 5 });
  await telegram.until(() => telegram.calls("getUpdates").length === 1);
  const second = call(telegram, "getUpdates", { timeout: 5 });
  match((await first).body.description, /^Conflict: terminated by other getUpdates request/);
  await call(telegram, "setWebhook", { url: "https://127.0.0.1:1/x" });
  match((await second).body.description, /^Conflict: terminated by setWebhook request/);
  match(
    (await call(telegram, "getUpdates", {})).body.description,
    /^Conflict: can't use getUpdates method while webhook is active/,
  );
  const plain = await call(telegram, "setWebhook", { url: "http://example.org/x" });
  match(plain.body.description, /An HTTPS URL must be provided/);
  await call(telegram, "deleteWebhook", {});
  strictEqual((await call(telegram, "getUpdates", {})).status, 200);
});

Deno.test("updates are kept until a higher offset is asked for", async () => {
  await using telegram = fake();
  const ids = ["a", "b", "c"].map((text) => telegram.say(text).updateId);
  const get = async (args: Record<string, unknown>) => {
    const { body } = await call(telegram, "getUpdates", args);
    return body.result.map(({ update_id }: { update_id: number }) => update_id);
  };
  deepStrictEqual(await get({ limit: 2 }), ids.slice(0, 2));
  deepStrictEqual(await get({ offset: ids[1] }), ids.slice(1));
  ok(telegram.isAcknowledged(ids[0]!) && !telegram.isAcknowledged(ids[1]!));
  telegram.reorder();
  deepStrictEqual(await get({}), [ids[2], ids[1]]);
  telegram.redeliver();
  deepStrictEqual(await get({}), [ids[0], ids[2], ids[1]]);
});

Deno.test("an album is sent as a form, as one", async () => {
  await using telegram = fake();
  const form = new FormData();
  form.set("chat_id", String(ANNA.id));
  form.set(
    "media",
    JSON.stringify([
      { type: "photo", media: "attach://one", caption: "two" },
      { type: "photo", media: "attach://two" },
    ]),
  );
  form.set("one", new Blob(["1234"]), "1.jpg");
  form.set("two", new Blob(["56789"]), "2.jpg");
  const response = await fetch(`${telegram.url}/bot${telegram.token}/sendMediaGroup`, {
    method: "POST",
    body: form,
  });
  const { result } = await response.json();
  strictEqual(result.length, 2);
  strictEqual(result[0].media_group_id, result[1].media_group_id);
  strictEqual(result[0].caption, "two");
});

Deno.test("orders come from another process, whatever the line does", async () => {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("telegram.ts", import.meta.url).pathname, "--token", "5:x"],
    stdout: "piped",
  }).spawn();
  try {
    const reader = process.stdout.getReader();
    const { url, control, token } = JSON.parse(
      new TextDecoder().decode((await reader.read()).value),
    );
    await reader.cancel();
    strictEqual(token, "5:x");
    const order = async (order: Order) => {
      const response = await fetch(control, { method: "POST", body: JSON.stringify(order) });
      return (await response.json()).result;
    };
    const { updateId } = await order({ do: "say", text: "hello" });
    await order({ do: "line", fault: "cut" });
    await rejects(fetch(`${url}/bot5:x/getMe`));
    await order({ do: "mend" });
    const response = await fetch(`${url}/bot5:x/getUpdates`);
    strictEqual((await response.json()).result[0].update_id, updateId);
    const journal = await (await fetch(`${control}?from=1`)).json();
    deepStrictEqual(
      journal.map(({ kind }: { kind: string }) => kind),
      ["called", "called", "handed"],
    );
  } finally {
    process.kill("SIGKILL");
    await process.status;
  }
});

function fake(): FakeTelegram {
  const telegram = startFakeTelegram();
  telegram.addChat({ id: ANNA.id, type: "private", first_name: ANNA.first_name });
  return telegram;
}

async function call(telegram: FakeTelegram, method: string, args: Record<string, unknown>) {
  const response = await fetch(`${telegram.url}/bot${telegram.token}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(args),
  });
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    body: await response.json(),
  };
}
