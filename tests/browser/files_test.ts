/** What is sent along with words: chosen, dropped or pasted. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  answered,
  ask,
  DESKTOP,
  fits,
  inNewConversation,
  liesWithin,
  PHONE,
  signedIn,
  tell,
} from "./house.ts";

/** One red pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==",
  "base64",
);

tell("the page and files", {
  "a picture can be added, removed and sent": inNewConversation(async (page) => {
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
  }),

  "what was said beside a long file is still there after a reload": inNewConversation(
    async (page) => {
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
  ),

  "what was chosen to be sent waits with its words while one is elsewhere": inNewConversation(
    async (page) => {
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
  ),

  "a file that is dropped goes into the message, or nowhere, and a text where it is let go":
    inNewConversation(async (page) => {
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
    }),

  "a picture is pasted as one, and a text as a text that has a picture of itself":
    inNewConversation(async (page) => {
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
    }),

  "a message is not sent before the files in it are read": inNewConversation(async (page) => {
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
  }),

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

  "many files with long names leave room to write and to send on a phone": signedIn(
    async (page) => {
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
    PHONE,
  ),
});
