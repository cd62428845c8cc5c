/** The agent runtime, put together. Nothing is read, opened or loaded before the first use. */
import type { Config } from "../config.ts";
import type { Messenger } from "../messenger.ts";
import { type ModelCatalog, ModelError, type Tool } from "../model.ts";
import type { Agent, AgentIdentity, RunEvent, RunIo, RunRequest } from "../run.ts";
import type { ThinkingLevel } from "../session.ts";
import { CALL_TIMING, type CallTiming, Lineup } from "./call.ts";
import { Catalog } from "./catalog.ts";
import { systemPrompt } from "./context.ts";
import { summariseTurn, takeTurn, type TurnParts } from "./loop.ts";
import { demoModel } from "./models/demo.ts";
import { fileTools } from "./tools/files.ts";
import { messageTool } from "./tools/message.ts";
import { toShow, Workspace, type WorkspaceFiles, workspacePath } from "./workspace.ts";

/** What an agent runtime is made from. */
export interface AgentParts {
  /** Asked at every use, so that a reloaded configuration counts from the next turn on. */
  config(): Config;
  readonly stateDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch?: typeof fetch;
  log?(line: string): void;
  /** What a run may do in chats beside answering; `undefined` for nothing. */
  messenger?(runId: string): Messenger | undefined;
  /** Shortened by tests. */
  readonly timing?: Partial<AgentTiming>;
}

/** How long things take, in milliseconds. */
export interface AgentTiming extends CallTiming {
  /** The demo's pace per word. */
  readonly tokenMs: number;
}

/** The agent runtime: takes turns, and knows its models and workspaces. */
export interface AgentRuntime extends Agent {
  readonly models: ModelCatalog;
  /** The folder of an agent; it may not exist yet. */
  workspaceOf(agentId: string): string;
}

/** Puts the runtime together; nothing is released, since nothing is held between turns. */
export function createAgent(parts: AgentParts): AgentRuntime {
  const { config, stateDir, env, log = () => {} } = parts;
  const timing: AgentTiming = { ...CALL_TIMING, tokenMs: 18, ...parts.timing };
  const models = new Catalog({
    config,
    env,
    log,
    fetch: parts.fetch ?? fetch,
    demo: demoModel({ tokenMs: timing.tokenMs, now: () => new Date() }),
  });
  const workspaces = new Map<string, Workspace>();

  function workspaceOf(agentId: string): string {
    return workspacePath(agentId, {
      config: config(),
      stateDir,
      home: env.HOME ?? env.USERPROFILE,
    });
  }

  function workspaceAt(path: string): Workspace {
    const workspace = workspaces.get(path) ?? new Workspace(path);
    workspaces.set(path, workspace);
    return workspace;
  }

  async function identity(agentId: string): Promise<AgentIdentity> {
    const workspace = workspaceAt(workspaceOf(agentId));
    return identityIn(workspace, { agentId, files: await workspace.files(["IDENTITY.md"]) });
  }

  function identityIn(
    workspace: Workspace,
    { agentId, files }: { agentId: string; files: WorkspaceFiles },
  ): AgentIdentity {
    const listed = config().agents?.list?.find(({ id }) => id === agentId);
    const { name = listed?.name, theme, emoji, avatar } = listed?.identity ?? {};
    const told = Object.fromEntries(
      Object.entries({ name, theme, emoji, avatar }).filter(([, value]) => value !== undefined),
    );
    return { agentId, ...workspace.identity(files), ...told };
  }

  async function prepare(request: RunRequest): Promise<TurnParts> {
    const { agentId } = request;
    const lineup = new Lineup(await models.resolve(request.model, agentId));
    const workspace = workspaceAt(workspaceOf(agentId));
    const files = await workspace.ensure();
    const { defaults } = config().agents ?? {};
    const messenger = parts.messenger?.(request.runId);
    const tools = [
      ...fileTools(workspace.path),
      ...(messenger === undefined ? [] : [messageTool(messenger, workspace.path)]),
    ];
    const system = systemPrompt({
      identity: identityIn(workspace, { agentId, files }),
      workspace: workspace.path,
      files: toShow(files, {
        perFile: defaults?.bootstrapMaxChars ?? 20_000,
        total: defaults?.bootstrapTotalMaxChars ?? 150_000,
      }),
      tools,
      now: new Date(),
      timeZone: defaults?.userTimezone,
      extra: request.extraSystemPrompt,
    });
    return {
      lineup,
      system,
      tools,
      thinking: request.thinking ?? thinkingOf(config(), agentId),
      reserveTokens: defaults?.compaction?.reserveTokensFloor ?? 20_000,
      timing,
      now: Date.now,
      log,
    };
  }

  /** Prepares, and takes the turn; a model that can't be used ends it like one that failed. */
  async function* turn(
    take: typeof takeTurn,
    request: RunRequest,
    { io, signal }: { io: RunIo; signal: AbortSignal },
  ): AsyncGenerator<RunEvent> {
    let prepared: TurnParts;
    try {
      prepared = await prepare(request);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      const [provider = "", ...id] = (request.model ?? "").split("/");
      const { kind, message } = error;
      const outcome = {
        status: "error",
        kind,
        error: message,
        text: "",
        provider,
        model: id.join("/"),
      } as const;
      yield { type: "end", outcome };
      return;
    }
    yield* take(prepared, io, signal);
  }

  const agent: AgentRuntime = {
    models,
    workspaceOf,
    identity,
    run: (request, io, signal) => turn(takeTurn, request, { io, signal }),
    compact: (request, io, signal) => turn(summariseTurn, request, { io, signal }),
    standIn: () => ({
      ...agent,
      run: (request, io, signal) => turn(takeWithStandIn, request, { io, signal }),
    }),
    tools(agentId) {
      const workspace = workspaceOf(agentId);
      const listed = (group: string, tools: readonly Tool[]) =>
        tools.map(({ name, label, description, parameters }) => ({
          name,
          label,
          description,
          parameters,
          group,
        }));
      return [
        ...listed("files", fileTools(workspace)),
        ...listed("messaging", parts.messenger ? [messageTool(undefined, workspace)] : []),
      ];
    },
  };
  return agent;
}

/** Takes a turn with a model's stand-in; none at all where the model has none. */
async function* takeWithStandIn(
  parts: TurnParts,
  io: RunIo,
  signal: AbortSignal,
): AsyncGenerator<RunEvent> {
  const { provider, id: model } = parts.lineup.current.info;
  const standIn = parts.lineup.current.standIn?.();
  if (standIn !== undefined) {
    yield* takeTurn({ ...parts, lineup: new Lineup([standIn]) }, io, signal);
  } else {
    yield { type: "end", outcome: { status: "aborted", text: "", provider, model } };
  }
}

function thinkingOf(config: Config, agentId: string): ThinkingLevel {
  const listed = config.agents?.list?.find(({ id }) => id === agentId);
  return listed?.thinkingDefault ?? config.agents?.defaults?.thinkingDefault ?? "off";
}
