import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { headLength, readHead, type RequestHead, UPGRADE_MARK } from "./guard_head.ts";
import { BAD_REQUEST, type Refusal, UNKNOWN_CODING, UNKNOWN_VERSION } from "./guard_refusal.ts";

const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const textOf = (bytes: Uint8Array) => String.fromCharCode(...bytes);

/** What becomes of a head; the string form of an accepted one. */
function read(text: string): Refusal | RequestHead {
  const bytes = bytesOf(text);
  const length = headLength(bytes, 0);
  strictEqual(length > 0, true, "the head has no end");
  return readHead(bytes.subarray(0, length), "me");
}

function accepted(text: string): RequestHead {
  const head = read(text);
  ok(!("status" in head), `${JSON.stringify(text)} is refused`);
  return head;
}

Deno.test("readHead passes a head on with the private header at its end", () => {
  const head = accepted("GET /a?b=c HTTP/1.1\r\nHost: x:1\r\nAccept: */*\r\n\r\n");
  strictEqual(head.isUpgrade, false);
  strictEqual(head.body, 0);
  strictEqual(
    textOf(head.bytes),
    "GET /a?b=c HTTP/1.1\r\nHost: x:1\r\nAccept: */*\r\nx-openclaw-guard-peer: me\r\n\r\n",
  );
});

Deno.test("readHead strips every copy of the private header that a client sent", () => {
  const head = accepted(
    "GET / HTTP/1.1\r\nX-OpenClaw-Guard-Peer: a\r\nHost: x\r\nx-openclaw-guard-peer:b\r\n" +
      "X-OPENCLAW-GUARD-PEER: \tc\r\nX-OpenClaw-Guard-Peers: d\r\n\r\n",
  );
  strictEqual(
    textOf(head.bytes),
    "GET / HTTP/1.1\r\nHost: x\r\nX-OpenClaw-Guard-Peers: d\r\nx-openclaw-guard-peer: me\r\n\r\n",
  );
});

Deno.test("readHead knows a request for a WebSocket in any case and order", () => {
  for (const upgrade of ["upgrade: websocket", "UPGRADE: WebSocket", "Upgrade: h2c, websocket"]) {
    const head = accepted(`GET / HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n\r\n`);
    strictEqual(head.isUpgrade, true);
    ok(textOf(head.bytes).endsWith(`x-openclaw-guard-peer: me${UPGRADE_MARK}\r\n\r\n`));
  }
  strictEqual(accepted("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n\r\n").isUpgrade, false);
});

Deno.test("readHead finds how the body comes", () => {
  const bodyOf = (line: string) => accepted(`POST / HTTP/1.1\r\nHost: x\r\n${line}\r\n\r\n`).body;
  strictEqual(bodyOf("Content-Length: 12"), 12);
  strictEqual(bodyOf("content-length:\t 0012 \t"), 12);
  strictEqual(bodyOf("TRANSFER-ENCODING: Chunked"), "chunked");
});

