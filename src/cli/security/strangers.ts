/** Who may talk to the agent by a messaging network without having been asked in. */
import { at } from "../config_file.ts";
import { listStep, texts } from "./exposure.ts";
import { below, type Finding } from "./finding.ts";

/** Looks at every network and every account of it that is not switched off. */
export function* strangerFindings(config: unknown): Iterable<Finding> {
  for (const [id, channel] of sections(at(config, "channels"))) {
    if (at(channel, "enabled") === false) continue;
    yield* policyFindings(below("channels", id), channel, id);
    for (const [name, account] of sections(at(channel, "accounts"))) {
      if (at(account, "enabled") === false) continue;
      yield* policyFindings(below(`${below("channels", id)}.accounts`, name), account, id);
    }
  }
}

function* policyFindings(path: string, section: unknown, id: string): Iterable<Finding> {
  // Some networks spell it dm.policy and dm.allowFrom.
  const policyPath = at(section, "dm", "policy") === undefined ? "dmPolicy" : "dm.policy";
  const policy = at(section, ...policyPath.split("."));
  const everybody = [["allowFrom"], ["dm", "allowFrom"]].find((names) =>
    texts(at(section, ...names)).includes("*")
  );
  if (policy === "open" || everybody !== undefined) {
    const said = policy === "open"
      ? `${path}.${policyPath} is open`
      : `${path}.${everybody?.join(".")} has "*"`;
    yield {
      checkId: `channels.${id}.dm.open`,
      severity: "critical",
      title: "Anybody can give your agent orders in a direct message",
      detail: `${said}: whoever finds the account can use your agent, its tools and your model`,
      mend: {
        by: "config",
        steps: [
          ...(policy === "open" ? [{ path: `${path}.${policyPath}`, value: "pairing" }] : []),
          ...(everybody === undefined ? [] : [listStep(
            `${path}.${everybody.join(".")}`,
            texts(at(section, ...everybody)).filter((sender) => sender !== "*"),
          )]),
        ],
      },
    };
  }
  if (at(section, "groupPolicy") === "open") {
    yield {
      checkId: `channels.${id}.groups.open`,
      severity: "critical",
      title: "Anybody can give your agent orders in a group",
      detail: `${path}.groupPolicy is open: every member of every group that the account is in, ` +
        "or is brought into, can use your agent",
      mend: { by: "config", steps: [{ path: `${path}.groupPolicy`, value: "allowlist" }] },
    };
  } else if (texts(at(section, "groupAllowFrom")).includes("*")) {
    yield {
      checkId: `channels.${id}.groups.everybody`,
      severity: "warn",
      title: "Every member of an allowed group can give your agent orders",
      detail: `${path}.groupAllowFrom has "*"`,
      mend: { by: "hand", how: `list the members' ids in ${path}.groupAllowFrom` },
    };
  }
}

/** The named sections of an object; none for anything else. */
function sections(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : [];
}
