import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { toMrkdwn } from "./markdown.ts";

for (
  const [markdown, mrkdwn] of [
    ["plain", "plain"],
    ["**bold** and *italic* and ~~gone~~ and `code`", "*bold* and _italic_ and ~gone~ and `code`"],
    ["***both***", "_*both*_"],
    ["# Title\n\ntext", "*Title*\n\ntext"],
    ["## **Title**", "*Title*"],
    ["1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"],
    ["AT&amp;T &lt;b&gt;", "AT&amp;T &lt;b&gt;"],
    ["`a < b && c`", "`a &lt; b &amp;&amp; c`"],
    ["```ts\nif (a < b) {}\n```", "```\nif (a &lt; b) {}\n```"],
    ["[the page](https://example.com/?a=1&b=2)", "<https://example.com/?a=1&amp;b=2|the page>"],
    ["[a|b](https://example.com/a|b)", "<https://example.com/a%7Cb|a¦b>"],
    ["https://example.com/x", "<https://example.com/x>"],
    ["[x](javascript:alert)", "x (javascript:alert)"],
    ["![a cat](https://example.com/cat.png)", "<https://example.com/cat.png|a cat>"],
    ["- one\n- two\n  - deep\n- three", "• one\n• two\n    ◦ deep\n• three"],
    ["3. three\n4. four", "3. three\n4. four"],
    ["- [x] done\n- [ ] open", "• ☑ done\n• ☐ open"],
    ["> said\n> twice", "> said\n> twice"],
    ["a\n\n---\n\nb", `a\n\n${"─".repeat(12)}\n\nb`],
    ["| a | b |\n|---|--:|\n| x | 10 |", "```\na |  b\n--|---\nx | 10\n```"],
    [
      "|a|\n|-|\n|[x](https://e.org/?a&b)|",
      "```\na\n" + "-".repeat(22) + "\nx (https://e.org/?a&amp;b)\n```",
    ],
    ["foo**bar**baz", "foo\u200b*bar*\u200bbaz"],
    ["`a`. **b**, (*c*)", "`a`. *b*, (_c_)"],
    ["one\ntwo", "one\ntwo"],
    ["hello <@U0G9QF9C6> in <#C9ABCDEFG>", "hello <@U0G9QF9C6> in <#C9ABCDEFG>"],
    ["`<@U0G9QF9C6>`", "`&lt;@U0G9QF9C6&gt;`"],
    ["<!channel> <!here|x> <!subteam^S1>", "&lt;!channel&gt; &lt;!here|x&gt; &lt;!subteam^S1&gt;"],
    ["@here @channel @everyone", "@\u200bhere @\u200bchannel @\u200beveryone"],
    ["[<!here>](https://example.com)", "<https://example.com|&lt;!here&gt;>"],
    ["[x](<!here>)", "x (!here)"],
  ] as const
) {
  Deno.test(`mrkdwn of ${JSON.stringify(markdown)}`, () => {
    strictEqual(toMrkdwn(markdown), mrkdwn);
  });
}

Deno.test("what is nested beyond reason is shown as it is written", () => {
  const shown = toMrkdwn("> ".repeat(10_000) + "<x>");
  ok(shown === "> ".repeat(16) + "&gt; ".repeat(10_000 - 16) + "&lt;x&gt;");
});

Deno.test("what nothing would be seen of is shown as it is written", () => {
  strictEqual(toMrkdwn("[a]: https://e.com/ <!here>\n"), "[a]: <https://e.com/> &lt;!here&gt;");
});

Deno.test("whatever is written, nobody but people and channels is called", () => {
  const piece = fc.oneof(
    fc.constantFrom("<", ">", "!", "@", "here", "channel", "|", "`", "```", "\n", "[", "](", ")"),
    fc.constantFrom("<!here>", "<!channel|x>", "&lt;", "*", "_", "https://e.com/", "#", "- ", "\\"),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
    const shown = toMrkdwn(pieces.join(""));
    for (const [, inside = ""] of shown.matchAll(/<([^<>]*)>/g)) {
      ok(/^(@[UW]|#C|https?:|mailto:|tel:|slack:)/i.test(inside), inside);
    }
    deepStrictEqual(
      shown.match(/@(here|channel|everyone)\b/g)?.filter((call) => !inCode(shown, call)) ?? [],
      [],
    );
  }));
});

/** Whether a call stands only where nothing is called. */
function inCode(text: string, call: string): boolean {
  const outside = text.replace(/```[\s\S]*?```|`[^`]*`|<[^>]*>/g, "");
  return !outside.includes(call);
}
