/** A node: a device that lends its abilities. What it may offer, and what was approved of that. */
import type { Scope } from "../schemas/contract.ts";
import type { NodeSurface } from "./caller.ts";
import { normaliseClaim } from "./device.ts";

/** What is kept of a device as a node. */
export interface NodeRecord {
  readonly approved?: ApprovedSurface;
  /** Waits for an operator, however long that takes. */
  readonly asked?: SurfaceRequest;
  /** The program that connected last. */
  readonly version?: string;
  readonly modelIdentifier?: string;
  readonly lastConnectedAtMs?: number;
  readonly lastDisconnectedAtMs?: number;
}

/** What operators may ask of a node. */
export interface ApprovedSurface extends NodeSurface {
  readonly createdAtMs: number;
  readonly approvedAtMs: number;
}

/** What a node would like to be asked. Its id stands for exactly this: another wish has another. */
export interface SurfaceRequest extends NodeSurface {
  readonly requestId: string;
  readonly ts: number;
}

/** What the owner's configuration adds to the commands of a platform, and takes from them. */
export interface CommandPolicy {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** A surface without the commands that nodes of its kind have no business with. */
export function offered(
  surface: NodeSurface,
  { platform, deviceFamily }: { readonly platform?: string; readonly deviceFamily?: string },
  { allow, deny }: CommandPolicy,
): NodeSurface {
  const usual = COMMANDS[kindOf(platform) ?? kindOf(deviceFamily) ?? "unknown"];
  const may = (command: string) =>
    !deny.includes(command) && (usual.has(command) || allow.includes(command));
  return {
    ...surface,
    caps: [...new Set(surface.caps)],
    commands: [...new Set(surface.commands)].filter(may),
  };
}

/** What both surfaces have. A permission is what the node has it as, once it was approved. */
export function common(declared: NodeSurface, approved: NodeSurface | undefined): NodeSurface {
  return {
    caps: declared.caps.filter((cap) => approved?.caps.includes(cap)),
    commands: declared.commands.filter((command) => approved?.commands.includes(command)),
    ...(declared.permissions === undefined ? {} : {
      permissions: Object.fromEntries(
        Object.entries(declared.permissions).filter(([name, has]) =>
          !has || approved?.permissions?.[name] === true
        ),
      ),
    }),
  };
}

/** Whether `wide` has everything that `surface` has. */
export function isWithin(surface: NodeSurface, wide: NodeSurface): boolean {
  const { caps, commands, permissions } = common(surface, wide);
  return caps.length === surface.caps.length && commands.length === surface.commands.length &&
    Object.keys(permissions ?? {}).length === Object.keys(surface.permissions ?? {}).length;
}

/** The rights that it takes to approve these commands. */
export function scopesToApprove(commands: readonly string[]): readonly Scope[] {
  if (commands.some((command) => ADMIN_COMMANDS.test(command))) {
    return ["operator.pairing", "operator.admin"];
  }
  return commands.length === 0 ? ["operator.pairing"] : ["operator.pairing", "operator.write"];
}

/** Commands that let an operator act as the node's user. */
const ADMIN_COMMANDS =
  /^(system\.(run|run\.prepare|which|execApprovals\..*)|browser\.proxy.*|fs\.listDir)$/;

type Kind = "ios" | "android" | "macos" | "linux" | "windows" | "unknown";

/** The kind of a platform or a family of devices; `undefined` for a name that is none. */
function kindOf(name: string | undefined): Kind | undefined {
  const text = normaliseClaim(name);
  if (/^(ios|ipados|iphone|ipad)\b/.test(text)) return "ios";
  if (/^android\b/.test(text)) return "android";
  if (/^(macos|darwin|mac)\b/.test(text)) return "macos";
  if (/^linux\b/.test(text)) return "linux";
  if (/^(windows|win32)\b/.test(text)) return "windows";
  return undefined;
}

const EVERYWHERE = "camera.list location.get system.notify talk.ptt.start talk.ptt.stop";
const CANVAS = "canvas.present canvas.hide canvas.navigate canvas.eval canvas.snapshot " +
  "canvas.a2ui.push canvas.a2ui.pushJSONL canvas.a2ui.reset";
const PERSONAL = "device.info device.status contacts.search calendar.events reminders.list " +
  "photos.latest motion.activity motion.pedometer";
const COMPUTER = "system.run system.run.prepare system.which system.execApprovals.get " +
  "system.execApprovals.set browser.proxy browser.proxy.upload.v1 computer.act desktop.stream " +
  "screen.snapshot fs.listDir mcp.tools.call.v1 ollama.chat ollama.models terminal.upload";

/**
 * What a node of each kind may offer without a word in the configuration. Cameras, recordings,
 * messages, health data and files are in none: those are the owner's to allow one by one.
 */
const COMMANDS: Readonly<Record<Kind, ReadonlySet<string>>> = {
  ios: words(EVERYWHERE, CANVAS, PERSONAL, "watch.status"),
  android: words(
    EVERYWHERE,
    CANVAS,
    PERSONAL,
    "callLog.search device.apps device.health device.permissions mobile.ui.act " +
      "mobile.ui.observe notifications.actions notifications.list",
  ),
  macos: words(EVERYWHERE, CANVAS, PERSONAL, COMPUTER, "device.apps"),
  linux: words(EVERYWHERE, COMPUTER),
  windows: words(EVERYWHERE, COMPUTER, "device.info device.status"),
  unknown: words(EVERYWHERE),
};

function words(...lists: readonly string[]): ReadonlySet<string> {
  return new Set(lists.join(" ").split(" "));
}