const start = "POST / HTTP/1.1\r\nHost: x\r\n";
/** Each with its refusal; without one where `headLength` sees it already. */
const refused: readonly (readonly [head: string, refusal?: Refusal])[] = [
  // two programs could disagree on where the body ends
  [`${start}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, BAD_REQUEST],
  [`${start}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n`, BAD_REQUEST],
  [`${start}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, BAD_REQUEST],
  [`${start}Content-Length: 1\r\ncontent-length: 1\r\n\r\n`, BAD_REQUEST],
  [`${start}Content-Length: 1, 1\r\n\r\n`, BAD_REQUEST],
  [`${start}Content-Length: +1\r\n\r\n`, BAD_REQUEST],
  [`${start}Content-Length: -1\r\n\r\n`, BAD_REQUEST],
  [`${start}Content-Length: 0x1\r\n\r\n`, BAD_REQUEST],
  [`${start}Content-Length: 1 1\r\n\r\n`, BAD_REQUEST],
  [`${start}Content-Length: \r\n\r\n`, BAD_REQUEST],
  [`${start}Content-Length: 1e3\r\n\r\n`, BAD_REQUEST],
  [`${start}Content-Length: 1234567890123456\r\n\r\n`, BAD_REQUEST],
  [`${start}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`, BAD_REQUEST],
  [`${start}Transfer-Encoding: gzip, chunked\r\n\r\n`, UNKNOWN_CODING],
  [`${start}Transfer-Encoding: identity\r\n\r\n`, UNKNOWN_CODING],
  [`${start}Transfer-Encoding: xchunked\r\n\r\n`, UNKNOWN_CODING],
  [`${start}Transfer-Encoding:\r\n\r\n`, UNKNOWN_CODING],
  ["POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", BAD_REQUEST],
  [`${start}Upgrade: websocket\r\nContent-Length: 5\r\n\r\n`, BAD_REQUEST],
  [`${start}Upgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n`, BAD_REQUEST],
  // or on where a header ends
  [`${start}Content-Length : 1\r\n\r\n`, BAD_REQUEST],
  [`${start}Transfer-Encoding\t: chunked\r\n\r\n`, BAD_REQUEST],
  [`${start} Content-Length: 1\r\n\r\n`, BAD_REQUEST],
  [`${start}X: a\r\n b\r\n\r\n`, BAD_REQUEST],
  [`${start}X: a\r\n\tContent-Length: 1\r\n\r\n`, BAD_REQUEST],
  [`${start}no colon\r\n\r\n`, BAD_REQUEST],
  [`${start}: no name\r\n\r\n`, BAD_REQUEST],
  [`${start}N\xe4me: 1\r\n\r\n`, BAD_REQUEST],
  [`${start}Na(me): 1\r\n\r\n`, BAD_REQUEST],
  // or on whom it is for
  ["GET / HTTP/1.1\r\n\r\n", BAD_REQUEST],
  ["GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", BAD_REQUEST],
  ["GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", BAD_REQUEST],
  ["GET / HTTP/1.1\r\nHost: user@x\r\n\r\n", BAD_REQUEST],
  ["GET / HTTP/1.1\r\nHost: x y\r\n\r\n", BAD_REQUEST],
  ["GET / HTTP/1.1\r\nHost: x\\y\r\n\r\n", BAD_REQUEST],
  ["GET / HTTP/1.1\r\nHost: \xe4\r\n\r\n", BAD_REQUEST],
  ["GET / HTTP/1.1\r\nHost: x:99999\r\n\r\n", BAD_REQUEST],
  ["GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", BAD_REQUEST],
  ["GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST],
  // or on what it asks
  ["\0ET / HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["G\xcbT / HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["GET  / HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["GET /  HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["GET /\xe4 HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["GET /\r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["GET / HTTP/1.1 \r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["GET / http/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["GET / HTTP/1.10\r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["GET / HTTP/0.9\r\nHost: x\r\n\r\n", UNKNOWN_VERSION],
  ["PRI /* HTTP/2.0\r\n\r\n", UNKNOWN_VERSION],
  ["PRI * HTTP/2.0\r\n\r\n", BAD_REQUEST],
  // line ends and characters that some programs take for others
  ["GET / HTTP/1.1\nHost: x\n\n"],
  [`${start}X: a\n\r\n`],
  [`${start}X: a\rY: b\r\n\r\n`],
  [`${start}X: a\r\r\n\r\n`],
  [`${start}X: a\0b\r\n\r\n`],
  [`${start}X: a\x0bb\r\n\r\n`],
  [`${start}X: a\x7fb\r\n\r\n`],
  ["\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST],
  ["\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"],
];

Deno.test("A head that two programs could read differently is refused", () => {
  for (const [text, refusal] of refused) {
    if (refusal === undefined) strictEqual(headLength(bytesOf(text), 0), -1, JSON.stringify(text));
    else deepStrictEqual(read(text), refusal, JSON.stringify(text));
  }
});

Deno.test("A head may come without a host in HTTP/1.0, and with an empty one", () => {
  accepted("GET / HTTP/1.0\r\n\r\n");
  accepted("GET / HTTP/1.1\r\nHost:\r\n\r\n");
  accepted("GET / HTTP/1.1\r\nHost: [::1]:18789\r\n\r\n");
});

Deno.test("headLength finds the same end however the bytes are cut", () => {
  const piece = fc.constantFrom(
    "\r",
    "\n",
    "\r\n",
    "\r\n\r\n",
    "a",
    "GET / HTTP/1.1\r\n",
    "\0",
    "\t",
  );
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => bytesOf(pieces.join(""))),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (bytes, cuts) => {
        let length = 0;
        let seen = 0;
        for (let cut = 0; seen < bytes.length && length === 0; cut++) {
          const end = Math.min(bytes.length, seen + cuts[cut % cuts.length]!);
          length = headLength(bytes.subarray(0, end), seen);
          seen = end;
        }
        strictEqual(length, headLength(bytes, 0));
      },
    ),
    { numRuns: 1_000 },
  );
});

Deno.test("readHead accepts only what is well-formed, whatever comes", () => {
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
  const name = fc.oneof(
    token,
    fc.constantFrom(
      "Host",
      "Content-Length",
      "Transfer-Encoding",
      "Upgrade",
      "X-OpenClaw-Guard-Peer",
    ),
  );
  const value = fc.oneof(
    fc.stringMatching(/^[\x20-\x7e]{0,20}$/),
    fc.constantFrom("chunked", "5", "websocket", "x", "a, b"),
  );
  const line = fc.tuple(name, fc.constantFrom(":", ": ", " :", ":\t", ""), value)
    .map((parts) => parts.join(""));
  const first = fc.oneof(
    fc.constantFrom("GET / HTTP/1.1", "POST /a HTTP/1.1", "GET / HTTP/1.0", "GET / HTTP/2.0"),
    fc.stringMatching(/^[\x20-\x7e]{0,30}$/),
  );
  const head = fc.tuple(first, fc.array(line, { maxLength: 8 }), fc.boolean())
    .map(([first, lines, hasHost]) =>
      [first, ...(hasHost ? ["Host: x"] : []), ...lines, "", ""].join("\r\n")
    );
  fc.assert(
    fc.property(head, (text) => {
      const bytes = bytesOf(text);
      const length = headLength(bytes, 0);
      if (length <= 0) return;
      const head = readHead(bytes.subarray(0, length), "me");
      if ("status" in head) return;
      const [first = "", ...lines] = textOf(head.bytes).slice(0, -4).split("\r\n");
      ok(/^[^\s]+ \/[\x21-\x7e]* HTTP\/1\.[01]$/.test(first), first);
      const headers = lines.map((line) => {
        const [, name = "", value = ""] = /^([^\s:]+):[ \t]*(.*)$/.exec(line) ?? [];
        ok(name !== "", `${JSON.stringify(line)} is no header`);
        return [name.toLowerCase(), value.trimEnd()] as const;
      });
      const valuesOf = (name: string) =>
        headers.filter(([n]) => n === name).map(([, value]) => value);
      deepStrictEqual(valuesOf("x-openclaw-guard-peer"), [
        head.isUpgrade ? `me${UPGRADE_MARK}` : "me",
      ]);
      const lengths = valuesOf("content-length");
      const codings = valuesOf("transfer-encoding");
      ok(lengths.length + codings.length <= 1);
      strictEqual(head.body, codings.length > 0 ? "chunked" : Number(lengths[0] ?? 0));
      ok(valuesOf("host").length <= 1);
    }),
    { numRuns: 2_000 },
  );
});
