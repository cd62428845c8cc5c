/** What there is around a conversation: ways in, other conversations, devices, keys, phones, colours. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import { type ClientOptions, GatewayRefusal } from "../../src/client/client.ts";
import { createDeviceKey } from "../../src/client/identity.ts";
import { connectTo, TOKEN } from "../gateway.ts";
import {
  answered,
  ask,
  connected,
  DESKTOP,
  fits,
  inNewConversation,
  keyOf,
  liesWithin,
  newConversation,
  PHONE,
  signedIn,
  tell,
} from "./house.ts";

tell("the page around a conversation", {
  async "the token leaves the address and the history, and is kept"(house) {
    await using visit = await house.visit(DESKTOP, `/#token=${TOKEN}`);
    const { page } = visit;
    await connected(page);
    strictEqual(page.url(), house.url("/"));
    const devtools = await page.context().newCDPSession(page);
    const { entries } = await devtools.send("Page.getNavigationHistory");
    ok(entries.every(({ url }) => !url.includes(TOKEN)));
    ok(!(await page.title()).includes(TOKEN));
    await page.reload();
    await connected(page);
  },

  async "without a token it asks for one, says where it is found, and when it is wrong"(house) {
    await using visit = await house.visit(DESKTOP, "/");
    const { page } = visit;
    await page.getByText("openclaw dashboard").waitFor();
    await page.getByLabel("Token").fill("guessed");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("doesn't know this token").waitFor();
    await page.getByLabel("Token").fill(TOKEN);
    await page.keyboard.press("Enter");
    await connected(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    await page.getByText("openclaw dashboard").waitFor();
    await page.reload();
    await page.getByText("openclaw dashboard").waitFor();
  },

  "conversations are made, told apart, renamed and deleted": signedIn(async (page) => {
    await ask(page, "echo hello"); // where nothing was said yet, nothing new is begun
    await answered(page);
    await newConversation(page);
    await ask(page, "echo the first one");
    await answered(page);
    await newConversation(page);
    await ask(page, "echo the second one");
    await answered(page);
    const list = page.locator(".sessions");
    await list.getByText("echo the first one").click();
    await page.locator(".bubble", { hasText: "echo the first one" }).waitFor();
    strictEqual(await page.locator(".bubble", { hasText: "second" }).count(), 0);
    match(page.url(), /\/chat\?session=agent%3Amain%3Aweb-/);

    await choose(page, "Rename…");
    await page.getByRole("dialog").getByLabel("Name").fill("Errands");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Errands" }).waitFor();
    await list.getByText("Errands").waitFor();

    await choose(page, "Start afresh…");
    await page.getByRole("dialog").getByRole("button", { name: "Start afresh" }).click();
    await page.getByText("What is on your mind?").waitFor();

    await choose(page, "Delete…");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await list.getByText("Errands").waitFor({ state: "detached" });
    await page.locator(".bubble", { hasText: "echo hello" }).waitFor();
    await page.goBack();
    await page.goBack();
    await page.locator(".bubble", { hasText: "echo the second one" }).waitFor();
  }),

  "an address that spells a conversation's key in its own way leads to it": signedIn(
    async (page, house) => {
      await page.goto(house.url("/chat?session=Errand"));
      await connected(page);
      await ask(page, "echo found it");
      await answered(page);
      await page.getByRole("heading", { level: 1, name: "echo found it" }).waitFor();
    },
  ),

  "everything can be done by keyboard": signedIn(async (page) => {
    await page.locator("body").press("Tab");
    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press("n");
    await page.getByText("What is on your mind?").waitFor();
    const message = page.getByLabel("Message", { exact: true });
    strictEqual(await message.evaluate((field) => field === document.activeElement), true);
    await page.keyboard.type("count to 1000");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Enter");
    await page.locator(".live .prose").getByText("1 2 3").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".answer footer").getByText("Stopped").waitFor();

    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("Control+k");
    await page.keyboard.press("ArrowDown");
    match(await focused(page), /^A /);
    await page.keyboard.press("Enter");
    await connected(page);
  }),

  "it fits a phone, and the list is a drawer there": signedIn(async (page, house) => {
    await page.getByLabel("Message", { exact: true }).fill("echo hello");
    await page.getByRole("button", { name: "Send" }).tap(); // Enter is a new line here
    await answered(page);
    await house.operator.request("chat.inject", { sessionKey: "main", message: WIDE });
    await page.locator(".prose").getByText("The end of the wide message").waitFor();
    await fits(page);
    await page.getByRole("button", { name: "Open the list of conversations" }).tap();
    const drawer = page.getByRole("navigation", { name: "Conversations" });
    await drawer.getByText("Devices").waitFor();
    await fits(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Open the list of conversations" }).tap();
    await drawer.getByText("Devices").tap();
    await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
    await page.getByText("This browser").waitFor();
    await fits(page);
  }, PHONE),

  "devices that ask are approved, and approved ones revoked": signedIn(async (page, house) => {
    await page.getByRole("link", { name: "Devices" }).click();
    await page.getByText("This browser").waitFor();
    // A device that is known as an operator and wants to be a node needs its owner's word.
    const identity = createDeviceKey();
    const common = { displayName: "Workbench", version: "1", platform: "linux" };
    await using _known = await connectTo(house.ws, {
      identity,
      client: { ...common, id: "cli", mode: "cli" },
    });
    const asNode: Partial<ClientOptions> = {
      identity,
      client: { ...common, id: "node-host", mode: "node" },
      role: "node",
      scopes: [],
      caps: ["system"],
      commands: ["system.run", "system.which"],
    };
    const refusal = await connectTo(house.ws, asNode).catch((error) => error);
    ok(refusal instanceof GatewayRefusal && refusal.reason === "PAIRING_REQUIRED");
    const request = page.locator(".card.pending", { hasText: "Workbench" });
    await request.getByText("Another role").waitFor();
    await request.getByText("Node: the agent uses what this device can do").waitFor();
    await request.getByText("from 127.0.0.1").waitFor();
    await request.getByRole("button", { name: "Approve" }).click();
    await request.waitFor({ state: "detached" });
    await using _node = await connectTo(house.ws, asNode);
    // What it lends is another question, which the page hears of and asks as well.
    const wish = page.locator(".card.pending", { hasText: "New node" });
    await liesWithin(wish, wish.getByText("system.run"));
    await wish.getByText("can run programs").waitFor();
    await wish.getByRole("button", { name: "Approve" }).click();
    await wish.waitFor({ state: "detached" });
    const card = page.locator(".card", { hasText: "Workbench" });
    await card.getByText("Connected").waitFor();
    await card.getByText("What it may do").click();
    await liesWithin(card, card.getByText("system.run"));
    await card.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await card.getByText("Revoked", { exact: true }).waitFor();
    const again = await connectTo(house.ws, asNode).catch((error) => error);
    ok(again instanceof GatewayRefusal && again.reason === "PAIRING_REQUIRED");
    await request.getByText("Was revoked").waitFor();
    await request.getByRole("button", { name: "Reject" }).click();
    await request.waitFor({ state: "detached" });
    await card.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await card.waitFor({ state: "detached" });
  }),

  "older messages come as one scrolls up": inNewConversation(async (page, house) => {
    await ask(page, "echo the oldest");
    await answered(page);
    const sessionKey = keyOf(page);
    for (let i = 1; i <= 80; i++) {
      await house.operator.request("chat.inject", {
        sessionKey,
        message: `Message ${i}\n\n${"\n\n…".repeat(3)}`,
      });
    }
    await page.reload();
    await page.getByText("Message 80", { exact: true }).waitFor();
    strictEqual(await page.locator(".bubble", { hasText: "the oldest" }).count(), 0);
    await page.locator(".conversation").evaluate((box) => box.scrollTop = 0);
    await page.locator(".bubble", { hasText: "the oldest" }).waitFor();
    strictEqual(await page.getByText("Message 40", { exact: true }).count(), 1);
    ok(await page.locator(".conversation").evaluate((box) => box.scrollTop) > 0, "stays in place");
  }),

  async "when the gateway restarts, the page comes back and has what it missed"(house) {
    await using visit = await house.signIn(DESKTOP, { expectNetworkErrors: true });
    const { page } = visit;
    await newConversation(page);
    await ask(page, "echo before");
    await answered(page);
    const sessionKey = keyOf(page);
    await house.restart(async ({ request }) => {
      await page.locator(".banner").waitFor();
      await request("chat.inject", { sessionKey, message: "Said meanwhile" });
    });
    await page.locator(".prose").getByText("Said meanwhile").waitFor();
    await ask(page, "echo after");
    await answered(page);
    strictEqual(await page.locator(".banner").count(), 0);
  },

  async "what was written while the gateway was away is sent by the next page"(house) {
    await using visit = await house.signIn(DESKTOP, { expectNetworkErrors: true });
    const { page } = visit;
    await newConversation(page);
    const address = new URL(page.url());
    await house.restart(async () => {
      await ask(page, "echo wanted");
      await ask(page, "echo unwanted");
      const unwanted = page.locator(".message.user").filter({ hasText: "echo unwanted" });
      await unwanted.getByText("Waiting for the gateway").waitFor();
      await unwanted.getByRole("button", { name: "Discard" }).click();
      await unwanted.waitFor({ state: "detached" });
      await page.close();
    });
    const next = await page.context().newPage();
    await next.goto(house.url(address.pathname + address.search));
    await next.locator(".answer .prose").getByText("wanted", { exact: true }).waitFor();
    deepStrictEqual(await next.locator(".bubble").allInnerTexts(), ["echo wanted"]);
  },

  "dark and light are both there, and remembered": signedIn(async (page) => {
    const paper = () => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    const dark = await paper();
    await page.getByRole("button", { name: /^Colours/ }).click();
    const light = await paper();
    ok(dark !== light);
    await page.reload();
    await connected(page);
    strictEqual(await paper(), light);
  }, { ...DESKTOP, colorScheme: "dark" }),
});

const WIDE = `https://example.com/${"long".repeat(60)}

${"A".repeat(300)}

| ${"a column | ".repeat(12)}
| ${"--- | ".repeat(12)}
| ${"some text | ".repeat(12)}

\`\`\`
${"a very long line of code ".repeat(12)}
\`\`\`

The end of the wide message`;

async function choose(page: Page, item: string): Promise<void> {
  await page.getByRole("button", { name: "What to do with this conversation" }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

async function focused(page: Page): Promise<string> {
  return String(
    await page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.className"),
  );
}
