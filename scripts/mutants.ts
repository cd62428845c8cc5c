/**
 * Breaks one rule of trust at a time, in a copy of the program, and sees whether a test notices:
 * `deno run -A scripts/mutants.ts [words of a rule]`. Exits 1 where none does.
 */

/** A rule, and how it would look if somebody broke it. */
interface Mutant {
  readonly rule: string;
  readonly file: string;
  /** Stands there exactly once. */
  readonly before: string;
  readonly after: string;
}

const MUTANTS: readonly Mutant[] = [
  {
    rule: "a scope that was not granted allows nothing",
    file: "src/device.ts",
    before: "if (granted.has(scope)) return true;",
    after: "return true;",
  },
  {
    rule: "nodes call methods of nodes, operators those of operators",
    file: "src/gateway/access.ts",
    before: `if ((access === "node") !== (caller.role === "node") && !(access === "anyone")) {`,
    after: "if (Math.random() < 0) {",
  },
  {
    rule: "an event is heard by those who hold its scope",
    file: "src/gateway/access.ts",
    before: "  return allows(caller.scopes, access);\n}",
    after: "  return true;\n}",
  },
  {
    rule: "local is who connects from this machine, and not who names it",
    file: "src/server/locality.ts",
    before: "const local = direct && isLoopback(peer) && LOOPBACK_NAME.test(name);",
    after: "const local = LOOPBACK_NAME.test(name);",
  },
  {
    rule: "a page of another origin is refused",
    file: "src/server/locality.ts",
    before: "return isAllowed ? { ...from, origin, sameOrigin } : { refused: ORIGIN };",
    after: "return isAllowed ? { ...from, origin, sameOrigin } : { ...from, origin, sameOrigin };",
  },
  {
    rule: "the origin null is nobody's, even where it is listed",
    file: "src/server/locality.ts",
    before: `.filter((origin) => origin !== "null" && origin !== "*");`,
    after: ";",
  },
  {
    rule: "a name that is not ours is refused",
    file: "src/server/locality.ts",
    before: "if (name === undefined || !(isProxy ? allowedNames.has(name) : isOurName(name))) {",
    after: "if (name === undefined) {",
  },
  {
    rule: "a proxy is believed by its secret, and not by its address alone",
    file: "src/server/locality.ts",
    before:
      `if (secret !== undefined) return sameText(headers.get(secret.header) ?? "", secret.value);`,
    after: "if (secret !== undefined) return headers.has(secret.header);",
  },
  {
    rule: "a signature is good for one challenge",
    file: "src/device.ts",
    before: `if (!sameText(shown, nonce)) return { fault: "device-nonce-mismatch" };`,
    after: "",
  },
  {
    rule: "a signature grows stale",
    file: "src/device.ts",
    before: "Math.abs(now - proof.signedAt) > MAX_SKEW_MS",
    after: "proof.signedAt > now + MAX_SKEW_MS",
  },
  {
    rule: "a device's id is that of its key",
    file: "src/device.ts",
    before: `if (!sameText(deviceIdOf(key), proof.id)) return { fault: "device-id-mismatch" };`,
    after: "",
  },
  {
    rule: "a device token is good for its role",
    file: "src/gateway/pairing.ts",
    before:
      "const kept = this.#devices.get(deviceId)?.tokens[role];\n    if (kept === undefined ||",
    after: "const { tokens = {} } = this.#devices.get(deviceId) ?? {};\n" +
      "    const kept = Object.values(tokens).find((any) => any.token === token) ?? tokens[role];\n" +
      "    if (kept === undefined ||",
  },
  {
    rule: "a token that was revoked opens nothing",
    file: "src/gateway/pairing.ts",
    before: "if (kept === undefined || kept.revokedAtMs !== undefined) return false;",
    after: "if (kept === undefined) return false;",
  },
  {
    rule: "a setup code is used up by its use",
    file: "src/gateway/setup_codes.ts",
    before: "if (found === undefined || found.completion !== undefined) return false;",
    after: "if (found === undefined) return false;",
  },
  {
    rule: "a setup code gives what it was made for",
    file: "src/gateway/setup_codes.ts",
    before: "if (!profile.roles.includes(role) || !covers(profile.scopes, scopes)) return false;",
    after: "if (!profile.roles.includes(role)) return false;",
  },
  {
    rule: "a token is not rotated beyond what its device was approved for",
    file: "src/gateway/pairing.ts",
    before: "if (token.revokedAtMs !== undefined || !covers(device.scopes, wanted)) {",
    after: "if (token.revokedAtMs !== undefined) {",
  },
  {
    rule: "nobody approves more than they hold",
    file: "src/gateway/methods/devices.ts",
    before: "requireHeld(caller, request);",
    after: "",
  },
  {
    rule: "a device that came by its token sees to itself alone",
    file: "src/gateway/authority.ts",
    before:
      `if (isConfined(caller) && caller.deviceId !== deviceId) requireScope(caller, "operator.admin");`,
    after: "",
  },
  {
    rule: "who approves commands of a node may use them",
    file: "src/gateway/methods/nodes.ts",
    before: "requireScopes(caller, requiredApproveScopes);",
    after: "",
  },
  {
    rule: "without a device one acts from this machine only",
    file: "src/server/handshake.ts",
    before: "(device !== undefined || isOwnerHere(visitor)) ? asked : [];",
    after: "asked !== undefined ? asked : [];",
  },
  {
    rule: "presence on this machine approves no page of another's",
    file: "src/server/handshake.ts",
    before: "return local && (origin === undefined || sameOrigin);",
    after: "return local && (origin === undefined || !sameOrigin || sameOrigin);",
  },
  {
    rule: "a path that seems to be another one is refused",
    file: "src/server/server.ts",
    before: `if (isDisguised(path)) return { refused: "path not allowed" };`,
    after: "",
  },
  {
    rule: "a route answers its verbs and no other",
    file: "src/server/server.ts",
    before: "if (!verbs.includes(request.method)) {",
    after: "if (verbs.length === 0) {",
  },
  {
    rule: "only networks come past the judge",
    file: "src/server/routes.ts",
    before: `return name !== undefined && ROUTES[name].admits === "proves itself";`,
    after: "return name !== undefined;",
  },
  {
    rule: "a device that was removed is told to go",
    file: "src/gateway/gateway.ts",
    before: "if (caller.deviceId === deviceId) close(4001, `client invalidated: ${why}`);",
    after: "",
  },
  {
    rule: "a connection that showed a secret ends when the secret changes",
    file: "src/server/connection.ts",
    before: `this.close(4001, "gateway auth changed");`,
    after: "",
  },
];

