/** The page, in a real browser, against a real gateway. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { type RunningGateway, start } from "../src/cli/serve.ts";
import { type ClientOptions, GatewayRefusal } from "../src/client/client.ts";
import { createDeviceKey } from "../src/client/identity.ts";
import { connectTo, type TestClient, TOKEN } from "./gateway.ts";

const CHROMIUM = "/usr/bin/chromium";
const DESKTOP = { viewport: { width: 1100, height: 760 } };
const PHONE = {
  viewport: { width: 320, height: 640 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

const isInstalled = await exists(CHROMIUM);

Deno.test({
  name: isInstalled ? "the page" : `the page (${CHROMIUM} is not installed)`,
  ignore: !isInstalled,
  async fn(t) {
    await using house = await House.open();
    for (const [name, story] of Object.entries(STORIES)) {
      // What a story opens is closed with the house; the test as a whole leaks nothing.
      await t.step({ name, fn: () => story(house), sanitizeOps: false, sanitizeResources: false });
    }
  },
});

const STORIES: Readonly<Record<string, (house: House) => Promise<void>>> = {
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

  async "an answer is seen while it is written, says who wrote it, and survives a reload"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await page.getByText("The built-in demo answers here").waitFor();
    await ask(page, "count to 200");
    await page.locator(".live .prose").getByText("1 2 3").waitFor();
    ok(!(await page.locator(".live .prose").innerText()).includes("200"), "not yet complete");
    await answered(page);
    const answer = await page.locator(".answer .prose").last().innerText();
    match(answer, /1 2 3 .* 198 199 200$/s);
    match(await page.locator(".answer footer").last().innerText(), /demo\/demo/);
    await page.reload();
    await page.getByText("198 199 200").waitFor();
    strictEqual(await page.locator(".bubble").innerText(), "count to 200");
  },

  async "a tool is shown with what went in and what came out"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    await ask(page, "read AGENTS.md");
    await answered(page);
    const tool = page.locator(".tool");
    strictEqual(await tool.getAttribute("data-state"), "ok");
    strictEqual(await tool.getAttribute("open"), null);
    await tool.locator("summary").click();
    match(await tool.innerText(), /"path": "AGENTS\.md"/);
    await ask(page, "read nothing.md");
    await answered(page);
    strictEqual(await tool.last().getAttribute("data-state"), "failed");
  },

  async "thoughts are folded away"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    await ask(page, "think about crabs");
    await answered(page);
    const thought = page.getByText("The question is about crabs");
    strictEqual(await thought.isVisible(), false);
    await page.locator(".thinking summary").last().click();
    await thought.waitFor();
  },

  async "a run can be stopped, and what was said stays"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    await ask(page, "count to 1000");
    await page.locator(".live .prose").getByText("1 2 3").waitFor();
    await page.getByRole("button", { name: "Stop the agent" }).click();
    await page.locator(".answer footer").getByText("Stopped").waitFor();
    const answer = await page.locator(".answer .prose").last().innerText();
    ok(answer.includes("1 2 3") && !answer.includes("1000"));
    await page.getByRole("button", { name: "Send" }).waitFor();
  },

  async "what is sent while the agent works waits its turn"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    await ask(page, "count to 60");
    await page.locator(".live .prose").waitFor();
    await ask(page, "echo second");
    await page.locator(".answer .prose").getByText("second", { exact: true }).waitFor();
    deepStrictEqual(await page.locator(".bubble").allInnerTexts(), ["count to 60", "echo second"]);
  },

  async "conversations are made, told apart, renamed and deleted"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
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
    await page.goBack();
    await page.goBack();
    await page.locator(".bubble", { hasText: "echo the second one" }).waitFor();
  },

  async "an address that spells a conversation's key in its own way leads to it"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await page.goto(house.url("/chat?session=Errand"));
    await connected(page);
    await ask(page, "echo found it");
    await answered(page);
    await page.getByRole("heading", { level: 1, name: "echo found it" }).waitFor();
  },

  async "nothing in an answer runs, loads or leads astray"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await newConversation(page);
    await ask(page, "echo hello");
    await answered(page);
    await house.operator.request("chat.inject", { sessionKey: keyOf(page), message: HOSTILE });
    const prose = page.locator(".prose").last();
    await prose.getByText("The end of the hostile message").waitFor();
    strictEqual(await page.evaluate("window.pwned"), undefined);
    strictEqual(await prose.locator(EXECUTABLE).count(), 0);
    const links = await prose.locator("a").evaluateAll((links) =>
      links.map((link) => [link.getAttribute("href"), link.getAttribute("rel")])
    );
    deepStrictEqual(links, [
      ["https://example.com/", "noopener noreferrer"],
      ["https://tracker.example/pixel.gif", "noopener noreferrer"],
    ]);
    deepStrictEqual(asked.filter((url) => !url.startsWith(house.url("/"))), []);
  },

  async "commands are offered and carried out"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    await page.getByLabel("Message", { exact: true }).pressSequentially("/st");
    await page.getByRole("option", { name: /\/status/ }).waitFor();
    await page.keyboard.press("Tab");
    strictEqual(await page.getByLabel("Message", { exact: true }).inputValue(), "/status");
    await page.keyboard.press("Enter");
    await page.locator(".answer").getByText("OpenClaw gateway").waitFor();
  },

  async "the model and its thinking are chosen for one conversation"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    await ask(page, "echo hello");
    await answered(page);
    await page.getByLabel("How hard the model thinks").selectOption("high");
    await page.getByLabel("Model of this conversation").selectOption("demo/demo");
    await ask(page, "/status");
    const answer = page.locator(".answer").last();
    await answer.getByText("Thinking: high").waitFor();
    await answer.getByText("chosen for this session").waitFor();
    await page.reload();
    await connected(page);
    await page.locator(".choice select").first().waitFor();
    strictEqual(await page.getByLabel("How hard the model thinks").inputValue(), "high");
  },

  async "a picture can be added, removed and sent"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    const files = page.locator("input[type=file]");
    const picture = { name: "dot.png", mimeType: "image/png", buffer: PNG };
    await files.setInputFiles([picture, { ...picture, name: "other.png" }]);
    await page.getByRole("button", { name: "Remove other.png" }).click();
    await files.setInputFiles({ name: "a.svg", mimeType: "image/svg+xml", buffer: PNG });
    await page.getByText("only PNG, JPEG, GIF and WebP").waitFor();
    await ask(page, "echo look");
    await answered(page);
    await page.locator(".user .pictures img").waitFor();
    strictEqual(await page.locator(".user .pictures img").count(), 1);
  },

  async "what was said beside a long file is still there after a reload"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    const lines = Buffer.from("a line of it\n".repeat(20_000));
    const file = { name: "long.log", mimeType: "text/plain", buffer: lines };
    await page.locator("input[type=file]").setInputFiles(file);
    await page.getByRole("button", { name: "Remove long.log" }).waitFor();
    await page.getByLabel("Message", { exact: true }).fill("what is in this?");
    await page.keyboard.press("Enter");
    await answered(page);
    await page.reload();
    await page.locator(".bubble").waitFor();
    match(await page.locator(".bubble").innerText(), /^what is in this\?/);
  },

  async "what was chosen to be sent waits with its words while one is elsewhere"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    await ask(page, "echo with files");
    await answered(page);
    await page.getByLabel("Message", { exact: true }).fill("echo look at this");
    const picture = { name: "dot.png", mimeType: "image/png", buffer: PNG };
    await page.locator("input[type=file]").setInputFiles(picture);
    await page.getByRole("button", { name: "Remove dot.png" }).waitFor();
    await page.getByRole("link", { name: "Devices" }).click();
    await page.getByText("This browser").waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Remove dot.png" }).waitFor();
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator(".user .pictures img").waitFor();
    await answered(page);
  },

  async "a file that is dropped goes into the message, or nowhere, and a text where it is let go"(
    house,
  ) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    /** Returns whether the browser would do with it what it does by itself: open the file. */
    const drop = (selector: string, what: "file" | "text") =>
      page.locator(selector).evaluate((place, what) => {
        const dataTransfer = new DataTransfer();
        if (what === "text") dataTransfer.setData("text/plain", "a text");
        else dataTransfer.items.add(new File(["1,2"], "a.csv", { type: "text/csv" }));
        const options = { bubbles: true, cancelable: true, dataTransfer };
        place.dispatchEvent(new DragEvent("dragover", options));
        return place.dispatchEvent(new DragEvent("drop", options));
      }, what);
    deepStrictEqual(
      [await drop(".conversation", "file"), await drop("#message", "file")],
      [false, false],
    );
    await page.getByRole("button", { name: "Remove a.csv" }).waitFor();
    strictEqual(await page.getByRole("button", { name: "Remove a.csv" }).count(), 1);
    strictEqual(await drop("#message", "text"), true);
    await page.getByRole("button", { name: "Remove a.csv" }).click();
  },

  async "a picture is pasted as one, and a text as a text that has a picture of itself"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    const paste = (texts: Readonly<Record<string, string>>) =>
      page.locator("#message").evaluate((field, texts) => {
        const clipboardData = new DataTransfer();
        for (const [type, text] of Object.entries(texts)) clipboardData.setData(type, text);
        clipboardData.items.add(new File(["PNG"], "image.png", { type: "image/png" }));
        const options = { bubbles: true, cancelable: true, clipboardData };
        return field.dispatchEvent(new ClipboardEvent("paste", options));
      }, texts);
    // As spreadsheets do it: what the browser does with it by itself is right.
    strictEqual(await paste({ "text/plain": "1\t2", "text/html": "<table></table>" }), true);
    strictEqual(await paste({ "text/html": "<img src=image.png>" }), false);
    await page.getByRole("button", { name: "Remove image.png" }).click();
    strictEqual(await paste({ "text/plain": "image.png" }), false);
    await page.getByRole("button", { name: "Remove image.png" }).click();
  },

  async "a message is not sent before the files in it are read"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    // A file that comes from somewhere slow.
    await page.evaluate(() => {
      const read = FileReader.prototype.readAsDataURL;
      FileReader.prototype.readAsDataURL = function (file) {
        Object.assign(globalThis, { go: () => read.call(this, file) });
      };
    });
    const picture = { name: "dot.png", mimeType: "image/png", buffer: PNG };
    await page.locator("input[type=file]").setInputFiles(picture);
    await page.waitForFunction("'go' in globalThis");
    await page.getByLabel("Message", { exact: true }).fill("echo it is in here");
    await page.keyboard.press("Enter");
    strictEqual(await page.locator(".bubble").count(), 0);
    await page.evaluate("go()");
    await page.getByRole("button", { name: "Remove dot.png" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".user .pictures img").waitFor();
    await answered(page);
  },

  async "Enter that ends a word of an input method sends nothing"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    const message = page.getByLabel("Message", { exact: true });
    await message.fill("にほ");
    // As Safari tells it: after the end of the composition, with the code of a key in use.
    await message.evaluate((field) => {
      const event = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
      Object.defineProperty(event, "keyCode", { value: 229 });
      field.dispatchEvent(event);
    });
    strictEqual(await message.inputValue(), "にほ");
    await message.fill("");
  },

  async "a model that could not be chosen is not shown as chosen"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
    await ask(page, "echo hello");
    await answered(page);
    const choice = page.getByLabel("How hard the model thinks");
    await house.operator.request("sessions.patch", { key: keyOf(page), thinkingLevel: "low" });
    await page.waitForFunction(
      "document.querySelector('[title=\"How hard the model thinks\"]').value === 'low'",
    );
    await choice.evaluate((select) => {
      select.append(new Option("harder", "harder"));
      (select as HTMLSelectElement).value = "harder";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await page.getByText("Setting how hard the model thinks failed").waitFor();
    strictEqual(await choice.inputValue(), "low");
  },

  async "everything can be done by keyboard"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
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
  },

  async "it fits a phone, and the list is a drawer there"(house) {
    await using visit = await house.signIn(PHONE);
    const { page } = visit;
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
  },

  async "many files with long names leave room to write and to send on a phone"(house) {
    await using visit = await house.signIn(PHONE);
    const { page } = visit;
    const names = Array.from({ length: 12 }, (_, i) => `${i} ${"Screenshot ".repeat(6)}.png`);
    await page.locator("input[type=file]").setInputFiles(
      names.map((name) => ({ name, mimeType: "image/png", buffer: PNG })),
    );
    await page.getByRole("button", { name: "Remove 11 " }).waitFor();
    const body = page.locator("body");
    await liesWithin(body, page.getByRole("button", { name: "Send" }));
    await liesWithin(body, page.getByLabel("Message", { exact: true }));
    await liesWithin(body, page.locator(".top"));
    await liesWithin(body, page.getByRole("button", { name: "Remove 0 " }));
    for (const name of names) await page.getByRole("button", { name: `Remove ${name}` }).tap();
    await fits(page);
  },

  async "what could not be done is told where one doesn't write, until one has read it"(house) {
    for (const size of [PHONE, DESKTOP]) {
      await using visit = await house.signIn(size);
      const { page } = visit;
      const archive = { name: "a.zip", mimeType: "application/zip", buffer: Buffer.alloc(9) };
      await page.locator("input[type=file]").setInputFiles([archive, archive]);
      const notices = page.locator(".notice");
      await notices.nth(1).waitFor();
      await page.getByLabel("Message", { exact: true }).fill("hi");
      await page.getByRole("button", { name: "Send" }).click({ trial: true });
      await page.keyboard.press("Escape");
      await notices.nth(1).waitFor({ state: "detached" });
      await page.keyboard.press("Escape");
      await notices.waitFor({ state: "detached" });
    }
  },

  async "devices that ask are approved, and approved ones revoked"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
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
  },

  async "older messages come as one scrolls up"(house) {
    await using visit = await house.signIn(DESKTOP);
    const { page } = visit;
    await newConversation(page);
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
  },

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

  async "dark and light are both there, and remembered"(house) {
    await using visit = await house.signIn({ ...DESKTOP, colorScheme: "dark" });
    const { page } = visit;
    const paper = () => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    const dark = await paper();
    await page.getByRole("button", { name: /^Colours/ }).click();
    const light = await paper();
    ok(dark !== light);
    await page.reload();
    await connected(page);
    strictEqual(await paper(), light);
  },
};

