/** Everything that the port answers, and to whom. What is not in this table is not there. */

/** Who may ask, after whose words have been looked at. */
export type Admission =
  /** Whoever the judge of locality lets near; beyond that the answer tells nothing of anybody. */
  | "judged"
  /** Whoever finds it, from anywhere: the request itself is the proof, and its receiver checks it. */
  | "proves itself";

/** One kind of thing that can be asked for. */
export interface Route {
  /** The whole path, as it was spelled. No pattern matches an escape, so there is no other spelling. */
  readonly path: RegExp;
  readonly verbs: readonly string[];
  readonly admits: Admission;
  /** Only for who asks to go on as a WebSocket. */
  readonly upgrades?: true;
}

const READS = ["GET", "HEAD"] as const;

/** In the order in which they are looked at. */
export const ROUTES = {
  /** Networks that call us instead of being asked. */
  webhook: {
    path: /^\/webhooks\/(?<channel>[a-z0-9-]{1,64})\/(?<accountId>[A-Za-z0-9._-]{1,64})$/,
    verbs: ["GET", "POST"],
    admits: "proves itself",
  },
  /** The protocol. Released clients are told to use any path; who they are, the handshake asks. */
  socket: { path: /^\//, verbs: ["GET"], admits: "judged", upgrades: true },
  /** What monitors ask. */
  probe: { path: /^\/(?:healthz?|readyz?|startupz)$/, verbs: READS, admits: "judged" },
  /** Files of the page. None has another name, so no path can lead to anything else. */
  file: { path: /^\/[a-z]+-[0-9a-f]{12}\.[a-z0-9]+$/, verbs: READS, admits: "judged" },
  /**
   * Places inside the page: plain words, neither dots nor escapes. First words that belong to
   * programs are left out; a wrong one must not look like a page to them.
   */
  page: {
    path:
      /^(?=.{1,256}$)\/(?!(?:api|v1|hooks|webhooks|tools|__openclaw__)(?:\/|$))(?:[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*\/?)?$/,
    verbs: READS,
    admits: "judged",
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof ROUTES;

/** Those that the judge is not asked about. */
export type SelfProving = {
  [N in RouteName]: (typeof ROUTES)[N]["admits"] extends "proves itself" ? N : never;
}[RouteName];

/** The route of a path; `undefined` where there is nothing. */
export function findRoute(path: string, { upgrades = false } = {}): RouteName | undefined {
  for (const name of NAMES) {
    const route: Route = ROUTES[name];
    if (route.path.test(path) && (upgrades || route.upgrades !== true)) return name;
  }
  return undefined;
}

const NAMES = Object.keys(ROUTES) as readonly RouteName[]; // of a constant that nobody extends

export function provesItself(name: RouteName | undefined): name is SelfProving {
  return name !== undefined && ROUTES[name].admits === "proves itself";
}