/** The tests that must notice. */
const TESTS = [
  "tests/policy_test.ts",
  "tests/door_policy_test.ts",
  "tests/attacks",
  "tests/phone_test.ts",
  "src/gateway/methods/devices_test.ts",
];
const COPIED = ["deno.json", "deno.lock", "main.ts", "schemas", "src", "tests", "scripts"];
/** Longer than all of the tests together take; one that hangs has noticed as well. */
const TIMEOUT_MS = 180_000;

if (import.meta.main) {
  const words = Deno.args.join(" ");
  const mutants = MUTANTS.filter(({ rule }) => rule.includes(words));
  const root = new URL("../", import.meta.url);
  const copy = await Deno.makeTempDir({ prefix: "openclaw-mutants-" });
  let survivors = 0;
  try {
    for (const name of COPIED) await run(["cp", "-R", new URL(name, root).pathname, copy]);
    for (const mutant of mutants) await whole(copy, mutant);
    if (!(await passes(copy)).passed) throw new Error("Cannot begin: the tests fail as it is");
    for (const mutant of mutants) {
      const { passed, by } = await broken(copy, mutant);
      if (passed) survivors++;
      console.log(`${passed ? "SURVIVED" : "noticed "}  ${mutant.rule}${by && `: ${by}`}`);
    }
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
  console.log(`${mutants.length - survivors} of ${mutants.length} were noticed`);
  if (survivors > 0) Deno.exit(1);
}

interface Outcome {
  readonly passed: boolean;
  /** The test that noticed. */
  readonly by: string;
}

/** What the tests say of a program with one rule broken; then mends it. */
async function broken(copy: string, mutant: Mutant): Promise<Outcome> {
  const path = `${copy}/${mutant.file}`;
  const text = await whole(copy, mutant);
  await Deno.writeTextFile(path, text.replace(mutant.before, () => mutant.after));
  try {
    return await passes(copy);
  } finally {
    await Deno.writeTextFile(path, text);
  }
}

/** The file of a rule that is not broken; rejects where the rule is not to be found in it. */
async function whole(copy: string, { rule, file, before }: Mutant): Promise<string> {
  const text = await Deno.readTextFile(`${copy}/${file}`);
  if (text.split(before).length === 2) return text;
  throw new Error(`Cannot break '${rule}': its line is not in ${file}, or more than once`);
}

async function passes(cwd: string): Promise<Outcome> {
  const flags = ["-A", "--no-check", "--fail-fast", "--sanitize-ops", "--sanitize-resources"];
  const { success, text } = await run([Deno.execPath(), "test", ...flags, ...TESTS], cwd);
  // A program that does not load proves nothing.
  if (/SyntaxError|ReferenceError/.test(text)) throw new Error(`Cannot load it: ${text}`);
  const by = /^(.*) \.\.\. .*FAILED/m.exec(text)?.[1] ?? "";
  return { passed: success, by };
}

async function run(
  [program = "", ...args]: readonly string[],
  cwd?: string,
): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    ...(cwd === undefined ? {} : { cwd }),
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).output();
  return { success, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}