/** What markup would have become; our own buttons have drawings. */
const EXECUTABLE = "script, iframe, object, embed, form, style, img, svg:not(.icon)";

const HOSTILE = `<script>window.pwned = 1</script>
<img src="x" onerror="window.pwned = 1"> <svg onload="window.pwned = 1"></svg>
<iframe srcdoc="<script>parent.pwned = 1</script>"></iframe>
<a href="javascript:window.pwned = 1">a</a> <form action="https://evil.example"><input name="x"></form>

[one](javascript:window.pwned=1) [two](  JaVaScRiPt:window.pwned=1) [three](data:text/html,<script>1</script>)
[four](https://example.com/ "x\\" onmouseover=\\"window.pwned=1")
![pixel](https://tracker.example/pixel.gif)

\`\`\`"><img src=x onerror=window.pwned=1>
</code></pre><script>window.pwned = 1</script>
\`\`\`

| <b onclick=window.pwned=1>x</b> |
| --- |
| <style>body { display: none }</style> |

The end of the hostile message`;

const WIDE = `https://example.com/${"long".repeat(60)}

${"A".repeat(300)}

| ${"a column | ".repeat(12)}
| ${"--- | ".repeat(12)}
| ${"some text | ".repeat(12)}

\`\`\`
${"a very long line of code ".repeat(12)}
\`\`\`

The end of the wide message`;

