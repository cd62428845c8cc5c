import { deepStrictEqual } from "node:assert/strict";
import { remedy } from "./finding.ts";
import { strangerFindings } from "./strangers.ts";

function found(channels: unknown): readonly (readonly [string, string])[] {
  return [...strangerFindings({ channels })].map(({ checkId, mend }) =>
    [checkId, mend === undefined ? "" : remedy(mend)] as const
  );
}

Deno.test("networks on which only those who were asked in may talk are as they should be", () => {
  deepStrictEqual(
    found({
      telegram: { dmPolicy: "pairing", groupPolicy: "allowlist", allowFrom: ["1"] },
      discord: { dm: { policy: "allowlist", allowFrom: ["2"] } },
      slack: { enabled: false, dmPolicy: "open", groupPolicy: "open" },
      signal: true,
    }),
    [],
  );
  deepStrictEqual(found(undefined), []);
});

Deno.test("open direct messages are found in each of the ways in which they can be said", () => {
  deepStrictEqual(
    found({
      a: { dmPolicy: "open" },
      b: { dmPolicy: "open", allowFrom: ["*"] },
      c: { dmPolicy: "allowlist", allowFrom: ["1", "*"] },
      d: { dm: { policy: "open", allowFrom: ["*"] } },
    }),
    [
      ["channels.a.dm.open", "openclaw config set channels.a.dmPolicy pairing"],
      [
        "channels.b.dm.open",
        "openclaw config set channels.b.dmPolicy pairing && openclaw config unset channels.b.allowFrom",
      ],
      ["channels.c.dm.open", `openclaw config set channels.c.allowFrom '["1"]'`],
      [
        "channels.d.dm.open",
        "openclaw config set channels.d.dm.policy pairing && " +
        "openclaw config unset channels.d.dm.allowFrom",
      ],
    ],
  );
});

Deno.test("open groups are found, also of one account among several", () => {
  deepStrictEqual(
    found({
      a: { groupPolicy: "open" },
      b: { accounts: { work: { groupPolicy: "open" }, off: { enabled: false, dmPolicy: "open" } } },
      c: { groupAllowFrom: ["*"] },
    }),
    [
      ["channels.a.groups.open", "openclaw config set channels.a.groupPolicy allowlist"],
      [
        "channels.b.groups.open",
        "openclaw config set channels.b.accounts.work.groupPolicy allowlist",
      ],
      ["channels.c.groups.everybody", "list the members' ids in channels.c.groupAllowFrom"],
    ],
  );
});
