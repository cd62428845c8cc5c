/** Reads a request's head so strictly that no two programs could read it differently. */
import { BAD_REQUEST, type Refusal, UNKNOWN_CODING, UNKNOWN_VERSION } from "./guard_refusal.ts";

/** The private header that tells the inner server whose request it is. */
export const PEER_HEADER = "x-openclaw-guard-peer";

/** A well-formed head, as far as the bytes behind it depend on it. */
export interface RequestHead {
  /** The head to pass on: no client's copy of the private header is in it, and ours is. */
  readonly bytes: Uint8Array;
  /** Whether it asks for a WebSocket. Such a request has no body. */
  readonly isUpgrade: boolean;
  /** The body's length in bytes, or that it comes in chunks. */
  readonly body: number | "chunked";
}

/**
 * Looks for the end of the head that starts `bytes`, where the first `seen` bytes were looked at
 * before. Returns how long the head is with its empty line, 0 if more bytes are needed, or -1 as
 * soon as a control character or a line end other than CR LF turns up.
 */
export function headLength(bytes: Uint8Array, seen: number): number {
  for (let at = seen; at < bytes.length; at++) {
    const byte = bytes[at]!;
    const afterCr = at > 0 && bytes[at - 1] === CR;
    if (afterCr !== (byte === LF)) return -1;
    if (byte === LF && at >= 3 && bytes[at - 2] === LF) return at + 1;
    if (byte < 0x20 ? byte !== CR && byte !== LF && byte !== TAB : byte === DELETE) return -1;
  }
  return 0;
}

/**
 * Reads a head that `headLength` has found. `peer` is the value to give the private header;
 * where the request asks for a WebSocket, `UPGRADE_MARK` is added to it.
 */
export function readHead(head: Uint8Array, peer: string): RequestHead | Refusal {
  const lineEnd = head.indexOf(CR);
  const version = readRequestLine(head.subarray(0, lineEnd));
  if (typeof version !== "number") return version;

  const forged: Range[] = [];
  let host: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  let isUpgrade = false;
  for (let at = lineEnd + 2, end = 0; head[at] !== CR; at = end) {
    const colon = nameEnd(head, at);
    if (colon === at || head[colon] !== COLON) return BAD_REQUEST;
    end = head.indexOf(CR, colon) + 2;
    if (isNamed(head, at, colon, "host")) {
      if (host !== undefined) return BAD_REQUEST;
      host = valueOf(head, colon, end);
    } else if (isNamed(head, at, colon, "content-length")) {
      if (length !== undefined) return BAD_REQUEST;
      length = valueOf(head, colon, end);
    } else if (isNamed(head, at, colon, "transfer-encoding")) {
      if (coding !== undefined) return BAD_REQUEST;
      coding = valueOf(head, colon, end).toLowerCase();
    } else if (isNamed(head, at, colon, "upgrade")) {
      isUpgrade ||= valueOf(head, colon, end).toLowerCase().includes("websocket");
    } else if (isNamed(head, at, colon, PEER_HEADER)) {
      forged.push([at, end]);
    }
  }

  if (host === undefined ? version === 1.1 : !isHost(host)) return BAD_REQUEST;
  if (length !== undefined && (coding !== undefined || !/^\d{1,15}$/.test(length))) {
    return BAD_REQUEST;
  }
  if (coding !== undefined) {
    if (version !== 1.1) return BAD_REQUEST;
    if (coding !== "chunked") return UNKNOWN_CODING;
  }
  const body = coding === undefined ? Number(length ?? 0) : "chunked";
  if (isUpgrade && body !== 0) return BAD_REQUEST;
  return {
    bytes: rewritten(head, forged, isUpgrade ? peer + UPGRADE_MARK : peer),
    isUpgrade,
    body,
  };
}

/** Follows the peer's value in the private header of a request that asks for a WebSocket. */
export const UPGRADE_MARK = ";upgrade";

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const SLASH = 47;
const COLON = 58;
const DELETE = 127;

type Range = readonly [from: number, to: number];

const IS_TOKEN = new Uint8Array(256);
for (
  const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
) {
  IS_TOKEN[char.charCodeAt(0)] = 1;
}

const ascii = new TextDecoder("latin1");
const encoder = new TextEncoder();

function readRequestLine(line: Uint8Array): 1.0 | 1.1 | Refusal {
  const method = nameEnd(line, 0);
  const target = line.indexOf(SPACE, method + 1);
  // Only a path: nothing here is a proxy, and Deno.serve would take its host from a whole URL.
  if (method === 0 || line[method] !== SPACE || line[method + 1] !== SLASH) return BAD_REQUEST;
  if (target < 0 || !isVisible(line, method + 1, target)) return BAD_REQUEST;
  const version = ascii.decode(line.subarray(target + 1));
  if (version === "HTTP/1.1") return 1.1;
  if (version === "HTTP/1.0") return 1.0;
  return /^HTTP\/\d\.\d$/.test(version) ? UNKNOWN_VERSION : BAD_REQUEST;
}

/** Where the run of name characters ends that starts at `from`. */
function nameEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && IS_TOKEN[bytes[at]!] === 1) at++;
  return at;
}

function isVisible(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (bytes[at]! <= SPACE || bytes[at]! >= DELETE) return false;
  }
  return true;
}

/** Whether the header name, known to be a token, is `name` in any case. */
function isNamed(head: Uint8Array, from: number, to: number, name: string): boolean {
  if (to - from !== name.length) return false;
  for (let at = 0; at < name.length; at++) {
    if ((head[from + at]! | 0x20) !== name.charCodeAt(at)) return false;
  }
  return true;
}

/** The header's value without the blanks around it. */
function valueOf(head: Uint8Array, colon: number, end: number): string {
  let from = colon + 1;
  let to = end - 2;
  while (from < to && isBlank(head[from]!)) from++;
  while (from < to && isBlank(head[to - 1]!)) to--;
  return ascii.decode(head.subarray(from, to));
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** Whether a URL can be built with it, and it can't reach out of its place in that URL. */
function isHost(host: string): boolean {
  return host === "" || /^(?:(?![/?#@\\])[!-~])+$/.test(host) && URL.canParse(`http://${host}`);
}

/** The head without the ranges in `forged`, and with the private header. */
function rewritten(head: Uint8Array, forged: readonly Range[], peer: string): Uint8Array {
  const ours = `${PEER_HEADER}: ${peer}\r\n\r\n`;
  const bytes = new Uint8Array(head.length - 2 + ours.length);
  let size = 0;
  let kept = 0;
  for (const [from, to] of [...forged, [head.length - 2, head.length] as const]) {
    bytes.set(head.subarray(kept, from), size);
    size += from - kept;
    kept = to;
  }
  const { written } = encoder.encodeInto(ours, bytes.subarray(size));
  return bytes.subarray(0, size + written);
}