/** One red pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==",
  "base64",
);

/** A gateway, a browser, and somebody at the command line. */
class House implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #stateDir: string;
  #running: RunningGateway;
  operator: TestClient;

  static async open(): Promise<House> {
    const stateDir = await Deno.makeTempDir({ prefix: "openclaw-web-" });
    await Deno.writeTextFile(
      `${stateDir}/openclaw.json`,
      // Nothing else that runs on the developer's machine may answer in the demo's place.
      JSON.stringify({ agents: { defaults: { model: { primary: "demo/demo" } } } }),
    );
    const running = await serve(stateDir, 0);
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
    });
    const operator = await connectTo(`ws://127.0.0.1:${running.server.addr.port}`);
    return new House(browser, { running, stateDir, operator });
  }

  private constructor(
    browser: Browser,
    { running, stateDir, operator }: {
      running: RunningGateway;
      stateDir: string;
      operator: TestClient;
    },
  ) {
    this.#browser = browser;
    this.#running = running;
    this.#stateDir = stateDir;
    this.operator = operator;
  }

  get ws(): string {
    return `ws://127.0.0.1:${this.#running.server.addr.port}`;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#running.server.addr.port}${path}`;
  }

  /** A browser of its own, at an address. Disposing of it fails if the page complained. */
  async visit(
    options: BrowserContextOptions,
    path: string,
    { expectNetworkErrors = false } = {},
  ): Promise<Visit> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      if (expectNetworkErrors && /WebSocket connection|ERR_/.test(message.text())) return;
      complaints.push(message.text());
    });
    await page.goto(this.url(path));
    return {
      page,
      async [Symbol.asyncDispose]() {
        await context.close();
        deepStrictEqual(complaints, []);
      },
    };
  }

  async signIn(
    options: BrowserContextOptions,
    expected?: { expectNetworkErrors: boolean },
  ): Promise<Visit> {
    const visit = await this.visit(options, `/#token=${TOKEN}`, expected);
    await connected(visit.page);
    return visit;
  }

  /** Stops the gateway and starts it again; in between it is elsewhere, where the page can't hear. */
  async restart(meanwhile: (operator: TestClient) => Promise<void>): Promise<void> {
    const { port } = this.#running.server.addr;
    await this.operator[Symbol.asyncDispose]();
    await this.#running[Symbol.asyncDispose]();
    {
      await using elsewhere = await serve(this.#stateDir, 0);
      await using operator = await connectTo(`ws://127.0.0.1:${elsewhere.server.addr.port}`);
      await meanwhile(operator);
    }
    this.#running = await serve(this.#stateDir, port);
    this.operator = await connectTo(this.ws);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.operator[Symbol.asyncDispose]();
    await this.#browser.close();
    await this.#running[Symbol.asyncDispose]();
    await Deno.remove(this.#stateDir, { recursive: true });
  }
}

interface Visit extends AsyncDisposable {
  readonly page: Page;
}

function serve(stateDir: string, port: number): Promise<RunningGateway> {
  return start({
    stateDir,
    configPath: `${stateDir}/openclaw.json`,
    port,
    defaultPort: 0,
    token: TOKEN,
    verbose: false,
    force: false,
    dev: false,
    allowUnconfigured: true,
    colour: false,
    env: {},
  }, () => {});
}

async function connected(page: Page): Promise<void> {
  await page.locator("#message, .devices").first().waitFor();
  await page.locator(".status[data-state=connected]").waitFor({ state: "attached" });
}

async function newConversation(page: Page): Promise<void> {
  await page.getByRole("button", { name: "New conversation" }).click();
  await page.getByText("What is on your mind?").waitFor();
}

async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
  await page.locator(".user .bubble", { hasText: text }).last().waitFor();
}

