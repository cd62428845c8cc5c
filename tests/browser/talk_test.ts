/** What is asked, and what is shown of the answer. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  answered,
  ask,
  connected,
  inNewConversation,
  keyOf,
  newConversation,
  signedIn,
  tell,
} from "./house.ts";

tell("the page in a conversation", {
  "an answer is seen while it is written, says who wrote it, and survives a reload": signedIn(
    async (page) => {
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
  ),

  "a tool is shown with what went in and what came out": inNewConversation(async (page) => {
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
  }),

  "thoughts are folded away": inNewConversation(async (page) => {
    await ask(page, "think about crabs");
    await answered(page);
    const thought = page.getByText("The question is about crabs");
    strictEqual(await thought.isVisible(), false);
    await page.locator(".thinking summary").last().click();
    await thought.waitFor();
  }),

  "a run can be stopped, and what was said stays": inNewConversation(async (page) => {
    await ask(page, "count to 1000");
    await page.locator(".live .prose").getByText("1 2 3").waitFor();
    await page.getByRole("button", { name: "Stop the agent" }).click();
    await page.locator(".answer footer").getByText("Stopped").waitFor();
    const answer = await page.locator(".answer .prose").last().innerText();
    ok(answer.includes("1 2 3") && !answer.includes("1000"));
    await page.getByRole("button", { name: "Send" }).waitFor();
  }),

  "what is sent while the agent works waits its turn": inNewConversation(async (page) => {
    await ask(page, "count to 60");
    await page.locator(".live .prose").waitFor();
    await ask(page, "echo second");
    await page.locator(".answer .prose").getByText("second", { exact: true }).waitFor();
    deepStrictEqual(await page.locator(".bubble").allInnerTexts(), ["count to 60", "echo second"]);
  }),

  "nothing in an answer runs, loads or leads astray": signedIn(async (page, house) => {
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
  }),

  "commands are offered and carried out": inNewConversation(async (page) => {
    await page.getByLabel("Message", { exact: true }).pressSequentially("/st");
    await page.getByRole("option", { name: /\/status/ }).waitFor();
    await page.keyboard.press("Tab");
    strictEqual(await page.getByLabel("Message", { exact: true }).inputValue(), "/status");
    await page.keyboard.press("Enter");
    await page.locator(".answer").getByText("OpenClaw gateway").waitFor();
  }),

  "the model and its thinking are chosen for one conversation": inNewConversation(async (page) => {
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
  }),

  "a model that could not be chosen is not shown as chosen": inNewConversation(
    async (page, house) => {
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
  ),

  "Enter that ends a word of an input method sends nothing": inNewConversation(async (page) => {
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
  }),
});

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