/** The newest message is an answer, and it is complete. */
async function answered(page: Page): Promise<void> {
  await page.locator(".messages > .answer:last-child footer .model").waitFor();
}

async function choose(page: Page, item: string): Promise<void> {
  await page.getByRole("button", { name: "What to do with this conversation" }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

function keyOf(page: Page): string {
  return new URL(page.url()).searchParams.get("session") ?? "main";
}

async function focused(page: Page): Promise<string> {
  return String(
    await page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.className"),
  );
}

/** Nothing sticks out sideways, neither of the page nor of its scrolling parts. */
async function fits(page: Page): Promise<void> {
  const overhang = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll(".conversation, .devices, .sessions")]
      .map((part) => part.scrollWidth - part.clientWidth)
  );
  deepStrictEqual(overhang.filter((pixels) => pixels > 0), []);
}

/** Waits until a part is seen, and sees that it is where it belongs. */
async function liesWithin(whole: Locator, part: Locator): Promise<void> {
  await part.waitFor();
  const [outer, inner] = [await whole.boundingBox(), await part.boundingBox()];
  ok(outer !== null && inner !== null);
  ok(inner.y >= outer.y && inner.y + inner.height <= outer.y + outer.height, "it is elsewhere");
  ok(inner.x >= outer.x && inner.x + inner.width <= outer.x + outer.width, "it sticks out");
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
