// Made from schemas/ by `deno task protocol`: change it there.

import Foundation

/// The newest version of the protocol that these types describe.
public let GATEWAY_PROTOCOL_VERSION = 4

/// Any JSON value.
public enum AnyCodable: Codable, Hashable, Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([AnyCodable])
    case object([String: AnyCodable])

    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([AnyCodable].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: AnyCodable].self))
        }
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The value in the types of Foundation: `NSNull`, `Bool`, `Int`, `Double`, `String`,
    /// `[Any]` or `[String: Any]`.
    public var value: Any {
        switch self {
        case .null: return NSNull()
        case .bool(let value): return value
        case .int(let value): return value
        case .double(let value): return value
        case .string(let value): return value
        case .array(let value): return value.map { $0.value }
        case .object(let value): return value.mapValues { $0.value }
        }
    }
}

extension AnyCodable: ExpressibleByNilLiteral {
    public init(nilLiteral: ()) { self = .null }
}

extension AnyCodable: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension AnyCodable: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int) { self = .int(value) }
}

extension AnyCodable: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { self = .double(value) }
}

extension AnyCodable: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
}

extension AnyCodable: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: AnyCodable...) { self = .array(elements) }
}

extension AnyCodable: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, AnyCodable)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
    }
}

/// What a property is set to. `null` clears it; to leave it alone, leave the property out.
public enum Nullable<Value: Codable & Sendable>: Codable, Sendable {
    case null
    case value(Value)

    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = container.decodeNil() ? .null : .value(try container.decode(Value.self))
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .value(let value): try container.encode(value)
        }
    }
}

public struct AgentAccepted: Codable, Sendable {
    public let runId: String
    public let status: String
    public let acceptedAt: Int
    public let sessionKey: String?
    public let agentId: String?

    public init(
        runId: String,
        status: String = "accepted",
        acceptedAt: Int,
        sessionKey: String? = nil,
        agentId: String? = nil
    ) {
        self.runId = runId
        self.status = status
        self.acceptedAt = acceptedAt
        self.sessionKey = sessionKey
        self.agentId = agentId
    }
}

public struct AgentAnswer: Codable, Sendable {
    public let payloads: [AgentPayload]
    public let meta: AgentRunMeta

    public init(
        payloads: [AgentPayload],
        meta: AgentRunMeta
    ) {
        self.payloads = payloads
        self.meta = meta
    }
}

public struct AgentDone: Codable, Sendable {
    public let runId: String
    public let status: String
    public let summary: String
    public let result: AgentAnswer

    public init(
        runId: String,
        status: String = "ok",
        summary: String,
        result: AgentAnswer
    ) {
        self.runId = runId
        self.status = status
        self.summary = summary
        self.result = result
    }
}

/// The payload of the event `agent`.
public struct AgentEvent: Codable, Sendable {
    public let runId: String
    public let seq: Int
    public let stream: String
    public let ts: Int
    public let data: [String: AnyCodable]
    public let sessionKey: String?
    public let sessionId: String?
    public let agentId: String?
    public let isHeartbeat: Bool?

    public init(
        runId: String,
        seq: Int,
        stream: String,
        ts: Int,
        data: [String: AnyCodable],
        sessionKey: String? = nil,
        sessionId: String? = nil,
        agentId: String? = nil,
        isHeartbeat: Bool? = nil
    ) {
        self.runId = runId
        self.seq = seq
        self.stream = stream
        self.ts = ts
        self.data = data
        self.sessionKey = sessionKey
        self.sessionId = sessionId
        self.agentId = agentId
        self.isHeartbeat = isHeartbeat
    }
}

public struct AgentFailed: Codable, Sendable {
    public let runId: String
    public let status: String
    public let summary: String

    public init(
        runId: String,
        status: String = "error",
        summary: String
    ) {
        self.runId = runId
        self.status = status
        self.summary = summary
    }
}

public struct AgentHealth: Codable, Sendable {
    public let agentId: String
    public let name: String?
    public let isDefault: Bool
    public let heartbeat: AgentHealthHeartbeat
    public let sessions: SessionSummary

    public init(
        agentId: String,
        name: String? = nil,
        isDefault: Bool,
        heartbeat: AgentHealthHeartbeat,
        sessions: SessionSummary
    ) {
        self.agentId = agentId
        self.name = name
        self.isDefault = isDefault
        self.heartbeat = heartbeat
        self.sessions = sessions
    }
}

public struct AgentHealthHeartbeat: Codable, Sendable {
    public let enabled: Bool
    public let every: String
    public let everyMs: Int?
    public let prompt: String
    public let target: String
    public let model: String?
    public let ackMaxChars: Int

    public init(
        enabled: Bool,
        every: String,
        everyMs: Int?,
        prompt: String,
        target: String,
        model: String? = nil,
        ackMaxChars: Int
    ) {
        self.enabled = enabled
        self.every = every
        self.everyMs = everyMs
        self.prompt = prompt
        self.target = target
        self.model = model
        self.ackMaxChars = ackMaxChars
    }
}

/// The params of `agent.identity.get`.
public struct AgentIdentityGetParams: Codable, Sendable {
    public let agentId: String?
    public let sessionKey: String?

    public init(
        agentId: String? = nil,
        sessionKey: String? = nil
    ) {
        self.agentId = agentId
        self.sessionKey = sessionKey
    }
}

/// The result of `agent.identity.get`.
public struct AgentIdentityGetResult: Codable, Sendable {
    public let agentId: String
    public let name: String?
    public let avatar: String?
    public let emoji: String?

    public init(
        agentId: String,
        name: String? = nil,
        avatar: String? = nil,
        emoji: String? = nil
    ) {
        self.agentId = agentId
        self.name = name
        self.avatar = avatar
        self.emoji = emoji
    }
}

public struct AgentInFlight: Codable, Sendable {
    public let runId: String
    public let status: String
    public let sessionKey: String?
    public let agentId: String?

    public init(
        runId: String,
        status: String = "in_flight",
        sessionKey: String? = nil,
        agentId: String? = nil
    ) {
        self.runId = runId
        self.status = status
        self.sessionKey = sessionKey
        self.agentId = agentId
    }
}

/// The params of `agent`.
public struct AgentParams: Codable, Sendable {
    public let message: String
    public let idempotencyKey: String
    public let agentId: String?
    public let sessionKey: String?
    public let sessionId: String?
    public let expectedExistingSessionId: String?
    public let provider: String?
    public let model: String?
    public let thinking: String?
    public let timeout: Int?
    public let attachments: [AnyCodable]?
    public let extraSystemPrompt: String?
    public let deliver: Bool?
    public let bestEffortDeliver: Bool?
    public let to: String?
    public let replyTo: String?
    public let channel: String?
    public let replyChannel: String?
    public let accountId: String?
    public let replyAccountId: String?
    public let threadId: String?
    public let groupId: String?
    public let groupChannel: String?
    public let groupSpace: String?
    public let lane: String?
    public let label: String?
    public let spawnedBy: String?
    public let inputProvenance: AnyCodable?
    public let cleanupBundleMcpOnRunEnd: Bool?
    public let bootstrapContextMode: String?
    public let bootstrapContextRunKind: String?
    public let voiceWakeTrigger: String?

    public init(
        message: String,
        idempotencyKey: String,
        agentId: String? = nil,
        sessionKey: String? = nil,
        sessionId: String? = nil,
        expectedExistingSessionId: String? = nil,
        provider: String? = nil,
        model: String? = nil,
        thinking: String? = nil,
        timeout: Int? = nil,
        attachments: [AnyCodable]? = nil,
        extraSystemPrompt: String? = nil,
        deliver: Bool? = nil,
        bestEffortDeliver: Bool? = nil,
        to: String? = nil,
        replyTo: String? = nil,
        channel: String? = nil,
        replyChannel: String? = nil,
        accountId: String? = nil,
        replyAccountId: String? = nil,
        threadId: String? = nil,
        groupId: String? = nil,
        groupChannel: String? = nil,
        groupSpace: String? = nil,
        lane: String? = nil,
        label: String? = nil,
        spawnedBy: String? = nil,
        inputProvenance: AnyCodable? = nil,
        cleanupBundleMcpOnRunEnd: Bool? = nil,
        bootstrapContextMode: String? = nil,
        bootstrapContextRunKind: String? = nil,
        voiceWakeTrigger: String? = nil
    ) {
        self.message = message
        self.idempotencyKey = idempotencyKey
        self.agentId = agentId
        self.sessionKey = sessionKey
        self.sessionId = sessionId
        self.expectedExistingSessionId = expectedExistingSessionId
        self.provider = provider
        self.model = model
        self.thinking = thinking
        self.timeout = timeout
        self.attachments = attachments
        self.extraSystemPrompt = extraSystemPrompt
        self.deliver = deliver
        self.bestEffortDeliver = bestEffortDeliver
        self.to = to
        self.replyTo = replyTo
        self.channel = channel
        self.replyChannel = replyChannel
        self.accountId = accountId
        self.replyAccountId = replyAccountId
        self.threadId = threadId
        self.groupId = groupId
        self.groupChannel = groupChannel
        self.groupSpace = groupSpace
        self.lane = lane
        self.label = label
        self.spawnedBy = spawnedBy
        self.inputProvenance = inputProvenance
        self.cleanupBundleMcpOnRunEnd = cleanupBundleMcpOnRunEnd
        self.bootstrapContextMode = bootstrapContextMode
        self.bootstrapContextRunKind = bootstrapContextRunKind
        self.voiceWakeTrigger = voiceWakeTrigger
    }
}

public struct AgentPayload: Codable, Sendable {
    public let text: String?
    public let mediaUrl: String?
    public let mediaUrls: [String]?

    public init(
        text: String? = nil,
        mediaUrl: String?,
        mediaUrls: [String]? = nil
    ) {
        self.text = text
        self.mediaUrl = mediaUrl
        self.mediaUrls = mediaUrls
    }
}

/// The result of `agent`.
public enum AgentResult: Codable, Sendable {
    case accepted(AgentAccepted)
    case inFlight(AgentInFlight)
    case ok(AgentDone)
    case error(AgentFailed)
    /// Something that later versions of the protocol have.
    case unknown(AnyCodable)

    private enum Tag: String, CodingKey { case status }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: Tag.self)
        switch try container.decode(String.self, forKey: .status) {
        case "accepted": self = .accepted(try AgentAccepted(from: decoder))
        case "in_flight": self = .inFlight(try AgentInFlight(from: decoder))
        case "ok": self = .ok(try AgentDone(from: decoder))
        case "error": self = .error(try AgentFailed(from: decoder))
        default: self = .unknown(try AnyCodable(from: decoder))
        }
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .accepted(let value): try value.encode(to: encoder)
        case .inFlight(let value): try value.encode(to: encoder)
        case .ok(let value): try value.encode(to: encoder)
        case .error(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

public struct AgentRunMeta: Codable, Sendable {
    public let durationMs: Int
    public let agentMeta: AgentRunModel?
    public let aborted: Bool
    public let stopReason: String?

    public init(
        durationMs: Int,
        agentMeta: AgentRunModel? = nil,
        aborted: Bool,
        stopReason: String? = nil
    ) {
        self.durationMs = durationMs
        self.agentMeta = agentMeta
        self.aborted = aborted
        self.stopReason = stopReason
    }
}

public struct AgentRunModel: Codable, Sendable {
    public let sessionId: String
    public let provider: String
    public let model: String
    public let usage: AgentRunUsage?

    public init(
        sessionId: String,
        provider: String,
        model: String,
        usage: AgentRunUsage? = nil
    ) {
        self.sessionId = sessionId
        self.provider = provider
        self.model = model
        self.usage = usage
    }
}

public struct AgentRunUsage: Codable, Sendable {
    public let input: Int?
    public let output: Int?
    public let cacheRead: Int?
    public let cacheWrite: Int?
    public let total: Int?

    public init(
        input: Int? = nil,
        output: Int? = nil,
        cacheRead: Int? = nil,
        cacheWrite: Int? = nil,
        total: Int? = nil
    ) {
        self.input = input
        self.output = output
        self.cacheRead = cacheRead
        self.cacheWrite = cacheWrite
        self.total = total
    }
}

public struct AgentSummary: Codable, Sendable {
    public let id: String
    public let name: String?
    public let identity: AgentSummaryIdentity?
    public let workspace: String?
    public let model: AgentSummaryModel?
    public let thinkingLevels: [ThinkingLevelOption]?
    public let thinkingOptions: [String]?
    public let thinkingDefault: String?

    public init(
        id: String,
        name: String? = nil,
        identity: AgentSummaryIdentity? = nil,
        workspace: String? = nil,
        model: AgentSummaryModel? = nil,
        thinkingLevels: [ThinkingLevelOption]? = nil,
        thinkingOptions: [String]? = nil,
        thinkingDefault: String? = nil
    ) {
        self.id = id
        self.name = name
        self.identity = identity
        self.workspace = workspace
        self.model = model
        self.thinkingLevels = thinkingLevels
        self.thinkingOptions = thinkingOptions
        self.thinkingDefault = thinkingDefault
    }
}

public struct AgentSummaryIdentity: Codable, Sendable {
    public let name: String?
    public let theme: String?
    public let emoji: String?
    public let avatar: String?
    public let avatarUrl: String?

    public init(
        name: String? = nil,
        theme: String? = nil,
        emoji: String? = nil,
        avatar: String? = nil,
        avatarUrl: String? = nil
    ) {
        self.name = name
        self.theme = theme
        self.emoji = emoji
        self.avatar = avatar
        self.avatarUrl = avatarUrl
    }
}

public struct AgentSummaryModel: Codable, Sendable {
    public let primary: String?
    public let fallbacks: [String]?

    public init(
        primary: String? = nil,
        fallbacks: [String]? = nil
    ) {
        self.primary = primary
        self.fallbacks = fallbacks
    }
}

/// The params of `agent.wait`.
public struct AgentWaitParams: Codable, Sendable {
    public let runId: String
    public let timeoutMs: Int?

    public init(
        runId: String,
        timeoutMs: Int? = nil
    ) {
        self.runId = runId
        self.timeoutMs = timeoutMs
    }
}

/// The result of `agent.wait`.
public struct AgentWaitResult: Codable, Sendable {
    public let runId: String
    public let status: String
    public let startedAt: Int?
    public let endedAt: Int?
    public let error: String?

    public init(
        runId: String,
        status: String,
        startedAt: Int? = nil,
        endedAt: Int? = nil,
        error: String? = nil
    ) {
        self.runId = runId
        self.status = status
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.error = error
    }
}

/// The params of `agents.list`.
public struct AgentsListParams: Codable, Sendable {
    public init() {}
}

/// The result of `agents.list`.
public struct AgentsListResult: Codable, Sendable {
    public let defaultId: String
    public let mainKey: String
    public let scope: String
    public let agents: [AgentSummary]
    public let ownership: String?
    public let selectionRequired: Bool?

    public init(
        defaultId: String,
        mainKey: String,
        scope: String,
        agents: [AgentSummary],
        ownership: String? = nil,
        selectionRequired: Bool? = nil
    ) {
        self.defaultId = defaultId
        self.mainKey = mainKey
        self.scope = scope
        self.agents = agents
        self.ownership = ownership
        self.selectionRequired = selectionRequired
    }
}

public struct ChannelAccountSnapshot: Codable, Sendable {
    public let accountId: String
    public let name: String?
    public let enabled: Bool?
    public let configured: Bool?
    public let linked: Bool?
    public let running: Bool?
    public let connected: Bool?
    public let reconnectAttempts: Int?
    public let lastConnectedAt: Nullable<Int>?
    public let lastError: Nullable<String>?
    public let lastStartAt: Nullable<Int>?
    public let lastStopAt: Nullable<Int>?
    public let lastInboundAt: Nullable<Int>?
    public let lastOutboundAt: Nullable<Int>?
    public let lastTransportActivityAt: Nullable<Int>?
    public let lastProbeAt: Nullable<Int>?
    public let healthState: String?
    public let tokenSource: String?
    public let botTokenSource: String?
    public let appTokenSource: String?
    public let baseUrl: String?
    public let mode: String?
    public let dmPolicy: String?
    public let allowFrom: [String]?
    public let probe: AnyCodable?
    public let messages: ChannelAccountSnapshotMessages?

    public init(
        accountId: String,
        name: String? = nil,
        enabled: Bool? = nil,
        configured: Bool? = nil,
        linked: Bool? = nil,
        running: Bool? = nil,
        connected: Bool? = nil,
        reconnectAttempts: Int? = nil,
        lastConnectedAt: Nullable<Int>? = nil,
        lastError: Nullable<String>? = nil,
        lastStartAt: Nullable<Int>? = nil,
        lastStopAt: Nullable<Int>? = nil,
        lastInboundAt: Nullable<Int>? = nil,
        lastOutboundAt: Nullable<Int>? = nil,
        lastTransportActivityAt: Nullable<Int>? = nil,
        lastProbeAt: Nullable<Int>? = nil,
        healthState: String? = nil,
        tokenSource: String? = nil,
        botTokenSource: String? = nil,
        appTokenSource: String? = nil,
        baseUrl: String? = nil,
        mode: String? = nil,
        dmPolicy: String? = nil,
        allowFrom: [String]? = nil,
        probe: AnyCodable? = nil,
        messages: ChannelAccountSnapshotMessages? = nil
    ) {
        self.accountId = accountId
        self.name = name
        self.enabled = enabled
        self.configured = configured
        self.linked = linked
        self.running = running
        self.connected = connected
        self.reconnectAttempts = reconnectAttempts
        self.lastConnectedAt = lastConnectedAt
        self.lastError = lastError
        self.lastStartAt = lastStartAt
        self.lastStopAt = lastStopAt
        self.lastInboundAt = lastInboundAt
        self.lastOutboundAt = lastOutboundAt
        self.lastTransportActivityAt = lastTransportActivityAt
        self.lastProbeAt = lastProbeAt
        self.healthState = healthState
        self.tokenSource = tokenSource
        self.botTokenSource = botTokenSource
        self.appTokenSource = appTokenSource
        self.baseUrl = baseUrl
        self.mode = mode
        self.dmPolicy = dmPolicy
        self.allowFrom = allowFrom
        self.probe = probe
        self.messages = messages
    }
}

public struct ChannelAccountSnapshotMessages: Codable, Sendable {
    public let received: Int
    public let duplicates: Int
    public let admitted: Int
    public let skipped: [String: Int]

    public init(
        received: Int,
        duplicates: Int,
        admitted: Int,
        skipped: [String: Int]
    ) {
        self.received = received
        self.duplicates = duplicates
        self.admitted = admitted
        self.skipped = skipped
    }
}

public struct ChannelPairingAccount: Codable, Sendable {
    public let channel: String
    public let channelLabel: String
    public let accountId: String
    public let accountLabel: String?
    public let notifySupported: Bool

    public init(
        channel: String,
        channelLabel: String,
        accountId: String,
        accountLabel: String? = nil,
        notifySupported: Bool
    ) {
        self.channel = channel
        self.channelLabel = channelLabel
        self.accountId = accountId
        self.accountLabel = accountLabel
        self.notifySupported = notifySupported
    }
}

public struct ChannelPairingRequest: Codable, Sendable {
    public let requestId: String
    public let channel: String
    public let channelLabel: String
    public let accountId: String
    public let accountLabel: String?
    public let notifySupported: Bool
    public let senderId: String
    public let senderLabel: String
    public let metadata: [String: String]?
    public let createdAt: String
    public let lastSeenAt: String
    public let expiresAt: String

    public init(
        requestId: String,
        channel: String,
        channelLabel: String,
        accountId: String,
        accountLabel: String? = nil,
        notifySupported: Bool,
        senderId: String,
        senderLabel: String,
        metadata: [String: String]? = nil,
        createdAt: String,
        lastSeenAt: String,
        expiresAt: String
    ) {
        self.requestId = requestId
        self.channel = channel
        self.channelLabel = channelLabel
        self.accountId = accountId
        self.accountLabel = accountLabel
        self.notifySupported = notifySupported
        self.senderId = senderId
        self.senderLabel = senderLabel
        self.metadata = metadata
        self.createdAt = createdAt
        self.lastSeenAt = lastSeenAt
        self.expiresAt = expiresAt
    }
}

public struct ChannelStatusIssue: Codable, Sendable {
    public let channel: String
    public let accountId: String
    public let kind: String
    public let message: String
    public let fix: String?

    public init(
        channel: String,
        accountId: String,
        kind: String,
        message: String,
        fix: String? = nil
    ) {
        self.channel = channel
        self.accountId = accountId
        self.kind = kind
        self.message = message
        self.fix = fix
    }
}

public struct ChannelUiMeta: Codable, Sendable {
    public let id: String
    public let label: String
    public let detailLabel: String
    public let systemImage: String?

    public init(
        id: String,
        label: String,
        detailLabel: String,
        systemImage: String? = nil
    ) {
        self.id = id
        self.label = label
        self.detailLabel = detailLabel
        self.systemImage = systemImage
    }
}

/// The params of `channels.logout`.
public struct ChannelsLogoutParams: Codable, Sendable {
    public let channel: String
    public let accountId: String?

    public init(
        channel: String,
        accountId: String? = nil
    ) {
        self.channel = channel
        self.accountId = accountId
    }
}

/// The result of `channels.logout`.
public struct ChannelsLogoutResult: Codable, Sendable {
    public let channel: String
    public let accountId: String
    public let cleared: Bool
    public let loggedOut: Bool
    public let envToken: Bool?

    public init(
        channel: String,
        accountId: String,
        cleared: Bool,
        loggedOut: Bool,
        envToken: Bool? = nil
    ) {
        self.channel = channel
        self.accountId = accountId
        self.cleared = cleared
        self.loggedOut = loggedOut
        self.envToken = envToken
    }
}

/// The params of `channels.pairing.approve`.
public struct ChannelsPairingApproveParams: Codable, Sendable {
    public let channel: String
    public let accountId: String
    public let requestId: String
    public let notify: Bool?
    public let bootstrapCommandOwner: Bool?

    public init(
        channel: String,
        accountId: String,
        requestId: String,
        notify: Bool? = nil,
        bootstrapCommandOwner: Bool? = nil
    ) {
        self.channel = channel
        self.accountId = accountId
        self.requestId = requestId
        self.notify = notify
        self.bootstrapCommandOwner = bootstrapCommandOwner
    }
}

/// The result of `channels.pairing.approve`.
public struct ChannelsPairingApproveResult: Codable, Sendable {
    public let requestId: String
    public let senderId: String
    public let notification: String
    public let commandOwnerBootstrap: String

    public init(
        requestId: String,
        senderId: String,
        notification: String,
        commandOwnerBootstrap: String
    ) {
        self.requestId = requestId
        self.senderId = senderId
        self.notification = notification
        self.commandOwnerBootstrap = commandOwnerBootstrap
    }
}

/// The params of `channels.pairing.dismiss`.
public struct ChannelsPairingDismissParams: Codable, Sendable {
    public let channel: String
    public let accountId: String
    public let requestId: String

    public init(
        channel: String,
        accountId: String,
        requestId: String
    ) {
        self.channel = channel
        self.accountId = accountId
        self.requestId = requestId
    }
}

/// The result of `channels.pairing.dismiss`.
public struct ChannelsPairingDismissResult: Codable, Sendable {
    public let requestId: String
    public let senderId: String

    public init(
        requestId: String,
        senderId: String
    ) {
        self.requestId = requestId
        self.senderId = senderId
    }
}

/// The params of `channels.pairing.list`.
public struct ChannelsPairingListParams: Codable, Sendable {
    public let channel: String?
    public let accountId: String?

    public init(
        channel: String? = nil,
        accountId: String? = nil
    ) {
        self.channel = channel
        self.accountId = accountId
    }
}

/// The result of `channels.pairing.list`.
public struct ChannelsPairingListResult: Codable, Sendable {
    public let accounts: [ChannelPairingAccount]
    public let requests: [ChannelPairingRequest]
    public let commandOwnerConfigured: Bool
    public let limits: ChannelsPairingListResultLimits

    public init(
        accounts: [ChannelPairingAccount],
        requests: [ChannelPairingRequest],
        commandOwnerConfigured: Bool,
        limits: ChannelsPairingListResultLimits
    ) {
        self.accounts = accounts
        self.requests = requests
        self.commandOwnerConfigured = commandOwnerConfigured
        self.limits = limits
    }
}

public struct ChannelsPairingListResultLimits: Codable, Sendable {
    public let pendingPerAccount: Int
    public let ttlMs: Int

    public init(
        pendingPerAccount: Int,
        ttlMs: Int
    ) {
        self.pendingPerAccount = pendingPerAccount
        self.ttlMs = ttlMs
    }
}

/// The params of `channels.start`.
public struct ChannelsStartParams: Codable, Sendable {
    public let channel: String
    public let accountId: String?

    public init(
        channel: String,
        accountId: String? = nil
    ) {
        self.channel = channel
        self.accountId = accountId
    }
}

/// The result of `channels.start`.
public struct ChannelsStartResult: Codable, Sendable {
    public let channel: String
    public let accountId: String
    public let started: Bool

    public init(
        channel: String,
        accountId: String,
        started: Bool
    ) {
        self.channel = channel
        self.accountId = accountId
        self.started = started
    }
}

/// The params of `channels.status`.
public struct ChannelsStatusParams: Codable, Sendable {
    public let probe: Bool?
    public let timeoutMs: Int?
    public let channel: String?

    public init(
        probe: Bool? = nil,
        timeoutMs: Int? = nil,
        channel: String? = nil
    ) {
        self.probe = probe
        self.timeoutMs = timeoutMs
        self.channel = channel
    }
}

/// The result of `channels.status`.
public struct ChannelsStatusResult: Codable, Sendable {
    public let ts: Int
    public let channelOrder: [String]
    public let channelLabels: [String: String]
    public let channelDetailLabels: [String: String]?
    public let channelSystemImages: [String: String]?
    public let channelMeta: [ChannelUiMeta]?
    public let channels: [String: AnyCodable]
    public let channelAccounts: [String: [ChannelAccountSnapshot]]
    public let channelDefaultAccountId: [String: String]
    public let statusIssues: [ChannelStatusIssue]?

    public init(
        ts: Int,
        channelOrder: [String],
        channelLabels: [String: String],
        channelDetailLabels: [String: String]? = nil,
        channelSystemImages: [String: String]? = nil,
        channelMeta: [ChannelUiMeta]? = nil,
        channels: [String: AnyCodable],
        channelAccounts: [String: [ChannelAccountSnapshot]],
        channelDefaultAccountId: [String: String],
        statusIssues: [ChannelStatusIssue]? = nil
    ) {
        self.ts = ts
        self.channelOrder = channelOrder
        self.channelLabels = channelLabels
        self.channelDetailLabels = channelDetailLabels
        self.channelSystemImages = channelSystemImages
        self.channelMeta = channelMeta
        self.channels = channels
        self.channelAccounts = channelAccounts
        self.channelDefaultAccountId = channelDefaultAccountId
        self.statusIssues = statusIssues
    }
}

/// The params of `channels.stop`.
public struct ChannelsStopParams: Codable, Sendable {
    public let channel: String
    public let accountId: String?

    public init(
        channel: String,
        accountId: String? = nil
    ) {
        self.channel = channel
        self.accountId = accountId
    }
}

/// The result of `channels.stop`.
public struct ChannelsStopResult: Codable, Sendable {
    public let channel: String
    public let accountId: String
    public let stopped: Bool

    public init(
        channel: String,
        accountId: String,
        stopped: Bool
    ) {
        self.channel = channel
        self.accountId = accountId
        self.stopped = stopped
    }
}

/// The params of `chat.abort`.
public struct ChatAbortParams: Codable, Sendable {
    public let sessionKey: String
    public let agentId: String?
    public let runId: String?
    public let preserveSideRuns: Bool?

    public init(
        sessionKey: String,
        agentId: String? = nil,
        runId: String? = nil,
        preserveSideRuns: Bool? = nil
    ) {
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.runId = runId
        self.preserveSideRuns = preserveSideRuns
    }
}

/// The result of `chat.abort`.
public typealias ChatAbortResult = ChatStopped

public struct ChatAborted: Codable, Sendable {
    public let runId: String
    public let sessionKey: String
    public let agentId: String?
    public let seq: Int
    public let state: String
    public let message: ChatMessage?
    public let errorMessage: String?
    public let stopReason: String?

    public init(
        runId: String,
        sessionKey: String,
        agentId: String? = nil,
        seq: Int,
        state: String = "aborted",
        message: ChatMessage? = nil,
        errorMessage: String? = nil,
        stopReason: String? = nil
    ) {
        self.runId = runId
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.seq = seq
        self.state = state
        self.message = message
        self.errorMessage = errorMessage
        self.stopReason = stopReason
    }
}

public struct ChatAttachment: Codable, Sendable {
    public let type: String?
    public let mimeType: String?
    public let fileName: String?
    public let content: AnyCodable?

    public init(
        type: String? = nil,
        mimeType: String? = nil,
        fileName: String? = nil,
        content: AnyCodable? = nil
    ) {
        self.type = type
        self.mimeType = mimeType
        self.fileName = fileName
        self.content = content
    }
}

public enum ChatBlock: Codable, Sendable {
    case text(ChatTextBlock)
    case thinking(ChatThinkingBlock)
    case toolCall(ChatToolCallBlock)
    case image(ChatImageBlock)
    /// Something that later versions of the protocol have.
    case unknown(AnyCodable)

    private enum Tag: String, CodingKey { case type }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: Tag.self)
        switch try container.decode(String.self, forKey: .type) {
        case "text": self = .text(try ChatTextBlock(from: decoder))
        case "thinking": self = .thinking(try ChatThinkingBlock(from: decoder))
        case "toolCall": self = .toolCall(try ChatToolCallBlock(from: decoder))
        case "image": self = .image(try ChatImageBlock(from: decoder))
        default: self = .unknown(try AnyCodable(from: decoder))
        }
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .text(let value): try value.encode(to: encoder)
        case .thinking(let value): try value.encode(to: encoder)
        case .toolCall(let value): try value.encode(to: encoder)
        case .image(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

public struct ChatDelta: Codable, Sendable {
    public let runId: String
    public let sessionKey: String
    public let agentId: String?
    public let seq: Int
    public let state: String
    public let message: ChatMessage
    public let deltaText: String
    public let replace: Bool?

    public init(
        runId: String,
        sessionKey: String,
        agentId: String? = nil,
        seq: Int,
        state: String = "delta",
        message: ChatMessage,
        deltaText: String,
        replace: Bool? = nil
    ) {
        self.runId = runId
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.seq = seq
        self.state = state
        self.message = message
        self.deltaText = deltaText
        self.replace = replace
    }
}

public struct ChatError: Codable, Sendable {
    public let runId: String
    public let sessionKey: String
    public let agentId: String?
    public let seq: Int
    public let state: String
    public let message: ChatMessage?
    public let errorMessage: String?
    public let errorKind: String?
    public let usage: TokenUsage?
    public let stopReason: String?

    public init(
        runId: String,
        sessionKey: String,
        agentId: String? = nil,
        seq: Int,
        state: String = "error",
        message: ChatMessage? = nil,
        errorMessage: String? = nil,
        errorKind: String? = nil,
        usage: TokenUsage? = nil,
        stopReason: String? = nil
    ) {
        self.runId = runId
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.seq = seq
        self.state = state
        self.message = message
        self.errorMessage = errorMessage
        self.errorKind = errorKind
        self.usage = usage
        self.stopReason = stopReason
    }
}

/// The payload of the event `chat`.
public enum ChatEvent: Codable, Sendable {
    case status(ChatStatus)
    case delta(ChatDelta)
    case final(ChatFinal)
    case aborted(ChatAborted)
    case error(ChatError)
    /// Something that later versions of the protocol have.
    case unknown(AnyCodable)

    private enum Tag: String, CodingKey { case state }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: Tag.self)
        switch try container.decode(String.self, forKey: .state) {
        case "status": self = .status(try ChatStatus(from: decoder))
        case "delta": self = .delta(try ChatDelta(from: decoder))
        case "final": self = .final(try ChatFinal(from: decoder))
        case "aborted": self = .aborted(try ChatAborted(from: decoder))
        case "error": self = .error(try ChatError(from: decoder))
        default: self = .unknown(try AnyCodable(from: decoder))
        }
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .status(let value): try value.encode(to: encoder)
        case .delta(let value): try value.encode(to: encoder)
        case .final(let value): try value.encode(to: encoder)
        case .aborted(let value): try value.encode(to: encoder)
        case .error(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

public struct ChatFinal: Codable, Sendable {
    public let runId: String
    public let sessionKey: String
    public let agentId: String?
    public let seq: Int
    public let state: String
    public let message: ChatMessage?
    public let usage: TokenUsage?
    public let stopReason: String?

    public init(
        runId: String,
        sessionKey: String,
        agentId: String? = nil,
        seq: Int,
        state: String = "final",
        message: ChatMessage? = nil,
        usage: TokenUsage? = nil,
        stopReason: String? = nil
    ) {
        self.runId = runId
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.seq = seq
        self.state = state
        self.message = message
        self.usage = usage
        self.stopReason = stopReason
    }
}

/// The params of `chat.history`.
public struct ChatHistoryParams: Codable, Sendable {
    public let sessionKey: String
    public let agentId: String?
    public let limit: Int?
    public let offset: Int?
    public let cursor: String?
    public let maxBytes: Int?
    public let maxChars: Int?
    public let pendingBefore: Int?
    public let inputRunIds: [String]?
    public let messageId: String?
    public let sessionId: String?

    public init(
        sessionKey: String,
        agentId: String? = nil,
        limit: Int? = nil,
        offset: Int? = nil,
        cursor: String? = nil,
        maxBytes: Int? = nil,
        maxChars: Int? = nil,
        pendingBefore: Int? = nil,
        inputRunIds: [String]? = nil,
        messageId: String? = nil,
        sessionId: String? = nil
    ) {
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.limit = limit
        self.offset = offset
        self.cursor = cursor
        self.maxBytes = maxBytes
        self.maxChars = maxChars
        self.pendingBefore = pendingBefore
        self.inputRunIds = inputRunIds
        self.messageId = messageId
        self.sessionId = sessionId
    }
}

/// The result of `chat.history`.
public struct ChatHistoryResult: Codable, Sendable {
    public let sessionKey: String
    public let sessionId: String?
    public let messages: [ChatMessage]
    public let thinkingLevel: String?
    public let verboseLevel: String?
    public let pendingInputs: PendingInputs?
    public let hasMore: Bool?
    public let nextOffset: Int?
    public let totalMessages: Int?
    public let defaults: SessionListDefaults?
    public let sessionInfo: SessionRow?

    public init(
        sessionKey: String,
        sessionId: String? = nil,
        messages: [ChatMessage],
        thinkingLevel: String? = nil,
        verboseLevel: String? = nil,
        pendingInputs: PendingInputs? = nil,
        hasMore: Bool? = nil,
        nextOffset: Int? = nil,
        totalMessages: Int? = nil,
        defaults: SessionListDefaults? = nil,
        sessionInfo: SessionRow? = nil
    ) {
        self.sessionKey = sessionKey
        self.sessionId = sessionId
        self.messages = messages
        self.thinkingLevel = thinkingLevel
        self.verboseLevel = verboseLevel
        self.pendingInputs = pendingInputs
        self.hasMore = hasMore
        self.nextOffset = nextOffset
        self.totalMessages = totalMessages
        self.defaults = defaults
        self.sessionInfo = sessionInfo
    }
}

public struct ChatImageBlock: Codable, Sendable {
    public let type: String
    public let mimeType: String?
    public let data: String?
    public let omitted: Bool?
    public let bytes: Int?

    public init(
        type: String = "image",
        mimeType: String? = nil,
        data: String? = nil,
        omitted: Bool? = nil,
        bytes: Int? = nil
    ) {
        self.type = type
        self.mimeType = mimeType
        self.data = data
        self.omitted = omitted
        self.bytes = bytes
    }
}

/// The params of `chat.inject`.
public struct ChatInjectParams: Codable, Sendable {
    public let sessionKey: String
    public let agentId: String?
    public let message: String
    public let label: String?

    public init(
        sessionKey: String,
        agentId: String? = nil,
        message: String,
        label: String? = nil
    ) {
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.message = message
        self.label = label
    }
}

/// The result of `chat.inject`.
public struct ChatInjectResult: Codable, Sendable {
    public let ok: Bool
    public let messageId: String

    public init(
        ok: Bool = true,
        messageId: String
    ) {
        self.ok = ok
        self.messageId = messageId
    }
}

public struct ChatMessage: Codable, Sendable {
    public let role: String
    public let content: AnyCodable
    public let timestamp: Int
    public let provider: String?
    public let model: String?
    public let api: String?
    public let usage: TokenUsage?
    public let stopReason: String?
    public let errorMessage: String?
    public let toolCallId: String?
    public let toolName: String?
    public let isError: Bool?
    public let idempotencyKey: String?
    public let __openclaw: ChatMessageMeta?

    public init(
        role: String,
        content: AnyCodable,
        timestamp: Int,
        provider: String? = nil,
        model: String? = nil,
        api: String? = nil,
        usage: TokenUsage? = nil,
        stopReason: String? = nil,
        errorMessage: String? = nil,
        toolCallId: String? = nil,
        toolName: String? = nil,
        isError: Bool? = nil,
        idempotencyKey: String? = nil,
        __openclaw: ChatMessageMeta? = nil
    ) {
        self.role = role
        self.content = content
        self.timestamp = timestamp
        self.provider = provider
        self.model = model
        self.api = api
        self.usage = usage
        self.stopReason = stopReason
        self.errorMessage = errorMessage
        self.toolCallId = toolCallId
        self.toolName = toolName
        self.isError = isError
        self.idempotencyKey = idempotencyKey
        self.__openclaw = __openclaw
    }
}

public struct ChatMessageMeta: Codable, Sendable {
    public let id: String?
    public let seq: Int?
    public let kind: String?
    public let runId: String?
    public let idempotencyKey: String?
    public let recordTimestampMs: Int?

    public init(
        id: String? = nil,
        seq: Int? = nil,
        kind: String? = nil,
        runId: String? = nil,
        idempotencyKey: String? = nil,
        recordTimestampMs: Int? = nil
    ) {
        self.id = id
        self.seq = seq
        self.kind = kind
        self.runId = runId
        self.idempotencyKey = idempotencyKey
        self.recordTimestampMs = recordTimestampMs
    }
}

/// The params of `chat.metadata`.
public struct ChatMetadataParams: Codable, Sendable {
    public let agentId: String?
    public let authProfileId: String?
    public let sessionKey: String?

    public init(
        agentId: String? = nil,
        authProfileId: String? = nil,
        sessionKey: String? = nil
    ) {
        self.agentId = agentId
        self.authProfileId = authProfileId
        self.sessionKey = sessionKey
    }
}

/// The result of `chat.metadata`.
public typealias ChatMetadataResult = ChatOffers

public struct ChatOffers: Codable, Sendable {
    public let models: [ModelChoice]
    public let commands: [CommandEntry]

    public init(
        models: [ModelChoice],
        commands: [CommandEntry]
    ) {
        self.models = models
        self.commands = commands
    }
}

/// The params of `chat.send`.
public struct ChatSendParams: Codable, Sendable {
    public let sessionKey: String
    public let message: String
    public let idempotencyKey: String
    public let agentId: String?
    public let sessionId: String?
    public let thinking: String?
    public let fastMode: AnyCodable?
    public let fastAutoOnSeconds: Int?
    public let queueMode: String?
    public let deliver: Bool?
    public let attachments: [ChatAttachment]?
    public let timeoutMs: Int?
    public let mentions: [AnyCodable]?
    public let workContext: AnyCodable?
    public let intent: AnyCodable?
    public let originatingChannel: String?
    public let originatingTo: String?
    public let originatingAccountId: String?
    public let originatingThreadId: String?
    public let replyToId: String?
    public let toolBindings: [String: AnyCodable]?
    public let systemInputProvenance: AnyCodable?
    public let systemProvenanceReceipt: String?
    public let suppressCommandInterpretation: Bool?
    public let expectedLeafEntryId: Nullable<String>?
    public let expectedSessionRoutingContract: String?
    public let expectedPermissionMode: AnyCodable?
    public let expectedToolOverrides: AnyCodable?
    public let __controlUiReconnectResume: Bool?

    public init(
        sessionKey: String,
        message: String,
        idempotencyKey: String,
        agentId: String? = nil,
        sessionId: String? = nil,
        thinking: String? = nil,
        fastMode: AnyCodable? = nil,
        fastAutoOnSeconds: Int? = nil,
        queueMode: String? = nil,
        deliver: Bool? = nil,
        attachments: [ChatAttachment]? = nil,
        timeoutMs: Int? = nil,
        mentions: [AnyCodable]? = nil,
        workContext: AnyCodable? = nil,
        intent: AnyCodable? = nil,
        originatingChannel: String? = nil,
        originatingTo: String? = nil,
        originatingAccountId: String? = nil,
        originatingThreadId: String? = nil,
        replyToId: String? = nil,
        toolBindings: [String: AnyCodable]? = nil,
        systemInputProvenance: AnyCodable? = nil,
        systemProvenanceReceipt: String? = nil,
        suppressCommandInterpretation: Bool? = nil,
        expectedLeafEntryId: Nullable<String>? = nil,
        expectedSessionRoutingContract: String? = nil,
        expectedPermissionMode: AnyCodable? = nil,
        expectedToolOverrides: AnyCodable? = nil,
        __controlUiReconnectResume: Bool? = nil
    ) {
        self.sessionKey = sessionKey
        self.message = message
        self.idempotencyKey = idempotencyKey
        self.agentId = agentId
        self.sessionId = sessionId
        self.thinking = thinking
        self.fastMode = fastMode
        self.fastAutoOnSeconds = fastAutoOnSeconds
        self.queueMode = queueMode
        self.deliver = deliver
        self.attachments = attachments
        self.timeoutMs = timeoutMs
        self.mentions = mentions
        self.workContext = workContext
        self.intent = intent
        self.originatingChannel = originatingChannel
        self.originatingTo = originatingTo
        self.originatingAccountId = originatingAccountId
        self.originatingThreadId = originatingThreadId
        self.replyToId = replyToId
        self.toolBindings = toolBindings
        self.systemInputProvenance = systemInputProvenance
        self.systemProvenanceReceipt = systemProvenanceReceipt
        self.suppressCommandInterpretation = suppressCommandInterpretation
        self.expectedLeafEntryId = expectedLeafEntryId
        self.expectedSessionRoutingContract = expectedSessionRoutingContract
        self.expectedPermissionMode = expectedPermissionMode
        self.expectedToolOverrides = expectedToolOverrides
        self.__controlUiReconnectResume = __controlUiReconnectResume
    }
}

/// The result of `chat.send`.
public enum ChatSendResult: Codable, Sendable {
    case chatSendStatus(ChatSendStatus)
    case chatStopped(ChatStopped)
    /// Something that later versions of the protocol have.
    case unknown(AnyCodable)

    public init(from decoder: Decoder) throws {
        if let value = try? ChatSendStatus(from: decoder) {
            self = .chatSendStatus(value)
        } else if let value = try? ChatStopped(from: decoder) {
            self = .chatStopped(value)
        } else {
            self = .unknown(try AnyCodable(from: decoder))
        }
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .chatSendStatus(let value): try value.encode(to: encoder)
        case .chatStopped(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

public struct ChatSendStatus: Codable, Sendable {
    public let runId: String
    public let status: String

    public init(
        runId: String,
        status: String
    ) {
        self.runId = runId
        self.status = status
    }
}

/// The params of `chat.startup`.
public struct ChatStartupParams: Codable, Sendable {
    public let sessionKey: String?
    public let shortId: String?
    public let slugHint: String?
    public let agentId: String?
    public let limit: Int?
    public let offset: Int?
    public let cursor: String?
    public let maxBytes: Int?
    public let maxChars: Int?
    public let pendingBefore: Int?
    public let inputRunIds: [String]?
    public let messageId: String?
    public let sessionId: String?

    public init(
        sessionKey: String? = nil,
        shortId: String? = nil,
        slugHint: String? = nil,
        agentId: String? = nil,
        limit: Int? = nil,
        offset: Int? = nil,
        cursor: String? = nil,
        maxBytes: Int? = nil,
        maxChars: Int? = nil,
        pendingBefore: Int? = nil,
        inputRunIds: [String]? = nil,
        messageId: String? = nil,
        sessionId: String? = nil
    ) {
        self.sessionKey = sessionKey
        self.shortId = shortId
        self.slugHint = slugHint
        self.agentId = agentId
        self.limit = limit
        self.offset = offset
        self.cursor = cursor
        self.maxBytes = maxBytes
        self.maxChars = maxChars
        self.pendingBefore = pendingBefore
        self.inputRunIds = inputRunIds
        self.messageId = messageId
        self.sessionId = sessionId
    }
}

/// The result of `chat.startup`.
public struct ChatStartupResult: Codable, Sendable {
    public let sessionKey: String
    public let sessionId: String?
    public let messages: [ChatMessage]
    public let thinkingLevel: String?
    public let verboseLevel: String?
    public let pendingInputs: PendingInputs?
    public let hasMore: Bool?
    public let nextOffset: Int?
    public let totalMessages: Int?
    public let defaults: SessionListDefaults?
    public let sessionInfo: SessionRow?
    public let metadata: ChatOffers?

    public init(
        sessionKey: String,
        sessionId: String? = nil,
        messages: [ChatMessage],
        thinkingLevel: String? = nil,
        verboseLevel: String? = nil,
        pendingInputs: PendingInputs? = nil,
        hasMore: Bool? = nil,
        nextOffset: Int? = nil,
        totalMessages: Int? = nil,
        defaults: SessionListDefaults? = nil,
        sessionInfo: SessionRow? = nil,
        metadata: ChatOffers? = nil
    ) {
        self.sessionKey = sessionKey
        self.sessionId = sessionId
        self.messages = messages
        self.thinkingLevel = thinkingLevel
        self.verboseLevel = verboseLevel
        self.pendingInputs = pendingInputs
        self.hasMore = hasMore
        self.nextOffset = nextOffset
        self.totalMessages = totalMessages
        self.defaults = defaults
        self.sessionInfo = sessionInfo
        self.metadata = metadata
    }
}

public struct ChatStatus: Codable, Sendable {
    public let runId: String
    public let sessionKey: String
    public let agentId: String?
    public let seq: Int
    public let state: String
    public let phase: String

    public init(
        runId: String,
        sessionKey: String,
        agentId: String? = nil,
        seq: Int,
        state: String = "status",
        phase: String
    ) {
        self.runId = runId
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.seq = seq
        self.state = state
        self.phase = phase
    }
}

public struct ChatStopped: Codable, Sendable {
    public let ok: Bool
    public let aborted: Bool
    public let runIds: [String]

    public init(
        ok: Bool = true,
        aborted: Bool,
        runIds: [String]
    ) {
        self.ok = ok
        self.aborted = aborted
        self.runIds = runIds
    }
}

public struct ChatTextBlock: Codable, Sendable {
    public let type: String
    public let text: String

    public init(
        type: String = "text",
        text: String
    ) {
        self.type = type
        self.text = text
    }
}

public struct ChatThinkingBlock: Codable, Sendable {
    public let type: String
    public let thinking: String

    public init(
        type: String = "thinking",
        thinking: String
    ) {
        self.type = type
        self.thinking = thinking
    }
}

public struct ChatToolCallBlock: Codable, Sendable {
    public let type: String
    public let id: String
    public let name: String
    public let arguments: [String: AnyCodable]

    public init(
        type: String = "toolCall",
        id: String,
        name: String,
        arguments: [String: AnyCodable]
    ) {
        self.type = type
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

public enum ClientId: String, Codable, CaseIterable, Sendable {
    case webchatUi = "webchat-ui"
    case openclawControlUi = "openclaw-control-ui"
    case openclawBrowserCopilot = "openclaw-browser-copilot"
    case openclawTui = "openclaw-tui"
    case webchat
    case cli
    case gatewayClient = "gateway-client"
    case openclawMacos = "openclaw-macos"
    case openclawIos = "openclaw-ios"
    case openclawAndroid = "openclaw-android"
    case openclawLinux = "openclaw-linux"
    case openclawWatchos = "openclaw-watchos"
    case openclawWorker = "openclaw-worker"
    case nodeHost = "node-host"
    case test
    case fingerprint
    case openclawProbe = "openclaw-probe"
}

public struct ClientInfo: Codable, Sendable {
    public let id: ClientId
    public let displayName: String?
    public let version: String
    public let platform: String
    public let deviceFamily: String?
    public let modelIdentifier: String?
    public let mode: ClientMode
    public let instanceId: String?
    public let buildId: String?
    public let timeZone: String?

    public init(
        id: ClientId,
        displayName: String? = nil,
        version: String,
        platform: String,
        deviceFamily: String? = nil,
        modelIdentifier: String? = nil,
        mode: ClientMode,
        instanceId: String? = nil,
        buildId: String? = nil,
        timeZone: String? = nil
    ) {
        self.id = id
        self.displayName = displayName
        self.version = version
        self.platform = platform
        self.deviceFamily = deviceFamily
        self.modelIdentifier = modelIdentifier
        self.mode = mode
        self.instanceId = instanceId
        self.buildId = buildId
        self.timeZone = timeZone
    }
}

public enum ClientMode: String, Codable, CaseIterable, Sendable {
    case webchat
    case cli
    case ui
    case backend
    case node
    case probe
    case test
    case worker
}

public struct CommandEntry: Codable, Sendable {
    public let name: String
    public let nativeName: String?
    public let textAliases: [String]
    public let description: String
    public let category: String?
    public let source: String
    public let scope: String
    public let acceptsArgs: Bool
    public let args: [AnyCodable]?

    public init(
        name: String,
        nativeName: String? = nil,
        textAliases: [String],
        description: String,
        category: String? = nil,
        source: String,
        scope: String,
        acceptsArgs: Bool,
        args: [AnyCodable]? = nil
    ) {
        self.name = name
        self.nativeName = nativeName
        self.textAliases = textAliases
        self.description = description
        self.category = category
        self.source = source
        self.scope = scope
        self.acceptsArgs = acceptsArgs
        self.args = args
    }
}

/// The params of `commands.list`.
public struct CommandsListParams: Codable, Sendable {
    public let sessionKey: String?
    public let agentId: String?
    public let provider: String?
    public let scope: String?
    public let includeArgs: Bool?

    public init(
        sessionKey: String? = nil,
        agentId: String? = nil,
        provider: String? = nil,
        scope: String? = nil,
        includeArgs: Bool? = nil
    ) {
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.provider = provider
        self.scope = scope
        self.includeArgs = includeArgs
    }
}

/// The result of `commands.list`.
public struct CommandsListResult: Codable, Sendable {
    public let commands: [CommandEntry]

    public init(
        commands: [CommandEntry]
    ) {
        self.commands = commands
    }
}

/// The params of `config.get`.
public struct ConfigGetParams: Codable, Sendable {
    public init() {}
}

/// The result of `config.get`.
public struct ConfigGetResult: Codable, Sendable {
    public let path: String
    public let exists: Bool
    public let raw: String?
    public let parsed: AnyCodable
    public let resolved: AnyCodable
    public let valid: Bool
    public let config: AnyCodable
    public let sourceConfig: AnyCodable?
    public let runtimeConfig: AnyCodable?
    public let hash: String?
    public let issues: [ConfigIssue]
    public let warnings: [ConfigIssue]
    public let legacyIssues: [ConfigIssue]

    public init(
        path: String,
        exists: Bool,
        raw: String?,
        parsed: AnyCodable,
        resolved: AnyCodable,
        valid: Bool,
        config: AnyCodable,
        sourceConfig: AnyCodable? = nil,
        runtimeConfig: AnyCodable? = nil,
        hash: String? = nil,
        issues: [ConfigIssue],
        warnings: [ConfigIssue],
        legacyIssues: [ConfigIssue]
    ) {
        self.path = path
        self.exists = exists
        self.raw = raw
        self.parsed = parsed
        self.resolved = resolved
        self.valid = valid
        self.config = config
        self.sourceConfig = sourceConfig
        self.runtimeConfig = runtimeConfig
        self.hash = hash
        self.issues = issues
        self.warnings = warnings
        self.legacyIssues = legacyIssues
    }
}

public struct ConfigIssue: Codable, Sendable {
    public let path: String
    public let message: String

    public init(
        path: String,
        message: String
    ) {
        self.path = path
        self.message = message
    }
}

/// The params of `config.patch`.
public struct ConfigPatchParams: Codable, Sendable {
    public let raw: String
    public let baseHash: String?
    public let sessionKey: String?
    public let note: String?
    public let restartDelayMs: Int?
    public let deliveryContext: AnyCodable?
    public let replacePaths: [String]?

    public init(
        raw: String,
        baseHash: String? = nil,
        sessionKey: String? = nil,
        note: String? = nil,
        restartDelayMs: Int? = nil,
        deliveryContext: AnyCodable? = nil,
        replacePaths: [String]? = nil
    ) {
        self.raw = raw
        self.baseHash = baseHash
        self.sessionKey = sessionKey
        self.note = note
        self.restartDelayMs = restartDelayMs
        self.deliveryContext = deliveryContext
        self.replacePaths = replacePaths
    }
}

/// The result of `config.patch`.
public struct ConfigPatchResult: Codable, Sendable {
    public let ok: Bool
    public let path: String
    public let hash: String?
    public let config: AnyCodable
    public let restart: AnyCodable?
    public let sentinel: AnyCodable?

    public init(
        ok: Bool = true,
        path: String,
        hash: String? = nil,
        config: AnyCodable,
        restart: AnyCodable? = nil,
        sentinel: AnyCodable? = nil
    ) {
        self.ok = ok
        self.path = path
        self.hash = hash
        self.config = config
        self.restart = restart
        self.sentinel = sentinel
    }
}

/// The params of `config.schema`.
public struct ConfigSchemaParams: Codable, Sendable {
    public init() {}
}

/// The result of `config.schema`.
public struct ConfigSchemaResult: Codable, Sendable {
    public let schema: AnyCodable
    public let uiHints: [String: ConfigUiHint]
    public let version: String
    public let generatedAt: String

    public init(
        schema: AnyCodable,
        uiHints: [String: ConfigUiHint],
        version: String,
        generatedAt: String
    ) {
        self.schema = schema
        self.uiHints = uiHints
        self.version = version
        self.generatedAt = generatedAt
    }
}

/// The params of `config.set`.
public struct ConfigSetParams: Codable, Sendable {
    public let raw: String
    public let baseHash: String?

    public init(
        raw: String,
        baseHash: String? = nil
    ) {
        self.raw = raw
        self.baseHash = baseHash
    }
}

/// The result of `config.set`.
public struct ConfigSetResult: Codable, Sendable {
    public let ok: Bool
    public let path: String
    public let hash: String?
    public let config: AnyCodable

    public init(
        ok: Bool = true,
        path: String,
        hash: String? = nil,
        config: AnyCodable
    ) {
        self.ok = ok
        self.path = path
        self.hash = hash
        self.config = config
    }
}

public struct ConfigUiHint: Codable, Sendable {
    public let label: String?
    public let help: String?
    public let tags: [String]?
    public let group: String?
    public let order: Int?
    public let advanced: Bool?
    public let sensitive: Bool?
    public let placeholder: String?

    public init(
        label: String? = nil,
        help: String? = nil,
        tags: [String]? = nil,
        group: String? = nil,
        order: Int? = nil,
        advanced: Bool? = nil,
        sensitive: Bool? = nil,
        placeholder: String? = nil
    ) {
        self.label = label
        self.help = help
        self.tags = tags
        self.group = group
        self.order = order
        self.advanced = advanced
        self.sensitive = sensitive
        self.placeholder = placeholder
    }
}

public struct ConnectAuth: Codable, Sendable {
    public let token: String?
    public let deviceToken: String?
    public let password: String?
    public let bootstrapToken: String?
    public let approvalRuntimeToken: String?
    public let agentRuntimeIdentityToken: String?

    public init(
        token: String? = nil,
        deviceToken: String? = nil,
        password: String? = nil,
        bootstrapToken: String? = nil,
        approvalRuntimeToken: String? = nil,
        agentRuntimeIdentityToken: String? = nil
    ) {
        self.token = token
        self.deviceToken = deviceToken
        self.password = password
        self.bootstrapToken = bootstrapToken
        self.approvalRuntimeToken = approvalRuntimeToken
        self.agentRuntimeIdentityToken = agentRuntimeIdentityToken
    }
}

/// The payload of the event `connect.challenge`.
public struct ConnectChallengeEvent: Codable, Sendable {
    public let nonce: String
    public let ts: Int
    public let capabilities: [String]?

    public init(
        nonce: String,
        ts: Int,
        capabilities: [String]? = nil
    ) {
        self.nonce = nonce
        self.ts = ts
        self.capabilities = capabilities
    }
}

public struct ConnectParams: Codable, Sendable {
    public let minProtocol: Int
    public let maxProtocol: Int
    public let client: ClientInfo
    public let caps: [String]?
    public let commands: [String]?
    public let permissions: [String: Bool]?
    public let pathEnv: String?
    public let computerUse: AnyCodable?
    public let workerRuns: AnyCodable?
    public let modelCatalog: AnyCodable?
    public let role: String?
    public let scopes: [String]?
    public let device: DeviceProof?
    public let auth: ConnectAuth?
    public let locale: String?
    public let userAgent: String?

    public init(
        minProtocol: Int,
        maxProtocol: Int,
        client: ClientInfo,
        caps: [String]? = nil,
        commands: [String]? = nil,
        permissions: [String: Bool]? = nil,
        pathEnv: String? = nil,
        computerUse: AnyCodable? = nil,
        workerRuns: AnyCodable? = nil,
        modelCatalog: AnyCodable? = nil,
        role: String? = nil,
        scopes: [String]? = nil,
        device: DeviceProof? = nil,
        auth: ConnectAuth? = nil,
        locale: String? = nil,
        userAgent: String? = nil
    ) {
        self.minProtocol = minProtocol
        self.maxProtocol = maxProtocol
        self.client = client
        self.caps = caps
        self.commands = commands
        self.permissions = permissions
        self.pathEnv = pathEnv
        self.computerUse = computerUse
        self.workerRuns = workerRuns
        self.modelCatalog = modelCatalog
        self.role = role
        self.scopes = scopes
        self.device = device
        self.auth = auth
        self.locale = locale
        self.userAgent = userAgent
    }
}

/// The result of `connect`.
public typealias ConnectResult = HelloOk

public struct CronAt: Codable, Sendable {
    public let kind: String
    public let at: String

    public init(
        kind: String = "at",
        at: String
    ) {
        self.kind = kind
        self.at = at
    }
}

public struct CronEvery: Codable, Sendable {
    public let kind: String
    public let everyMs: Int
    public let anchorMs: Int?

    public init(
        kind: String = "every",
        everyMs: Int,
        anchorMs: Int? = nil
    ) {
        self.kind = kind
        self.everyMs = everyMs
        self.anchorMs = anchorMs
    }
}

public struct CronExpression: Codable, Sendable {
    public let kind: String
    public let expr: String
    public let tz: String?
    public let staggerMs: Int?

    public init(
        kind: String = "cron",
        expr: String,
        tz: String? = nil,
        staggerMs: Int? = nil
    ) {
        self.kind = kind
        self.expr = expr
        self.tz = tz
        self.staggerMs = staggerMs
    }
}

public struct CronJob: Codable, Sendable {
    public let id: String
    public let name: String
    public let agentId: String?
    public let sessionKey: String?
    public let description: String?
    public let enabled: Bool
    public let deleteAfterRun: Bool?
    public let createdAtMs: Int
    public let updatedAtMs: Int
    public let schedule: CronSchedule
    public let sessionTarget: String
    public let wakeMode: String
    public let payload: AnyCodable
    public let delivery: AnyCodable?
    public let state: CronJobState

    public init(
        id: String,
        name: String,
        agentId: String? = nil,
        sessionKey: String? = nil,
        description: String? = nil,
        enabled: Bool,
        deleteAfterRun: Bool? = nil,
        createdAtMs: Int,
        updatedAtMs: Int,
        schedule: CronSchedule,
        sessionTarget: String,
        wakeMode: String,
        payload: AnyCodable,
        delivery: AnyCodable? = nil,
        state: CronJobState
    ) {
        self.id = id
        self.name = name
        self.agentId = agentId
        self.sessionKey = sessionKey
        self.description = description
        self.enabled = enabled
        self.deleteAfterRun = deleteAfterRun
        self.createdAtMs = createdAtMs
        self.updatedAtMs = updatedAtMs
        self.schedule = schedule
        self.sessionTarget = sessionTarget
        self.wakeMode = wakeMode
        self.payload = payload
        self.delivery = delivery
        self.state = state
    }
}

public struct CronJobState: Codable, Sendable {
    public let nextRunAtMs: Int?
    public let runningAtMs: Int?
    public let lastRunAtMs: Int?
    public let lastRunStatus: String?
    public let lastStatus: String?
    public let lastError: String?
    public let lastDurationMs: Int?
    public let consecutiveErrors: Int?

    public init(
        nextRunAtMs: Int? = nil,
        runningAtMs: Int? = nil,
        lastRunAtMs: Int? = nil,
        lastRunStatus: String? = nil,
        lastStatus: String? = nil,
        lastError: String? = nil,
        lastDurationMs: Int? = nil,
        consecutiveErrors: Int? = nil
    ) {
        self.nextRunAtMs = nextRunAtMs
        self.runningAtMs = runningAtMs
        self.lastRunAtMs = lastRunAtMs
        self.lastRunStatus = lastRunStatus
        self.lastStatus = lastStatus
        self.lastError = lastError
        self.lastDurationMs = lastDurationMs
        self.consecutiveErrors = consecutiveErrors
    }
}

/// The params of `cron.list`.
public struct CronListParams: Codable, Sendable {
    public let includeDisabled: Bool?
    public let limit: Int?
    public let offset: Int?
    public let query: String?
    public let enabled: String?
    public let sortBy: String?
    public let sortDir: String?
    public let scheduleKind: String?
    public let lastRunStatus: String?
    public let trigger: String?
    public let agentId: String?
    public let sessionKey: String?
    public let sessionAgentId: String?
    public let compact: Bool?
    public let includeDeliveryPreviews: Bool?

    public init(
        includeDisabled: Bool? = nil,
        limit: Int? = nil,
        offset: Int? = nil,
        query: String? = nil,
        enabled: String? = nil,
        sortBy: String? = nil,
        sortDir: String? = nil,
        scheduleKind: String? = nil,
        lastRunStatus: String? = nil,
        trigger: String? = nil,
        agentId: String? = nil,
        sessionKey: String? = nil,
        sessionAgentId: String? = nil,
        compact: Bool? = nil,
        includeDeliveryPreviews: Bool? = nil
    ) {
        self.includeDisabled = includeDisabled
        self.limit = limit
        self.offset = offset
        self.query = query
        self.enabled = enabled
        self.sortBy = sortBy
        self.sortDir = sortDir
        self.scheduleKind = scheduleKind
        self.lastRunStatus = lastRunStatus
        self.trigger = trigger
        self.agentId = agentId
        self.sessionKey = sessionKey
        self.sessionAgentId = sessionAgentId
        self.compact = compact
        self.includeDeliveryPreviews = includeDeliveryPreviews
    }
}

/// The result of `cron.list`.
public struct CronListResult: Codable, Sendable {
    public let jobs: [CronJob]
    public let total: Int
    public let offset: Int
    public let limit: Int
    public let hasMore: Bool
    public let nextOffset: Int?
    public let snapshotRevision: String?

    public init(
        jobs: [CronJob],
        total: Int,
        offset: Int,
        limit: Int,
        hasMore: Bool,
        nextOffset: Int?,
        snapshotRevision: String? = nil
    ) {
        self.jobs = jobs
        self.total = total
        self.offset = offset
        self.limit = limit
        self.hasMore = hasMore
        self.nextOffset = nextOffset
        self.snapshotRevision = snapshotRevision
    }
}

public enum CronSchedule: Codable, Sendable {
    case at(CronAt)
    case every(CronEvery)
    case cron(CronExpression)
    /// Something that later versions of the protocol have.
    case unknown(AnyCodable)

    private enum Tag: String, CodingKey { case kind }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: Tag.self)
        switch try container.decode(String.self, forKey: .kind) {
        case "at": self = .at(try CronAt(from: decoder))
        case "every": self = .every(try CronEvery(from: decoder))
        case "cron": self = .cron(try CronExpression(from: decoder))
        default: self = .unknown(try AnyCodable(from: decoder))
        }
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .at(let value): try value.encode(to: encoder)
        case .every(let value): try value.encode(to: encoder)
        case .cron(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

/// The params of `cron.status`.
public struct CronStatusParams: Codable, Sendable {
    public init() {}
}

/// The result of `cron.status`.
public struct CronStatusResult: Codable, Sendable {
    public let enabled: Bool
    public let storePath: String
    public let jobs: Int
    public let nextWakeAtMs: Int?

    public init(
        enabled: Bool,
        storePath: String,
        jobs: Int,
        nextWakeAtMs: Int?
    ) {
        self.enabled = enabled
        self.storePath = storePath
        self.jobs = jobs
        self.nextWakeAtMs = nextWakeAtMs
    }
}

/// The params of `device.pair.approve`.
public struct DevicePairApproveParams: Codable, Sendable {
    public let requestId: String

    public init(
        requestId: String
    ) {
        self.requestId = requestId
    }
}

/// The result of `device.pair.approve`.
public struct DevicePairApproveResult: Codable, Sendable {
    public let requestId: String
    public let device: PairedDevice

    public init(
        requestId: String,
        device: PairedDevice
    ) {
        self.requestId = requestId
        self.device = device
    }
}

/// The params of `device.pair.list`.
public struct DevicePairListParams: Codable, Sendable {
    public init() {}
}

/// The result of `device.pair.list`.
public struct DevicePairListResult: Codable, Sendable {
    public let pending: [DevicePairRequest]
    public let paired: [PairedDevice]

    public init(
        pending: [DevicePairRequest],
        paired: [PairedDevice]
    ) {
        self.pending = pending
        self.paired = paired
    }
}

/// The params of `device.pair.reject`.
public struct DevicePairRejectParams: Codable, Sendable {
    public let requestId: String

    public init(
        requestId: String
    ) {
        self.requestId = requestId
    }
}

/// The result of `device.pair.reject`.
public struct DevicePairRejectResult: Codable, Sendable {
    public let requestId: String
    public let deviceId: String

    public init(
        requestId: String,
        deviceId: String
    ) {
        self.requestId = requestId
        self.deviceId = deviceId
    }
}

/// The params of `device.pair.remove`.
public struct DevicePairRemoveParams: Codable, Sendable {
    public let deviceId: String

    public init(
        deviceId: String
    ) {
        self.deviceId = deviceId
    }
}

/// The result of `device.pair.remove`.
public struct DevicePairRemoveResult: Codable, Sendable {
    public let deviceId: String

    public init(
        deviceId: String
    ) {
        self.deviceId = deviceId
    }
}

/// The params of `device.pair.rename`.
public struct DevicePairRenameParams: Codable, Sendable {
    public let deviceId: String
    public let label: String

    public init(
        deviceId: String,
        label: String
    ) {
        self.deviceId = deviceId
        self.label = label
    }
}

/// The result of `device.pair.rename`.
public struct DevicePairRenameResult: Codable, Sendable {
    public let deviceId: String
    public let label: String

    public init(
        deviceId: String,
        label: String
    ) {
        self.deviceId = deviceId
        self.label = label
    }
}

public struct DevicePairRequest: Codable, Sendable {
    public let requestId: String
    public let deviceId: String
    public let publicKey: String
    public let displayName: String?
    public let platform: String?
    public let deviceFamily: String?
    public let clientId: String?
    public let clientMode: String?
    public let role: String?
    public let roles: [String]?
    public let scopes: [String]?
    public let remoteIp: String?
    public let silent: Bool?
    public let isRepair: Bool?
    public let ts: Int

    public init(
        requestId: String,
        deviceId: String,
        publicKey: String,
        displayName: String? = nil,
        platform: String? = nil,
        deviceFamily: String? = nil,
        clientId: String? = nil,
        clientMode: String? = nil,
        role: String? = nil,
        roles: [String]? = nil,
        scopes: [String]? = nil,
        remoteIp: String? = nil,
        silent: Bool? = nil,
        isRepair: Bool? = nil,
        ts: Int
    ) {
        self.requestId = requestId
        self.deviceId = deviceId
        self.publicKey = publicKey
        self.displayName = displayName
        self.platform = platform
        self.deviceFamily = deviceFamily
        self.clientId = clientId
        self.clientMode = clientMode
        self.role = role
        self.roles = roles
        self.scopes = scopes
        self.remoteIp = remoteIp
        self.silent = silent
        self.isRepair = isRepair
        self.ts = ts
    }
}

/// The payload of the event `device.pair.requested`.
public typealias DevicePairRequestedEvent = DevicePairRequest

/// The payload of the event `device.pair.resolved`.
public struct DevicePairResolvedEvent: Codable, Sendable {
    public let requestId: String
    public let deviceId: String
    public let decision: String
    public let ts: Int

    public init(
        requestId: String,
        deviceId: String,
        decision: String,
        ts: Int
    ) {
        self.requestId = requestId
        self.deviceId = deviceId
        self.decision = decision
        self.ts = ts
    }
}

/// The params of `device.pair.setupCode`.
public struct DevicePairSetupCodeParams: Codable, Sendable {
    public let publicUrl: String?
    public let preferRemoteUrl: Bool?
    public let includeQr: Bool?
    public let bootstrapProfile: String?
    public let joinUrl: Bool?

    public init(
        publicUrl: String? = nil,
        preferRemoteUrl: Bool? = nil,
        includeQr: Bool? = nil,
        bootstrapProfile: String? = nil,
        joinUrl: Bool? = nil
    ) {
        self.publicUrl = publicUrl
        self.preferRemoteUrl = preferRemoteUrl
        self.includeQr = includeQr
        self.bootstrapProfile = bootstrapProfile
        self.joinUrl = joinUrl
    }
}

/// The result of `device.pair.setupCode`.
public struct DevicePairSetupCodeResult: Codable, Sendable {
    public let setupId: String
    public let expiresAtMs: Int
    public let setupCode: String
    public let qrDataUrl: String?
    public let gatewayUrl: String
    public let gatewayUrls: [String]?
    public let auth: String
    public let urlSource: String
    public let access: SetupAccess
    public let accessDowngraded: Bool?

    public init(
        setupId: String,
        expiresAtMs: Int,
        setupCode: String,
        qrDataUrl: String? = nil,
        gatewayUrl: String,
        gatewayUrls: [String]? = nil,
        auth: String,
        urlSource: String,
        access: SetupAccess,
        accessDowngraded: Bool? = nil
    ) {
        self.setupId = setupId
        self.expiresAtMs = expiresAtMs
        self.setupCode = setupCode
        self.qrDataUrl = qrDataUrl
        self.gatewayUrl = gatewayUrl
        self.gatewayUrls = gatewayUrls
        self.auth = auth
        self.urlSource = urlSource
        self.access = access
        self.accessDowngraded = accessDowngraded
    }
}

/// The payload of the event `device.pair.setup.completed`.
public typealias DevicePairSetupCompletedEvent = SetupCompletion

/// The params of `device.pair.setupStatus`.
public struct DevicePairSetupStatusParams: Codable, Sendable {
    public let setupId: String

    public init(
        setupId: String
    ) {
        self.setupId = setupId
    }
}

/// The result of `device.pair.setupStatus`.
public struct DevicePairSetupStatusResult: Codable, Sendable {
    public let completion: SetupCompletion?

    public init(
        completion: SetupCompletion? = nil
    ) {
        self.completion = completion
    }
}

public struct DeviceProof: Codable, Sendable {
    public let id: String
    public let publicKey: String
    public let signature: String
    public let signedAt: Int
    public let nonce: String

    public init(
        id: String,
        publicKey: String,
        signature: String,
        signedAt: Int,
        nonce: String
    ) {
        self.id = id
        self.publicKey = publicKey
        self.signature = signature
        self.signedAt = signedAt
        self.nonce = nonce
    }
}

/// The params of `device.scopes.requestUpgrade`.
public struct DeviceScopesRequestUpgradeParams: Codable, Sendable {
    public let scopes: [String]

    public init(
        scopes: [String]
    ) {
        self.scopes = scopes
    }
}

/// The result of `device.scopes.requestUpgrade`.
public struct DeviceScopesRequestUpgradeResult: Codable, Sendable {
    public let requestId: String

    public init(
        requestId: String
    ) {
        self.requestId = requestId
    }
}

/// The params of `device.scopes.waitUpgrade`.
public struct DeviceScopesWaitUpgradeParams: Codable, Sendable {
    public let requestId: String

    public init(
        requestId: String
    ) {
        self.requestId = requestId
    }
}

/// The result of `device.scopes.waitUpgrade`.
public struct DeviceScopesWaitUpgradeResult: Codable, Sendable {
    public let status: String
    public let requestId: String
    public let deviceToken: String?
    public let scopes: [String]?

    public init(
        status: String,
        requestId: String,
        deviceToken: String? = nil,
        scopes: [String]? = nil
    ) {
        self.status = status
        self.requestId = requestId
        self.deviceToken = deviceToken
        self.scopes = scopes
    }
}

/// The params of `device.token.revoke`.
public struct DeviceTokenRevokeParams: Codable, Sendable {
    public let deviceId: String
    public let role: String

    public init(
        deviceId: String,
        role: String
    ) {
        self.deviceId = deviceId
        self.role = role
    }
}

/// The result of `device.token.revoke`.
public struct DeviceTokenRevokeResult: Codable, Sendable {
    public let deviceId: String
    public let role: String
    public let revokedAtMs: Int

    public init(
        deviceId: String,
        role: String,
        revokedAtMs: Int
    ) {
        self.deviceId = deviceId
        self.role = role
        self.revokedAtMs = revokedAtMs
    }
}

/// The params of `device.token.rotate`.
public struct DeviceTokenRotateParams: Codable, Sendable {
    public let deviceId: String
    public let role: String
    public let scopes: [String]?

    public init(
        deviceId: String,
        role: String,
        scopes: [String]? = nil
    ) {
        self.deviceId = deviceId
        self.role = role
        self.scopes = scopes
    }
}

/// The result of `device.token.rotate`.
public struct DeviceTokenRotateResult: Codable, Sendable {
    public let deviceId: String
    public let role: String
    public let token: String?
    public let tokenDelivery: String?
    public let scopes: [String]
    public let rotatedAtMs: Int

    public init(
        deviceId: String,
        role: String,
        token: String? = nil,
        tokenDelivery: String? = nil,
        scopes: [String],
        rotatedAtMs: Int
    ) {
        self.deviceId = deviceId
        self.role = role
        self.token = token
        self.tokenDelivery = tokenDelivery
        self.scopes = scopes
        self.rotatedAtMs = rotatedAtMs
    }
}

public struct DeviceTokenSummary: Codable, Sendable {
    public let role: String
    public let scopes: [String]
    public let createdAtMs: Int
    public let rotatedAtMs: Int?
    public let revokedAtMs: Int?
    public let lastUsedAtMs: Int?

    public init(
        role: String,
        scopes: [String],
        createdAtMs: Int,
        rotatedAtMs: Int? = nil,
        revokedAtMs: Int? = nil,
        lastUsedAtMs: Int? = nil
    ) {
        self.role = role
        self.scopes = scopes
        self.createdAtMs = createdAtMs
        self.rotatedAtMs = rotatedAtMs
        self.revokedAtMs = revokedAtMs
        self.lastUsedAtMs = lastUsedAtMs
    }
}

public enum ErrorCode: String, Codable, CaseIterable, Sendable {
    case invalidRequest = "INVALID_REQUEST"
    case notPaired = "NOT_PAIRED"
    case forbidden = "FORBIDDEN"
    case unavailable = "UNAVAILABLE"
    case approvalNotFound = "APPROVAL_NOT_FOUND"
    case notLinked = "NOT_LINKED"
    case agentTimeout = "AGENT_TIMEOUT"
}

public struct ErrorShape: Codable, Sendable {
    public let code: String
    public let message: String
    public let details: AnyCodable?
    public let retryable: Bool?
    public let retryAfterMs: Int?

    public init(
        code: String,
        message: String,
        details: AnyCodable? = nil,
        retryable: Bool? = nil,
        retryAfterMs: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.details = details
        self.retryable = retryable
        self.retryAfterMs = retryAfterMs
    }
}

public struct EventFrame: Codable, Sendable {
    public let type: String
    public let event: String
    public let payload: AnyCodable?
    public let seq: Int?
    public let stateVersion: StateVersion?
    public let recipientProfileId: String?

    public init(
        type: String = "event",
        event: String,
        payload: AnyCodable? = nil,
        seq: Int? = nil,
        stateVersion: StateVersion? = nil,
        recipientProfileId: String? = nil
    ) {
        self.type = type
        self.event = event
        self.payload = payload
        self.seq = seq
        self.stateVersion = stateVersion
        self.recipientProfileId = recipientProfileId
    }
}

/// The params of `exec.approval.list`.
public struct ExecApprovalListParams: Codable, Sendable {
    public init() {}
}

/// The result of `exec.approval.list`.
public typealias ExecApprovalListResult = [AnyCodable]

public struct Features: Codable, Sendable {
    public let methods: [String]
    public let events: [String]
    public let capabilities: [String]?

    public init(
        methods: [String],
        events: [String],
        capabilities: [String]? = nil
    ) {
        self.methods = methods
        self.events = events
        self.capabilities = capabilities
    }
}

public enum GatewayFrame: Codable, Sendable {
    case req(RequestFrame)
    case res(ResponseFrame)
    case event(EventFrame)
    /// Something that later versions of the protocol have.
    case unknown(AnyCodable)

    private enum Tag: String, CodingKey { case type }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: Tag.self)
        switch try container.decode(String.self, forKey: .type) {
        case "req": self = .req(try RequestFrame(from: decoder))
        case "res": self = .res(try ResponseFrame(from: decoder))
        case "event": self = .event(try EventFrame(from: decoder))
        default: self = .unknown(try AnyCodable(from: decoder))
        }
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .req(let value): try value.encode(to: encoder)
        case .res(let value): try value.encode(to: encoder)
        case .event(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

/// The payload of the event `health`.
public typealias HealthEvent = HealthSnapshot

/// The params of `health`.
public struct HealthParams: Codable, Sendable {
    public let probe: Bool?

    public init(
        probe: Bool? = nil
    ) {
        self.probe = probe
    }
}

/// The result of `health`.
public typealias HealthResult = HealthSnapshot

public struct HealthSnapshot: Codable, Sendable {
    public let ok: Bool
    public let ts: Int
    public let durationMs: Int
    public let channels: [String: AnyCodable]
    public let channelOrder: [String]
    public let channelLabels: [String: String]
    public let heartbeatSeconds: Int
    public let defaultAgentId: String
    public let agents: [AgentHealth]
    public let sessions: SessionSummary

    public init(
        ok: Bool = true,
        ts: Int,
        durationMs: Int,
        channels: [String: AnyCodable],
        channelOrder: [String],
        channelLabels: [String: String],
        heartbeatSeconds: Int,
        defaultAgentId: String,
        agents: [AgentHealth],
        sessions: SessionSummary
    ) {
        self.ok = ok
        self.ts = ts
        self.durationMs = durationMs
        self.channels = channels
        self.channelOrder = channelOrder
        self.channelLabels = channelLabels
        self.heartbeatSeconds = heartbeatSeconds
        self.defaultAgentId = defaultAgentId
        self.agents = agents
        self.sessions = sessions
    }
}

public struct Heartbeat: Codable, Sendable {
    public let ts: Int
    public let status: String
    public let to: String?
    public let accountId: String?
    public let preview: String?
    public let durationMs: Int?
    public let hasMedia: Bool?
    public let reason: String?
    public let channel: String?
    public let silent: Bool?
    public let indicatorType: String?

    public init(
        ts: Int,
        status: String,
        to: String? = nil,
        accountId: String? = nil,
        preview: String? = nil,
        durationMs: Int? = nil,
        hasMedia: Bool? = nil,
        reason: String? = nil,
        channel: String? = nil,
        silent: Bool? = nil,
        indicatorType: String? = nil
    ) {
        self.ts = ts
        self.status = status
        self.to = to
        self.accountId = accountId
        self.preview = preview
        self.durationMs = durationMs
        self.hasMedia = hasMedia
        self.reason = reason
        self.channel = channel
        self.silent = silent
        self.indicatorType = indicatorType
    }
}

/// The payload of the event `heartbeat`.
public typealias HeartbeatEvent = Heartbeat

public struct HelloAuth: Codable, Sendable {
    public let method: String?
    public let role: String
    public let scopes: [String]
    public let deviceToken: String?
    public let issuedAtMs: Int?
    public let deviceTokens: [HelloDeviceToken]?

    public init(
        method: String? = nil,
        role: String,
        scopes: [String],
        deviceToken: String? = nil,
        issuedAtMs: Int? = nil,
        deviceTokens: [HelloDeviceToken]? = nil
    ) {
        self.method = method
        self.role = role
        self.scopes = scopes
        self.deviceToken = deviceToken
        self.issuedAtMs = issuedAtMs
        self.deviceTokens = deviceTokens
    }
}

public struct HelloDeviceToken: Codable, Sendable {
    public let deviceToken: String
    public let role: String
    public let scopes: [String]
    public let issuedAtMs: Int

    public init(
        deviceToken: String,
        role: String,
        scopes: [String],
        issuedAtMs: Int
    ) {
        self.deviceToken = deviceToken
        self.role = role
        self.scopes = scopes
        self.issuedAtMs = issuedAtMs
    }
}

public struct HelloOk: Codable, Sendable {
    public let type: String
    public let `protocol`: Int
    public let server: ServerInfo
    public let features: Features
    public let snapshot: Snapshot
    public let auth: HelloAuth?
    public let policy: Policy
    public let canvasHostUrl: String?
    public let pluginSurfaceUrls: [String: String]?

    public init(
        type: String = "hello-ok",
        `protocol`: Int,
        server: ServerInfo,
        features: Features,
        snapshot: Snapshot,
        auth: HelloAuth? = nil,
        policy: Policy,
        canvasHostUrl: String? = nil,
        pluginSurfaceUrls: [String: String]? = nil
    ) {
        self.type = type
        self.`protocol` = `protocol`
        self.server = server
        self.features = features
        self.snapshot = snapshot
        self.auth = auth
        self.policy = policy
        self.canvasHostUrl = canvasHostUrl
        self.pluginSurfaceUrls = pluginSurfaceUrls
    }
}

/// The params of `last-heartbeat`.
public struct LastHeartbeatParams: Codable, Sendable {
    public init() {}
}

/// The result of `last-heartbeat`.
public typealias LastHeartbeatResult = Heartbeat?

/// The params of `logs.tail`.
public struct LogsTailParams: Codable, Sendable {
    public let cursor: Int?
    public let limit: Int?
    public let maxBytes: Int?

    public init(
        cursor: Int? = nil,
        limit: Int? = nil,
        maxBytes: Int? = nil
    ) {
        self.cursor = cursor
        self.limit = limit
        self.maxBytes = maxBytes
    }
}

/// The result of `logs.tail`.
public struct LogsTailResult: Codable, Sendable {
    public let file: String
    public let cursor: Int
    public let size: Int
    public let lines: [String]
    public let truncated: Bool?
    public let reset: Bool?

    public init(
        file: String,
        cursor: Int,
        size: Int,
        lines: [String],
        truncated: Bool? = nil,
        reset: Bool? = nil
    ) {
        self.file = file
        self.cursor = cursor
        self.size = size
        self.lines = lines
        self.truncated = truncated
        self.reset = reset
    }
}

/// The params of `message.action`.
public struct MessageActionParams: Codable, Sendable {
    public let channel: String
    public let action: String
    public let params: [String: AnyCodable]
    public let reply: AnyCodable?
    public let accountId: String?
    public let requesterAccountId: String?
    public let requesterSenderId: String?
    public let senderIsOwner: Bool?
    public let sessionKey: String?
    public let sessionId: String?
    public let inboundTurnKind: String?
    public let agentId: String?
    public let toolContext: [String: AnyCodable]?
    public let conversationReadOrigin: String?
    public let idempotencyKey: String

    public init(
        channel: String,
        action: String,
        params: [String: AnyCodable],
        reply: AnyCodable? = nil,
        accountId: String? = nil,
        requesterAccountId: String? = nil,
        requesterSenderId: String? = nil,
        senderIsOwner: Bool? = nil,
        sessionKey: String? = nil,
        sessionId: String? = nil,
        inboundTurnKind: String? = nil,
        agentId: String? = nil,
        toolContext: [String: AnyCodable]? = nil,
        conversationReadOrigin: String? = nil,
        idempotencyKey: String
    ) {
        self.channel = channel
        self.action = action
        self.params = params
        self.reply = reply
        self.accountId = accountId
        self.requesterAccountId = requesterAccountId
        self.requesterSenderId = requesterSenderId
        self.senderIsOwner = senderIsOwner
        self.sessionKey = sessionKey
        self.sessionId = sessionId
        self.inboundTurnKind = inboundTurnKind
        self.agentId = agentId
        self.toolContext = toolContext
        self.conversationReadOrigin = conversationReadOrigin
        self.idempotencyKey = idempotencyKey
    }
}

/// The result of `message.action`.
public struct MessageActionResult: Codable, Sendable {
    public let ok: Bool
    public let action: String
    public let channel: String
    public let accountId: String
    public let chatId: String
    public let messageId: String?
    public let messageIds: [String]?

    public init(
        ok: Bool = true,
        action: String,
        channel: String,
        accountId: String,
        chatId: String,
        messageId: String? = nil,
        messageIds: [String]? = nil
    ) {
        self.ok = ok
        self.action = action
        self.channel = channel
        self.accountId = accountId
        self.chatId = chatId
        self.messageId = messageId
        self.messageIds = messageIds
    }
}

public struct ModelChoice: Codable, Sendable {
    public let id: String
    public let name: String
    public let provider: String
    public let contextWindow: Int?
    public let contextTokens: Int?
    public let reasoning: Bool?
    public let input: [String]?
    public let tags: [String]?
    public let available: Bool?
    public let thinkingLevels: [ThinkingLevelOption]?
    public let thinkingDefault: String?
    public let supportsTools: Bool?

    public init(
        id: String,
        name: String,
        provider: String,
        contextWindow: Int? = nil,
        contextTokens: Int? = nil,
        reasoning: Bool? = nil,
        input: [String]? = nil,
        tags: [String]? = nil,
        available: Bool? = nil,
        thinkingLevels: [ThinkingLevelOption]? = nil,
        thinkingDefault: String? = nil,
        supportsTools: Bool? = nil
    ) {
        self.id = id
        self.name = name
        self.provider = provider
        self.contextWindow = contextWindow
        self.contextTokens = contextTokens
        self.reasoning = reasoning
        self.input = input
        self.tags = tags
        self.available = available
        self.thinkingLevels = thinkingLevels
        self.thinkingDefault = thinkingDefault
        self.supportsTools = supportsTools
    }
}

/// The params of `models.list`.
public struct ModelsListParams: Codable, Sendable {
    public let view: String?
    public let agentId: String?
    public let sessionKey: String?
    public let authProfileId: String?
    public let provider: String?
    public let includeDetails: Bool?
    public let includeProviderCapabilities: Bool?
    public let includeDefaultModels: Bool?
    public let preparedOnly: Bool?
    public let refresh: Bool?

    public init(
        view: String? = nil,
        agentId: String? = nil,
        sessionKey: String? = nil,
        authProfileId: String? = nil,
        provider: String? = nil,
        includeDetails: Bool? = nil,
        includeProviderCapabilities: Bool? = nil,
        includeDefaultModels: Bool? = nil,
        preparedOnly: Bool? = nil,
        refresh: Bool? = nil
    ) {
        self.view = view
        self.agentId = agentId
        self.sessionKey = sessionKey
        self.authProfileId = authProfileId
        self.provider = provider
        self.includeDetails = includeDetails
        self.includeProviderCapabilities = includeProviderCapabilities
        self.includeDefaultModels = includeDefaultModels
        self.preparedOnly = preparedOnly
        self.refresh = refresh
    }
}

/// The result of `models.list`.
public struct ModelsListResult: Codable, Sendable {
    public let models: [ModelChoice]

    public init(
        models: [ModelChoice]
    ) {
        self.models = models
    }
}

/// The params of `node.describe`.
public struct NodeDescribeParams: Codable, Sendable {
    public let nodeId: String

    public init(
        nodeId: String
    ) {
        self.nodeId = nodeId
    }
}

/// The result of `node.describe`.
public struct NodeDescribeResult: Codable, Sendable {
    public let ts: Int
    public let nodeId: String
    public let displayName: String?
    public let platform: String?
    public let version: String?
    public let coreVersion: String?
    public let uiVersion: String?
    public let deviceFamily: String?
    public let modelIdentifier: String?
    public let clientId: String?
    public let clientMode: String?
    public let remoteIp: String?
    public let caps: [String]
    public let commands: [String]
    public let pathEnv: String?
    public let permissions: [String: Bool]?
    public let paired: Bool
    public let connected: Bool
    public let connectedAtMs: Int?
    public let lastSeenAtMs: Int?
    public let approvedAtMs: Int?
    public let lastConnectedAtMs: Int?
    public let approvalState: String?
    public let pendingRequestId: String?
    public let pendingDeclaredCaps: [String]?
    public let pendingDeclaredCommands: [String]?
    public let pendingDeclaredPermissions: [String: Bool]?
    public let nodePluginTools: [NodePluginTool]?

    public init(
        ts: Int,
        nodeId: String,
        displayName: String? = nil,
        platform: String? = nil,
        version: String? = nil,
        coreVersion: String? = nil,
        uiVersion: String? = nil,
        deviceFamily: String? = nil,
        modelIdentifier: String? = nil,
        clientId: String? = nil,
        clientMode: String? = nil,
        remoteIp: String? = nil,
        caps: [String],
        commands: [String],
        pathEnv: String? = nil,
        permissions: [String: Bool]? = nil,
        paired: Bool,
        connected: Bool,
        connectedAtMs: Int? = nil,
        lastSeenAtMs: Int? = nil,
        approvedAtMs: Int? = nil,
        lastConnectedAtMs: Int? = nil,
        approvalState: String? = nil,
        pendingRequestId: String? = nil,
        pendingDeclaredCaps: [String]? = nil,
        pendingDeclaredCommands: [String]? = nil,
        pendingDeclaredPermissions: [String: Bool]? = nil,
        nodePluginTools: [NodePluginTool]? = nil
    ) {
        self.ts = ts
        self.nodeId = nodeId
        self.displayName = displayName
        self.platform = platform
        self.version = version
        self.coreVersion = coreVersion
        self.uiVersion = uiVersion
        self.deviceFamily = deviceFamily
        self.modelIdentifier = modelIdentifier
        self.clientId = clientId
        self.clientMode = clientMode
        self.remoteIp = remoteIp
        self.caps = caps
        self.commands = commands
        self.pathEnv = pathEnv
        self.permissions = permissions
        self.paired = paired
        self.connected = connected
        self.connectedAtMs = connectedAtMs
        self.lastSeenAtMs = lastSeenAtMs
        self.approvedAtMs = approvedAtMs
        self.lastConnectedAtMs = lastConnectedAtMs
        self.approvalState = approvalState
        self.pendingRequestId = pendingRequestId
        self.pendingDeclaredCaps = pendingDeclaredCaps
        self.pendingDeclaredCommands = pendingDeclaredCommands
        self.pendingDeclaredPermissions = pendingDeclaredPermissions
        self.nodePluginTools = nodePluginTools
    }
}

public struct NodeEntry: Codable, Sendable {
    public let nodeId: String
    public let displayName: String?
    public let platform: String?
    public let version: String?
    public let coreVersion: String?
    public let uiVersion: String?
    public let deviceFamily: String?
    public let modelIdentifier: String?
    public let clientId: String?
    public let clientMode: String?
    public let remoteIp: String?
    public let caps: [String]
    public let commands: [String]
    public let pathEnv: String?
    public let permissions: [String: Bool]?
    public let paired: Bool
    public let connected: Bool
    public let connectedAtMs: Int?
    public let lastSeenAtMs: Int?
    public let approvedAtMs: Int?
    public let lastConnectedAtMs: Int?
    public let approvalState: String?
    public let pendingRequestId: String?
    public let pendingDeclaredCaps: [String]?
    public let pendingDeclaredCommands: [String]?
    public let pendingDeclaredPermissions: [String: Bool]?
    public let nodePluginTools: [NodePluginTool]?

    public init(
        nodeId: String,
        displayName: String? = nil,
        platform: String? = nil,
        version: String? = nil,
        coreVersion: String? = nil,
        uiVersion: String? = nil,
        deviceFamily: String? = nil,
        modelIdentifier: String? = nil,
        clientId: String? = nil,
        clientMode: String? = nil,
        remoteIp: String? = nil,
        caps: [String],
        commands: [String],
        pathEnv: String? = nil,
        permissions: [String: Bool]? = nil,
        paired: Bool,
        connected: Bool,
        connectedAtMs: Int? = nil,
        lastSeenAtMs: Int? = nil,
        approvedAtMs: Int? = nil,
        lastConnectedAtMs: Int? = nil,
        approvalState: String? = nil,
        pendingRequestId: String? = nil,
        pendingDeclaredCaps: [String]? = nil,
        pendingDeclaredCommands: [String]? = nil,
        pendingDeclaredPermissions: [String: Bool]? = nil,
        nodePluginTools: [NodePluginTool]? = nil
    ) {
        self.nodeId = nodeId
        self.displayName = displayName
        self.platform = platform
        self.version = version
        self.coreVersion = coreVersion
        self.uiVersion = uiVersion
        self.deviceFamily = deviceFamily
        self.modelIdentifier = modelIdentifier
        self.clientId = clientId
        self.clientMode = clientMode
        self.remoteIp = remoteIp
        self.caps = caps
        self.commands = commands
        self.pathEnv = pathEnv
        self.permissions = permissions
        self.paired = paired
        self.connected = connected
        self.connectedAtMs = connectedAtMs
        self.lastSeenAtMs = lastSeenAtMs
        self.approvedAtMs = approvedAtMs
        self.lastConnectedAtMs = lastConnectedAtMs
        self.approvalState = approvalState
        self.pendingRequestId = pendingRequestId
        self.pendingDeclaredCaps = pendingDeclaredCaps
        self.pendingDeclaredCommands = pendingDeclaredCommands
        self.pendingDeclaredPermissions = pendingDeclaredPermissions
        self.nodePluginTools = nodePluginTools
    }
}

/// The params of `node.event`.
public struct NodeEventParams: Codable, Sendable {
    public let event: String
    public let payload: AnyCodable?
    public let payloadJSON: String?

    public init(
        event: String,
        payload: AnyCodable? = nil,
        payloadJSON: String? = nil
    ) {
        self.event = event
        self.payload = payload
        self.payloadJSON = payloadJSON
    }
}

/// The result of `node.event`.
public struct NodeEventResult: Codable, Sendable {
    public let ok: Bool
    public let event: String?
    public let handled: Bool?
    public let reason: String?

    public init(
        ok: Bool,
        event: String? = nil,
        handled: Bool? = nil,
        reason: String? = nil
    ) {
        self.ok = ok
        self.event = event
        self.handled = handled
        self.reason = reason
    }
}

/// The params of `node.list`.
public struct NodeListParams: Codable, Sendable {
    public init() {}
}

/// The result of `node.list`.
public struct NodeListResult: Codable, Sendable {
    public let ts: Int
    public let nodes: [NodeEntry]

    public init(
        ts: Int,
        nodes: [NodeEntry]
    ) {
        self.ts = ts
        self.nodes = nodes
    }
}

public struct NodeMcpTool: Codable, Sendable {
    public let server: String
    public let tool: String

    public init(
        server: String,
        tool: String
    ) {
        self.server = server
        self.tool = tool
    }
}

/// The params of `node.pair.approve`.
public struct NodePairApproveParams: Codable, Sendable {
    public let requestId: String

    public init(
        requestId: String
    ) {
        self.requestId = requestId
    }
}

/// The result of `node.pair.approve`.
public struct NodePairApproveResult: Codable, Sendable {
    public let requestId: String
    public let node: PairedNode

    public init(
        requestId: String,
        node: PairedNode
    ) {
        self.requestId = requestId
        self.node = node
    }
}

/// The params of `node.pair.list`.
public struct NodePairListParams: Codable, Sendable {
    public init() {}
}

/// The result of `node.pair.list`.
public struct NodePairListResult: Codable, Sendable {
    public let pending: [NodePairRequest]
    public let paired: [PairedNode]

    public init(
        pending: [NodePairRequest],
        paired: [PairedNode]
    ) {
        self.pending = pending
        self.paired = paired
    }
}

/// The params of `node.pair.reject`.
public struct NodePairRejectParams: Codable, Sendable {
    public let requestId: String

    public init(
        requestId: String
    ) {
        self.requestId = requestId
    }
}

/// The result of `node.pair.reject`.
public struct NodePairRejectResult: Codable, Sendable {
    public let requestId: String
    public let nodeId: String

    public init(
        requestId: String,
        nodeId: String
    ) {
        self.requestId = requestId
        self.nodeId = nodeId
    }
}

/// The params of `node.pair.remove`.
public struct NodePairRemoveParams: Codable, Sendable {
    public let nodeId: String

    public init(
        nodeId: String
    ) {
        self.nodeId = nodeId
    }
}

/// The result of `node.pair.remove`.
public struct NodePairRemoveResult: Codable, Sendable {
    public let nodeId: String

    public init(
        nodeId: String
    ) {
        self.nodeId = nodeId
    }
}

public struct NodePairRequest: Codable, Sendable {
    public let requestId: String
    public let nodeId: String
    public let displayName: String?
    public let platform: String?
    public let version: String?
    public let deviceFamily: String?
    public let clientId: String?
    public let clientMode: String?
    public let remoteIp: String?
    public let caps: [String]?
    public let commands: [String]?
    public let permissions: [String: Bool]?
    public let requiredApproveScopes: [String]?
    public let silent: Bool?
    public let ts: Int

    public init(
        requestId: String,
        nodeId: String,
        displayName: String? = nil,
        platform: String? = nil,
        version: String? = nil,
        deviceFamily: String? = nil,
        clientId: String? = nil,
        clientMode: String? = nil,
        remoteIp: String? = nil,
        caps: [String]? = nil,
        commands: [String]? = nil,
        permissions: [String: Bool]? = nil,
        requiredApproveScopes: [String]? = nil,
        silent: Bool? = nil,
        ts: Int
    ) {
        self.requestId = requestId
        self.nodeId = nodeId
        self.displayName = displayName
        self.platform = platform
        self.version = version
        self.deviceFamily = deviceFamily
        self.clientId = clientId
        self.clientMode = clientMode
        self.remoteIp = remoteIp
        self.caps = caps
        self.commands = commands
        self.permissions = permissions
        self.requiredApproveScopes = requiredApproveScopes
        self.silent = silent
        self.ts = ts
    }
}

/// The payload of the event `node.pair.requested`.
public typealias NodePairRequestedEvent = NodePairRequest

/// The payload of the event `node.pair.resolved`.
public struct NodePairResolvedEvent: Codable, Sendable {
    public let requestId: String
    public let nodeId: String
    public let decision: String
    public let ts: Int

    public init(
        requestId: String,
        nodeId: String,
        decision: String,
        ts: Int
    ) {
        self.requestId = requestId
        self.nodeId = nodeId
        self.decision = decision
        self.ts = ts
    }
}

public struct NodePluginTool: Codable, Sendable {
    public let pluginId: String
    public let name: String
    public let description: String
    public let parameters: [String: AnyCodable]?
    public let command: String?
    public let mcp: NodeMcpTool?

    public init(
        pluginId: String,
        name: String,
        description: String,
        parameters: [String: AnyCodable]? = nil,
        command: String? = nil,
        mcp: NodeMcpTool? = nil
    ) {
        self.pluginId = pluginId
        self.name = name
        self.description = description
        self.parameters = parameters
        self.command = command
        self.mcp = mcp
    }
}

/// The params of `node.pluginTools.update`.
public struct NodePluginToolsUpdateParams: Codable, Sendable {
    public let tools: [NodePluginTool]

    public init(
        tools: [NodePluginTool]
    ) {
        self.tools = tools
    }
}

/// The result of `node.pluginTools.update`.
public struct NodePluginToolsUpdateResult: Codable, Sendable {
    public let nodeId: String
    public let tools: [NodePluginTool]

    public init(
        nodeId: String,
        tools: [NodePluginTool]
    ) {
        self.nodeId = nodeId
        self.tools = tools
    }
}

/// The params of `node.rename`.
public struct NodeRenameParams: Codable, Sendable {
    public let nodeId: String
    public let displayName: String

    public init(
        nodeId: String,
        displayName: String
    ) {
        self.nodeId = nodeId
        self.displayName = displayName
    }
}

/// The result of `node.rename`.
public struct NodeRenameResult: Codable, Sendable {
    public let nodeId: String
    public let displayName: String

    public init(
        nodeId: String,
        displayName: String
    ) {
        self.nodeId = nodeId
        self.displayName = displayName
    }
}

/// The params of `node.runnerInventory.update`.
public struct NodeRunnerInventoryUpdateParams: Codable, Sendable {
    public let protocolFeatures: [String]
    public let workerHost: NodeRunnerInventoryUpdateParamsWorkerHost

    public init(
        protocolFeatures: [String],
        workerHost: NodeRunnerInventoryUpdateParamsWorkerHost
    ) {
        self.protocolFeatures = protocolFeatures
        self.workerHost = workerHost
    }
}

public struct NodeRunnerInventoryUpdateParamsWorkerHost: Codable, Sendable {
    public let enabled: Bool

    public init(
        enabled: Bool
    ) {
        self.enabled = enabled
    }
}

/// The result of `node.runnerInventory.update`.
public struct NodeRunnerInventoryUpdateResult: Codable, Sendable {
    public let nodeId: String

    public init(
        nodeId: String
    ) {
        self.nodeId = nodeId
    }
}

public struct NodeSkill: Codable, Sendable {
    public let name: String
    public let description: String
    public let content: String

    public init(
        name: String,
        description: String,
        content: String
    ) {
        self.name = name
        self.description = description
        self.content = content
    }
}

/// The params of `node.skills.update`.
public struct NodeSkillsUpdateParams: Codable, Sendable {
    public let skills: [NodeSkill]

    public init(
        skills: [NodeSkill]
    ) {
        self.skills = skills
    }
}

/// The result of `node.skills.update`.
public struct NodeSkillsUpdateResult: Codable, Sendable {
    public let nodeId: String
    public let skills: [AnyCodable]

    public init(
        nodeId: String,
        skills: [AnyCodable]
    ) {
        self.nodeId = nodeId
        self.skills = skills
    }
}

/// The params of `outbox.drop`.
public struct OutboxDropParams: Codable, Sendable {
    public let ids: [String]

    public init(
        ids: [String]
    ) {
        self.ids = ids
    }
}

/// The result of `outbox.drop`.
public struct OutboxDropResult: Codable, Sendable {
    public let entries: [OutboxEntry]

    public init(
        entries: [OutboxEntry]
    ) {
        self.entries = entries
    }
}

public struct OutboxEntry: Codable, Sendable {
    public let id: String
    public let kind: String
    public let state: String
    public let channel: String
    public let accountId: String
    public let chatId: String
    public let threadId: String?
    public let text: String
    public let hasAttachment: Bool
    public let acceptedAt: Int
    public let expiresAt: Int
    public let endedAt: Int?
    public let notBefore: Int?
    public let attempts: Int
    public let fault: String?
    public let error: String?
    public let messageIds: [String]?

    public init(
        id: String,
        kind: String,
        state: String,
        channel: String,
        accountId: String,
        chatId: String,
        threadId: String? = nil,
        text: String,
        hasAttachment: Bool,
        acceptedAt: Int,
        expiresAt: Int,
        endedAt: Int? = nil,
        notBefore: Int? = nil,
        attempts: Int,
        fault: String? = nil,
        error: String? = nil,
        messageIds: [String]? = nil
    ) {
        self.id = id
        self.kind = kind
        self.state = state
        self.channel = channel
        self.accountId = accountId
        self.chatId = chatId
        self.threadId = threadId
        self.text = text
        self.hasAttachment = hasAttachment
        self.acceptedAt = acceptedAt
        self.expiresAt = expiresAt
        self.endedAt = endedAt
        self.notBefore = notBefore
        self.attempts = attempts
        self.fault = fault
        self.error = error
        self.messageIds = messageIds
    }
}

/// The params of `outbox.list`.
public struct OutboxListParams: Codable, Sendable {
    public let states: [String]?
    public let channel: String?
    public let accountId: String?
    public let limit: Int?

    public init(
        states: [String]? = nil,
        channel: String? = nil,
        accountId: String? = nil,
        limit: Int? = nil
    ) {
        self.states = states
        self.channel = channel
        self.accountId = accountId
        self.limit = limit
    }
}

/// The result of `outbox.list`.
public struct OutboxListResult: Codable, Sendable {
    public let ts: Int
    public let entries: [OutboxEntry]
    public let counts: [String: Int]

    public init(
        ts: Int,
        entries: [OutboxEntry],
        counts: [String: Int]
    ) {
        self.ts = ts
        self.entries = entries
        self.counts = counts
    }
}

/// The params of `outbox.retry`.
public struct OutboxRetryParams: Codable, Sendable {
    public let ids: [String]

    public init(
        ids: [String]
    ) {
        self.ids = ids
    }
}

/// The result of `outbox.retry`.
public struct OutboxRetryResult: Codable, Sendable {
    public let entries: [OutboxEntry]

    public init(
        entries: [OutboxEntry]
    ) {
        self.entries = entries
    }
}

public struct PairedDevice: Codable, Sendable {
    public let deviceId: String
    public let publicKey: String
    public let displayName: String?
    public let label: String?
    public let platform: String?
    public let deviceFamily: String?
    public let clientId: String?
    public let clientMode: String?
    public let role: String?
    public let roles: [String]?
    public let scopes: [String]?
    public let remoteIp: String?
    public let tokens: [DeviceTokenSummary]?
    public let createdAtMs: Int
    public let approvedAtMs: Int
    public let approvedVia: String?
    public let lastSeenAtMs: Int?
    public let connected: Bool?

    public init(
        deviceId: String,
        publicKey: String,
        displayName: String? = nil,
        label: String? = nil,
        platform: String? = nil,
        deviceFamily: String? = nil,
        clientId: String? = nil,
        clientMode: String? = nil,
        role: String? = nil,
        roles: [String]? = nil,
        scopes: [String]? = nil,
        remoteIp: String? = nil,
        tokens: [DeviceTokenSummary]? = nil,
        createdAtMs: Int,
        approvedAtMs: Int,
        approvedVia: String? = nil,
        lastSeenAtMs: Int? = nil,
        connected: Bool? = nil
    ) {
        self.deviceId = deviceId
        self.publicKey = publicKey
        self.displayName = displayName
        self.label = label
        self.platform = platform
        self.deviceFamily = deviceFamily
        self.clientId = clientId
        self.clientMode = clientMode
        self.role = role
        self.roles = roles
        self.scopes = scopes
        self.remoteIp = remoteIp
        self.tokens = tokens
        self.createdAtMs = createdAtMs
        self.approvedAtMs = approvedAtMs
        self.approvedVia = approvedVia
        self.lastSeenAtMs = lastSeenAtMs
        self.connected = connected
    }
}

public struct PairedNode: Codable, Sendable {
    public let nodeId: String
    public let displayName: String?
    public let platform: String?
    public let version: String?
    public let deviceFamily: String?
    public let clientId: String?
    public let clientMode: String?
    public let remoteIp: String?
    public let caps: [String]?
    public let commands: [String]?
    public let permissions: [String: Bool]?
    public let createdAtMs: Int
    public let approvedAtMs: Int
    public let lastConnectedAtMs: Int?
    public let lastDisconnectedAtMs: Int?
    public let lastSeenAtMs: Int?

    public init(
        nodeId: String,
        displayName: String? = nil,
        platform: String? = nil,
        version: String? = nil,
        deviceFamily: String? = nil,
        clientId: String? = nil,
        clientMode: String? = nil,
        remoteIp: String? = nil,
        caps: [String]? = nil,
        commands: [String]? = nil,
        permissions: [String: Bool]? = nil,
        createdAtMs: Int,
        approvedAtMs: Int,
        lastConnectedAtMs: Int? = nil,
        lastDisconnectedAtMs: Int? = nil,
        lastSeenAtMs: Int? = nil
    ) {
        self.nodeId = nodeId
        self.displayName = displayName
        self.platform = platform
        self.version = version
        self.deviceFamily = deviceFamily
        self.clientId = clientId
        self.clientMode = clientMode
        self.remoteIp = remoteIp
        self.caps = caps
        self.commands = commands
        self.permissions = permissions
        self.createdAtMs = createdAtMs
        self.approvedAtMs = approvedAtMs
        self.lastConnectedAtMs = lastConnectedAtMs
        self.lastDisconnectedAtMs = lastDisconnectedAtMs
        self.lastSeenAtMs = lastSeenAtMs
    }
}

public struct PendingInputs: Codable, Sendable {
    public let items: [AnyCodable]
    public let total: Int

    public init(
        items: [AnyCodable],
        total: Int
    ) {
        self.items = items
        self.total = total
    }
}

/// The params of `plugin.approval.list`.
public struct PluginApprovalListParams: Codable, Sendable {
    public init() {}
}

/// The result of `plugin.approval.list`.
public typealias PluginApprovalListResult = [AnyCodable]

public struct Policy: Codable, Sendable {
    public let maxPayload: Int
    public let maxBufferedBytes: Int
    public let tickIntervalMs: Int
    public let attachments: PolicyAttachments?

    public init(
        maxPayload: Int,
        maxBufferedBytes: Int,
        tickIntervalMs: Int,
        attachments: PolicyAttachments? = nil
    ) {
        self.maxPayload = maxPayload
        self.maxBufferedBytes = maxBufferedBytes
        self.tickIntervalMs = tickIntervalMs
        self.attachments = attachments
    }
}

public struct PolicyAttachments: Codable, Sendable {
    public let maxBytes: Int
    public let maxImageBytes: Int

    public init(
        maxBytes: Int,
        maxImageBytes: Int
    ) {
        self.maxBytes = maxBytes
        self.maxImageBytes = maxImageBytes
    }
}

/// The params of `poll`.
public struct PollParams: Codable, Sendable {
    public let to: String
    public let question: String
    public let options: [String]
    public let maxSelections: Int?
    public let durationSeconds: Int?
    public let durationHours: Int?
    public let silent: Bool?
    public let isAnonymous: Bool?
    public let threadId: String?
    public let channel: String?
    public let accountId: String?
    public let idempotencyKey: String

    public init(
        to: String,
        question: String,
        options: [String],
        maxSelections: Int? = nil,
        durationSeconds: Int? = nil,
        durationHours: Int? = nil,
        silent: Bool? = nil,
        isAnonymous: Bool? = nil,
        threadId: String? = nil,
        channel: String? = nil,
        accountId: String? = nil,
        idempotencyKey: String
    ) {
        self.to = to
        self.question = question
        self.options = options
        self.maxSelections = maxSelections
        self.durationSeconds = durationSeconds
        self.durationHours = durationHours
        self.silent = silent
        self.isAnonymous = isAnonymous
        self.threadId = threadId
        self.channel = channel
        self.accountId = accountId
        self.idempotencyKey = idempotencyKey
    }
}

/// The result of `poll`.
public struct PollResult: Codable, Sendable {
    public let runId: String
    public let messageId: String
    public let channel: String
    public let accountId: String?
    public let chatId: String?
    public let channelId: String?
    public let conversationId: String?
    public let toJid: String?
    public let pollId: String?
    public let messageIds: [String]?

    public init(
        runId: String,
        messageId: String,
        channel: String,
        accountId: String? = nil,
        chatId: String? = nil,
        channelId: String? = nil,
        conversationId: String? = nil,
        toJid: String? = nil,
        pollId: String? = nil,
        messageIds: [String]? = nil
    ) {
        self.runId = runId
        self.messageId = messageId
        self.channel = channel
        self.accountId = accountId
        self.chatId = chatId
        self.channelId = channelId
        self.conversationId = conversationId
        self.toJid = toJid
        self.pollId = pollId
        self.messageIds = messageIds
    }
}

public struct PresenceEntry: Codable, Sendable {
    public let host: String?
    public let clientId: String?
    public let ip: String?
    public let version: String?
    public let platform: String?
    public let deviceFamily: String?
    public let modelIdentifier: String?
    public let timeZone: String?
    public let mode: String?
    public let lastInputSeconds: Int?
    public let reason: String?
    public let tags: [String]?
    public let text: String?
    public let ts: Int
    public let onlineSince: Int?
    public let lastActivityAt: Int?
    public let deviceId: String?
    public let roles: [String]?
    public let scopes: [String]?
    public let instanceId: String?

    public init(
        host: String? = nil,
        clientId: String? = nil,
        ip: String? = nil,
        version: String? = nil,
        platform: String? = nil,
        deviceFamily: String? = nil,
        modelIdentifier: String? = nil,
        timeZone: String? = nil,
        mode: String? = nil,
        lastInputSeconds: Int? = nil,
        reason: String? = nil,
        tags: [String]? = nil,
        text: String? = nil,
        ts: Int,
        onlineSince: Int? = nil,
        lastActivityAt: Int? = nil,
        deviceId: String? = nil,
        roles: [String]? = nil,
        scopes: [String]? = nil,
        instanceId: String? = nil
    ) {
        self.host = host
        self.clientId = clientId
        self.ip = ip
        self.version = version
        self.platform = platform
        self.deviceFamily = deviceFamily
        self.modelIdentifier = modelIdentifier
        self.timeZone = timeZone
        self.mode = mode
        self.lastInputSeconds = lastInputSeconds
        self.reason = reason
        self.tags = tags
        self.text = text
        self.ts = ts
        self.onlineSince = onlineSince
        self.lastActivityAt = lastActivityAt
        self.deviceId = deviceId
        self.roles = roles
        self.scopes = scopes
        self.instanceId = instanceId
    }
}

/// The payload of the event `presence`.
public struct PresenceEvent: Codable, Sendable {
    public let presence: [PresenceEntry]

    public init(
        presence: [PresenceEntry]
    ) {
        self.presence = presence
    }
}

/// The params of `question.list`.
public struct QuestionListParams: Codable, Sendable {
    public init() {}
}

/// The result of `question.list`.
public struct QuestionListResult: Codable, Sendable {
    public let questions: [AnyCodable]

    public init(
        questions: [AnyCodable]
    ) {
        self.questions = questions
    }
}

public struct RecentSession: Codable, Sendable {
    public let key: String
    public let updatedAt: Int?
    public let age: Int?

    public init(
        key: String,
        updatedAt: Int?,
        age: Int?
    ) {
        self.key = key
        self.updatedAt = updatedAt
        self.age = age
    }
}

public struct RequestFrame: Codable, Sendable {
    public let type: String
    public let id: String
    public let method: String
    public let params: AnyCodable?
    public let traceparent: String?
    public let expectedProfileId: String?

    public init(
        type: String = "req",
        id: String,
        method: String,
        params: AnyCodable? = nil,
        traceparent: String? = nil,
        expectedProfileId: String? = nil
    ) {
        self.type = type
        self.id = id
        self.method = method
        self.params = params
        self.traceparent = traceparent
        self.expectedProfileId = expectedProfileId
    }
}

public struct ResponseFrame: Codable, Sendable {
    public let type: String
    public let id: String
    public let ok: Bool
    public let payload: AnyCodable?
    public let error: ErrorShape?

    public init(
        type: String = "res",
        id: String,
        ok: Bool,
        payload: AnyCodable? = nil,
        error: ErrorShape? = nil
    ) {
        self.type = type
        self.id = id
        self.ok = ok
        self.payload = payload
        self.error = error
    }
}

/// The params of `send`.
public struct SendParams: Codable, Sendable {
    public let to: String
    public let message: String?
    public let mediaUrl: String?
    public let mediaUrls: [String]?
    public let buffer: String?
    public let filename: String?
    public let contentType: String?
    public let asVoice: Bool?
    public let gifPlayback: Bool?
    public let channel: String?
    public let accountId: String?
    public let agentId: String?
    public let replyToId: String?
    public let threadId: String?
    public let forceDocument: Bool?
    public let silent: Bool?
    public let parseMode: String?
    public let sessionKey: String?
    public let idempotencyKey: String

    public init(
        to: String,
        message: String? = nil,
        mediaUrl: String? = nil,
        mediaUrls: [String]? = nil,
        buffer: String? = nil,
        filename: String? = nil,
        contentType: String? = nil,
        asVoice: Bool? = nil,
        gifPlayback: Bool? = nil,
        channel: String? = nil,
        accountId: String? = nil,
        agentId: String? = nil,
        replyToId: String? = nil,
        threadId: String? = nil,
        forceDocument: Bool? = nil,
        silent: Bool? = nil,
        parseMode: String? = nil,
        sessionKey: String? = nil,
        idempotencyKey: String
    ) {
        self.to = to
        self.message = message
        self.mediaUrl = mediaUrl
        self.mediaUrls = mediaUrls
        self.buffer = buffer
        self.filename = filename
        self.contentType = contentType
        self.asVoice = asVoice
        self.gifPlayback = gifPlayback
        self.channel = channel
        self.accountId = accountId
        self.agentId = agentId
        self.replyToId = replyToId
        self.threadId = threadId
        self.forceDocument = forceDocument
        self.silent = silent
        self.parseMode = parseMode
        self.sessionKey = sessionKey
        self.idempotencyKey = idempotencyKey
    }
}

/// The result of `send`.
public struct SendResult: Codable, Sendable {
    public let runId: String
    public let messageId: String
    public let channel: String
    public let accountId: String?
    public let chatId: String?
    public let channelId: String?
    public let conversationId: String?
    public let toJid: String?
    public let pollId: String?
    public let messageIds: [String]?

    public init(
        runId: String,
        messageId: String,
        channel: String,
        accountId: String? = nil,
        chatId: String? = nil,
        channelId: String? = nil,
        conversationId: String? = nil,
        toJid: String? = nil,
        pollId: String? = nil,
        messageIds: [String]? = nil
    ) {
        self.runId = runId
        self.messageId = messageId
        self.channel = channel
        self.accountId = accountId
        self.chatId = chatId
        self.channelId = channelId
        self.conversationId = conversationId
        self.toJid = toJid
        self.pollId = pollId
        self.messageIds = messageIds
    }
}

public struct ServerInfo: Codable, Sendable {
    public let version: String
    public let connId: String
    public let bootId: String?

    public init(
        version: String,
        connId: String,
        bootId: String? = nil
    ) {
        self.version = version
        self.connId = connId
        self.bootId = bootId
    }
}

public struct SessionDefaults: Codable, Sendable {
    public let defaultAgentId: String
    public let mainKey: String
    public let mainSessionKey: String
    public let scope: String?
    public let modelConfigured: Bool?

    public init(
        defaultAgentId: String,
        mainKey: String,
        mainSessionKey: String,
        scope: String? = nil,
        modelConfigured: Bool? = nil
    ) {
        self.defaultAgentId = defaultAgentId
        self.mainKey = mainKey
        self.mainSessionKey = mainSessionKey
        self.scope = scope
        self.modelConfigured = modelConfigured
    }
}

public struct SessionEntry: Codable, Sendable {
    public let sessionId: String
    public let updatedAt: Int
    public let createdAt: Int?
    public let label: String?
    public let displayName: String?
    public let thinkingLevel: String?
    public let verboseLevel: String?
    public let reasoningLevel: String?
    public let elevatedLevel: String?
    public let responseUsage: String?
    public let sendPolicy: String?
    public let groupActivation: String?
    public let queueMode: String?
    public let execHost: String?
    public let execSecurity: String?
    public let execAsk: String?
    public let execNode: String?
    public let spawnedBy: String?
    public let spawnDepth: Int?
    public let providerOverride: String?
    public let modelOverride: String?
    public let modelProvider: String?
    public let model: String?
    public let contextTokens: Int?
    public let inputTokens: Int?
    public let outputTokens: Int?
    public let totalTokens: Int?
    public let totalTokensFresh: Bool?
    public let compactionCount: Int?
    public let abortedLastRun: Bool?
    public let systemSent: Bool?

    public init(
        sessionId: String,
        updatedAt: Int,
        createdAt: Int? = nil,
        label: String? = nil,
        displayName: String? = nil,
        thinkingLevel: String? = nil,
        verboseLevel: String? = nil,
        reasoningLevel: String? = nil,
        elevatedLevel: String? = nil,
        responseUsage: String? = nil,
        sendPolicy: String? = nil,
        groupActivation: String? = nil,
        queueMode: String? = nil,
        execHost: String? = nil,
        execSecurity: String? = nil,
        execAsk: String? = nil,
        execNode: String? = nil,
        spawnedBy: String? = nil,
        spawnDepth: Int? = nil,
        providerOverride: String? = nil,
        modelOverride: String? = nil,
        modelProvider: String? = nil,
        model: String? = nil,
        contextTokens: Int? = nil,
        inputTokens: Int? = nil,
        outputTokens: Int? = nil,
        totalTokens: Int? = nil,
        totalTokensFresh: Bool? = nil,
        compactionCount: Int? = nil,
        abortedLastRun: Bool? = nil,
        systemSent: Bool? = nil
    ) {
        self.sessionId = sessionId
        self.updatedAt = updatedAt
        self.createdAt = createdAt
        self.label = label
        self.displayName = displayName
        self.thinkingLevel = thinkingLevel
        self.verboseLevel = verboseLevel
        self.reasoningLevel = reasoningLevel
        self.elevatedLevel = elevatedLevel
        self.responseUsage = responseUsage
        self.sendPolicy = sendPolicy
        self.groupActivation = groupActivation
        self.queueMode = queueMode
        self.execHost = execHost
        self.execSecurity = execSecurity
        self.execAsk = execAsk
        self.execNode = execNode
        self.spawnedBy = spawnedBy
        self.spawnDepth = spawnDepth
        self.providerOverride = providerOverride
        self.modelOverride = modelOverride
        self.modelProvider = modelProvider
        self.model = model
        self.contextTokens = contextTokens
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.totalTokens = totalTokens
        self.totalTokensFresh = totalTokensFresh
        self.compactionCount = compactionCount
        self.abortedLastRun = abortedLastRun
        self.systemSent = systemSent
    }
}

public struct SessionFound: Codable, Sendable {
    public let ok: Bool
    public let key: String
    public let agentId: String?

    public init(
        ok: Bool = true,
        key: String,
        agentId: String? = nil
    ) {
        self.ok = ok
        self.key = key
        self.agentId = agentId
    }
}

public struct SessionListDefaults: Codable, Sendable {
    public let modelProvider: String?
    public let model: String?
    public let contextTokens: Int?
    public let thinkingLevels: [ThinkingLevelOption]?
    public let thinkingOptions: [String]?
    public let thinkingDefault: String?

    public init(
        modelProvider: String?,
        model: String?,
        contextTokens: Int?,
        thinkingLevels: [ThinkingLevelOption]? = nil,
        thinkingOptions: [String]? = nil,
        thinkingDefault: String? = nil
    ) {
        self.modelProvider = modelProvider
        self.model = model
        self.contextTokens = contextTokens
        self.thinkingLevels = thinkingLevels
        self.thinkingOptions = thinkingOptions
        self.thinkingDefault = thinkingDefault
    }
}

/// The payload of the event `session.message`.
public struct SessionMessageEvent: Codable, Sendable {
    public let sessionKey: String
    public let agentId: String?
    public let message: ChatMessage
    public let messageId: String?
    public let messageSeq: Int?
    public let session: SessionRow?

    public init(
        sessionKey: String,
        agentId: String? = nil,
        message: ChatMessage,
        messageId: String? = nil,
        messageSeq: Int? = nil,
        session: SessionRow? = nil
    ) {
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.message = message
        self.messageId = messageId
        self.messageSeq = messageSeq
        self.session = session
    }
}

public struct SessionNotFound: Codable, Sendable {
    public let ok: Bool

    public init(
        ok: Bool = false
    ) {
        self.ok = ok
    }
}

public struct SessionPreview: Codable, Sendable {
    public let key: String
    public let status: String
    public let items: [SessionPreviewItem]

    public init(
        key: String,
        status: String,
        items: [SessionPreviewItem]
    ) {
        self.key = key
        self.status = status
        self.items = items
    }
}

public struct SessionPreviewItem: Codable, Sendable {
    public let role: String
    public let text: String

    public init(
        role: String,
        text: String
    ) {
        self.role = role
        self.text = text
    }
}

public struct SessionRow: Codable, Sendable {
    public let key: String
    public let kind: String
    public let label: String?
    public let displayName: String?
    public let derivedTitle: String?
    public let lastMessagePreview: String?
    public let channel: String?
    public let subject: String?
    public let groupChannel: String?
    public let space: String?
    public let chatType: String?
    public let origin: AnyCodable?
    public let deliveryContext: AnyCodable?
    public let lastChannel: String?
    public let lastTo: String?
    public let lastAccountId: String?
    public let sessionId: String?
    public let updatedAt: Int?
    public let systemSent: Bool?
    public let abortedLastRun: Bool?
    public let thinkingLevel: String?
    public let verboseLevel: String?
    public let reasoningLevel: String?
    public let elevatedLevel: String?
    public let responseUsage: String?
    public let sendPolicy: String?
    public let groupActivation: String?
    public let modelProvider: String?
    public let model: String?
    public let contextTokens: Int?
    public let inputTokens: Int?
    public let outputTokens: Int?
    public let totalTokens: Int?
    public let totalTokensFresh: Bool
    public let spawnedBy: String?
    public let spawnDepth: Int?
    public let agentId: String?
    public let createdAt: Int?
    public let status: String?
    public let startedAt: Int?
    public let endedAt: Int?
    public let runtimeMs: Int?
    public let lastRunId: String?
    public let hasActiveRun: Bool?
    public let activeRunIds: [String]?
    public let isMain: Bool?
    public let isBackground: Bool?
    public let classification: String?
    public let visibility: String?
    public let sharingRole: String?
    public let archived: Bool?
    public let pinned: Bool?
    public let unread: Bool?
    public let lastActivityAt: Int?
    public let lastInteractionAt: Int?
    public let snapshotAt: Int?
    public let thinkingLevels: [ThinkingLevelOption]?
    public let thinkingOptions: [String]?
    public let thinkingDefault: String?
    public let modelOverrideSource: Nullable<String>?
    public let effectiveQueueMode: String?
    public let effectiveResponseUsage: String?

    public init(
        key: String,
        kind: String,
        label: String? = nil,
        displayName: String? = nil,
        derivedTitle: String? = nil,
        lastMessagePreview: String? = nil,
        channel: String? = nil,
        subject: String? = nil,
        groupChannel: String? = nil,
        space: String? = nil,
        chatType: String? = nil,
        origin: AnyCodable? = nil,
        deliveryContext: AnyCodable? = nil,
        lastChannel: String? = nil,
        lastTo: String? = nil,
        lastAccountId: String? = nil,
        sessionId: String? = nil,
        updatedAt: Int?,
        systemSent: Bool? = nil,
        abortedLastRun: Bool? = nil,
        thinkingLevel: String? = nil,
        verboseLevel: String? = nil,
        reasoningLevel: String? = nil,
        elevatedLevel: String? = nil,
        responseUsage: String? = nil,
        sendPolicy: String? = nil,
        groupActivation: String? = nil,
        modelProvider: String? = nil,
        model: String? = nil,
        contextTokens: Int? = nil,
        inputTokens: Int? = nil,
        outputTokens: Int? = nil,
        totalTokens: Int? = nil,
        totalTokensFresh: Bool,
        spawnedBy: String? = nil,
        spawnDepth: Int? = nil,
        agentId: String? = nil,
        createdAt: Int? = nil,
        status: String? = nil,
        startedAt: Int? = nil,
        endedAt: Int? = nil,
        runtimeMs: Int? = nil,
        lastRunId: String? = nil,
        hasActiveRun: Bool? = nil,
        activeRunIds: [String]? = nil,
        isMain: Bool? = nil,
        isBackground: Bool? = nil,
        classification: String? = nil,
        visibility: String? = nil,
        sharingRole: String? = nil,
        archived: Bool? = nil,
        pinned: Bool? = nil,
        unread: Bool? = nil,
        lastActivityAt: Int? = nil,
        lastInteractionAt: Int? = nil,
        snapshotAt: Int? = nil,
        thinkingLevels: [ThinkingLevelOption]? = nil,
        thinkingOptions: [String]? = nil,
        thinkingDefault: String? = nil,
        modelOverrideSource: Nullable<String>? = nil,
        effectiveQueueMode: String? = nil,
        effectiveResponseUsage: String? = nil
    ) {
        self.key = key
        self.kind = kind
        self.label = label
        self.displayName = displayName
        self.derivedTitle = derivedTitle
        self.lastMessagePreview = lastMessagePreview
        self.channel = channel
        self.subject = subject
        self.groupChannel = groupChannel
        self.space = space
        self.chatType = chatType
        self.origin = origin
        self.deliveryContext = deliveryContext
        self.lastChannel = lastChannel
        self.lastTo = lastTo
        self.lastAccountId = lastAccountId
        self.sessionId = sessionId
        self.updatedAt = updatedAt
        self.systemSent = systemSent
        self.abortedLastRun = abortedLastRun
        self.thinkingLevel = thinkingLevel
        self.verboseLevel = verboseLevel
        self.reasoningLevel = reasoningLevel
        self.elevatedLevel = elevatedLevel
        self.responseUsage = responseUsage
        self.sendPolicy = sendPolicy
        self.groupActivation = groupActivation
        self.modelProvider = modelProvider
        self.model = model
        self.contextTokens = contextTokens
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.totalTokens = totalTokens
        self.totalTokensFresh = totalTokensFresh
        self.spawnedBy = spawnedBy
        self.spawnDepth = spawnDepth
        self.agentId = agentId
        self.createdAt = createdAt
        self.status = status
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.runtimeMs = runtimeMs
        self.lastRunId = lastRunId
        self.hasActiveRun = hasActiveRun
        self.activeRunIds = activeRunIds
        self.isMain = isMain
        self.isBackground = isBackground
        self.classification = classification
        self.visibility = visibility
        self.sharingRole = sharingRole
        self.archived = archived
        self.pinned = pinned
        self.unread = unread
        self.lastActivityAt = lastActivityAt
        self.lastInteractionAt = lastInteractionAt
        self.snapshotAt = snapshotAt
        self.thinkingLevels = thinkingLevels
        self.thinkingOptions = thinkingOptions
        self.thinkingDefault = thinkingDefault
        self.modelOverrideSource = modelOverrideSource
        self.effectiveQueueMode = effectiveQueueMode
        self.effectiveResponseUsage = effectiveResponseUsage
    }
}

public struct SessionSummary: Codable, Sendable {
    public let path: String
    public let count: Int
    public let recent: [RecentSession]

    public init(
        path: String,
        count: Int,
        recent: [RecentSession]
    ) {
        self.path = path
        self.count = count
        self.recent = recent
    }
}

/// The params of `sessions.abort`.
public struct SessionsAbortParams: Codable, Sendable {
    public let key: String?
    public let runId: String?
    public let agentId: String?
    public let clearQueued: Bool?

    public init(
        key: String? = nil,
        runId: String? = nil,
        agentId: String? = nil,
        clearQueued: Bool? = nil
    ) {
        self.key = key
        self.runId = runId
        self.agentId = agentId
        self.clearQueued = clearQueued
    }
}

/// The result of `sessions.abort`.
public struct SessionsAbortResult: Codable, Sendable {
    public let ok: Bool
    public let abortedRunId: String?
    public let status: String

    public init(
        ok: Bool = true,
        abortedRunId: String?,
        status: String
    ) {
        self.ok = ok
        self.abortedRunId = abortedRunId
        self.status = status
    }
}

/// The payload of the event `sessions.changed`.
public struct SessionsChangedEvent: Codable, Sendable {
    public let sessionKey: String
    public let agentId: String?
    public let reason: String?
    public let phase: String?
    public let runId: String?
    public let ts: Int
    public let session: SessionRow?

    public init(
        sessionKey: String,
        agentId: String? = nil,
        reason: String? = nil,
        phase: String? = nil,
        runId: String? = nil,
        ts: Int,
        session: SessionRow? = nil
    ) {
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.reason = reason
        self.phase = phase
        self.runId = runId
        self.ts = ts
        self.session = session
    }
}

/// The params of `sessions.compact`.
public struct SessionsCompactParams: Codable, Sendable {
    public let key: String
    public let agentId: String?
    public let maxLines: Int?

    public init(
        key: String,
        agentId: String? = nil,
        maxLines: Int? = nil
    ) {
        self.key = key
        self.agentId = agentId
        self.maxLines = maxLines
    }
}

/// The result of `sessions.compact`.
public struct SessionsCompactResult: Codable, Sendable {
    public let ok: Bool
    public let key: String
    public let compacted: Bool
    public let archived: String?
    public let kept: Int?
    public let reason: String?

    public init(
        ok: Bool,
        key: String,
        compacted: Bool,
        archived: String? = nil,
        kept: Int? = nil,
        reason: String? = nil
    ) {
        self.ok = ok
        self.key = key
        self.compacted = compacted
        self.archived = archived
        self.kept = kept
        self.reason = reason
    }
}

/// The params of `sessions.create`.
public struct SessionsCreateParams: Codable, Sendable {
    public let key: String?
    public let idempotencyKey: String?
    public let agentId: String?
    public let label: String?
    public let displayName: String?
    public let titleSource: String?
    public let model: String?
    public let thinkingLevel: String?
    public let parentSessionKey: String?
    public let succeedsParent: Bool?
    public let emitCommandHooks: Bool?
    public let message: String?
    public let task: String?
    public let attachments: [AnyCodable]?
    public let timeoutMs: Int?

    public init(
        key: String? = nil,
        idempotencyKey: String? = nil,
        agentId: String? = nil,
        label: String? = nil,
        displayName: String? = nil,
        titleSource: String? = nil,
        model: String? = nil,
        thinkingLevel: String? = nil,
        parentSessionKey: String? = nil,
        succeedsParent: Bool? = nil,
        emitCommandHooks: Bool? = nil,
        message: String? = nil,
        task: String? = nil,
        attachments: [AnyCodable]? = nil,
        timeoutMs: Int? = nil
    ) {
        self.key = key
        self.idempotencyKey = idempotencyKey
        self.agentId = agentId
        self.label = label
        self.displayName = displayName
        self.titleSource = titleSource
        self.model = model
        self.thinkingLevel = thinkingLevel
        self.parentSessionKey = parentSessionKey
        self.succeedsParent = succeedsParent
        self.emitCommandHooks = emitCommandHooks
        self.message = message
        self.task = task
        self.attachments = attachments
        self.timeoutMs = timeoutMs
    }
}

/// The result of `sessions.create`.
public struct SessionsCreateResult: Codable, Sendable {
    public let ok: Bool
    public let key: String
    public let sessionId: String
    public let entry: SessionEntry
    public let runStarted: Bool?
    public let runId: String?
    public let messageSeq: Int?
    public let runError: ErrorShape?

    public init(
        ok: Bool = true,
        key: String,
        sessionId: String,
        entry: SessionEntry,
        runStarted: Bool? = nil,
        runId: String? = nil,
        messageSeq: Int? = nil,
        runError: ErrorShape? = nil
    ) {
        self.ok = ok
        self.key = key
        self.sessionId = sessionId
        self.entry = entry
        self.runStarted = runStarted
        self.runId = runId
        self.messageSeq = messageSeq
        self.runError = runError
    }
}

/// The params of `sessions.delete`.
public struct SessionsDeleteParams: Codable, Sendable {
    public let key: String
    public let agentId: String?
    public let deleteTranscript: Bool?
    public let expectedSessionId: String?
    public let expectedLifecycleRevision: String?
    public let expectedSessionUpdatedAt: Double?
    public let emitLifecycleHooks: Bool?
    public let archivedOnly: Bool?

    public init(
        key: String,
        agentId: String? = nil,
        deleteTranscript: Bool? = nil,
        expectedSessionId: String? = nil,
        expectedLifecycleRevision: String? = nil,
        expectedSessionUpdatedAt: Double? = nil,
        emitLifecycleHooks: Bool? = nil,
        archivedOnly: Bool? = nil
    ) {
        self.key = key
        self.agentId = agentId
        self.deleteTranscript = deleteTranscript
        self.expectedSessionId = expectedSessionId
        self.expectedLifecycleRevision = expectedLifecycleRevision
        self.expectedSessionUpdatedAt = expectedSessionUpdatedAt
        self.emitLifecycleHooks = emitLifecycleHooks
        self.archivedOnly = archivedOnly
    }
}

/// The result of `sessions.delete`.
public struct SessionsDeleteResult: Codable, Sendable {
    public let ok: Bool
    public let key: String
    public let deleted: Bool
    public let archived: [String]

    public init(
        ok: Bool = true,
        key: String,
        deleted: Bool,
        archived: [String]
    ) {
        self.ok = ok
        self.key = key
        self.deleted = deleted
        self.archived = archived
    }
}

/// The params of `sessions.describe`.
public struct SessionsDescribeParams: Codable, Sendable {
    public let key: String
    public let agentId: String?
    public let includeDerivedTitles: Bool?
    public let includeLastMessage: Bool?

    public init(
        key: String,
        agentId: String? = nil,
        includeDerivedTitles: Bool? = nil,
        includeLastMessage: Bool? = nil
    ) {
        self.key = key
        self.agentId = agentId
        self.includeDerivedTitles = includeDerivedTitles
        self.includeLastMessage = includeLastMessage
    }
}

/// The result of `sessions.describe`.
public struct SessionsDescribeResult: Codable, Sendable {
    public let session: SessionRow?

    public init(
        session: SessionRow?
    ) {
        self.session = session
    }
}

/// The params of `sessions.get`.
public struct SessionsGetParams: Codable, Sendable {
    public let key: String?
    public let sessionKey: String?
    public let agentId: String?
    public let limit: Int?

    public init(
        key: String? = nil,
        sessionKey: String? = nil,
        agentId: String? = nil,
        limit: Int? = nil
    ) {
        self.key = key
        self.sessionKey = sessionKey
        self.agentId = agentId
        self.limit = limit
    }
}

/// The result of `sessions.get`.
public struct SessionsGetResult: Codable, Sendable {
    public let messages: [ChatMessage]

    public init(
        messages: [ChatMessage]
    ) {
        self.messages = messages
    }
}

/// The params of `sessions.list`.
public struct SessionsListParams: Codable, Sendable {
    public let limit: Int?
    public let offset: Int?
    public let activeMinutes: Int?
    public let activeOnly: Bool?
    public let requireLastInteraction: Bool?
    public let sortBy: String?
    public let includeGlobal: Bool?
    public let includeUnknown: Bool?
    public let excludeSubagents: Bool?
    public let excludeCron: Bool?
    public let excludeSystem: Bool?
    public let configuredAgentsOnly: Bool?
    public let includeDerivedTitles: Bool?
    public let includeLastMessage: Bool?
    public let includeActivitySummary: Bool?
    public let label: String?
    public let projectId: String?
    public let workspaceDir: String?
    public let group: String?
    public let pinned: Bool?
    public let boardFace: String?
    public let hasBoard: Bool?
    public let creatorId: String?
    public let ownerId: String?
    public let ownerFirst: Bool?
    public let involvingMe: Bool?
    public let involvingProfileId: String?
    public let profileRelation: SessionsListParamsProfileRelation?
    public let includePeople: Bool?
    public let spawnedBy: String?
    public let agentId: String?
    public let search: String?
    public let archived: AnyCodable?

    public init(
        limit: Int? = nil,
        offset: Int? = nil,
        activeMinutes: Int? = nil,
        activeOnly: Bool? = nil,
        requireLastInteraction: Bool? = nil,
        sortBy: String? = nil,
        includeGlobal: Bool? = nil,
        includeUnknown: Bool? = nil,
        excludeSubagents: Bool? = nil,
        excludeCron: Bool? = nil,
        excludeSystem: Bool? = nil,
        configuredAgentsOnly: Bool? = nil,
        includeDerivedTitles: Bool? = nil,
        includeLastMessage: Bool? = nil,
        includeActivitySummary: Bool? = nil,
        label: String? = nil,
        projectId: String? = nil,
        workspaceDir: String? = nil,
        group: String? = nil,
        pinned: Bool? = nil,
        boardFace: String? = nil,
        hasBoard: Bool? = nil,
        creatorId: String? = nil,
        ownerId: String? = nil,
        ownerFirst: Bool? = nil,
        involvingMe: Bool? = nil,
        involvingProfileId: String? = nil,
        profileRelation: SessionsListParamsProfileRelation? = nil,
        includePeople: Bool? = nil,
        spawnedBy: String? = nil,
        agentId: String? = nil,
        search: String? = nil,
        archived: AnyCodable? = nil
    ) {
        self.limit = limit
        self.offset = offset
        self.activeMinutes = activeMinutes
        self.activeOnly = activeOnly
        self.requireLastInteraction = requireLastInteraction
        self.sortBy = sortBy
        self.includeGlobal = includeGlobal
        self.includeUnknown = includeUnknown
        self.excludeSubagents = excludeSubagents
        self.excludeCron = excludeCron
        self.excludeSystem = excludeSystem
        self.configuredAgentsOnly = configuredAgentsOnly
        self.includeDerivedTitles = includeDerivedTitles
        self.includeLastMessage = includeLastMessage
        self.includeActivitySummary = includeActivitySummary
        self.label = label
        self.projectId = projectId
        self.workspaceDir = workspaceDir
        self.group = group
        self.pinned = pinned
        self.boardFace = boardFace
        self.hasBoard = hasBoard
        self.creatorId = creatorId
        self.ownerId = ownerId
        self.ownerFirst = ownerFirst
        self.involvingMe = involvingMe
        self.involvingProfileId = involvingProfileId
        self.profileRelation = profileRelation
        self.includePeople = includePeople
        self.spawnedBy = spawnedBy
        self.agentId = agentId
        self.search = search
        self.archived = archived
    }
}

public struct SessionsListParamsProfileRelation: Codable, Sendable {
    public let profileId: String
    public let relationship: String

    public init(
        profileId: String,
        relationship: String
    ) {
        self.profileId = profileId
        self.relationship = relationship
    }
}

/// The result of `sessions.list`.
public struct SessionsListResult: Codable, Sendable {
    public let ts: Int
    public let path: String
    public let count: Int
    public let defaults: SessionListDefaults
    public let sessions: [SessionRow]
    public let totalCount: Int?
    public let limitApplied: Int?
    public let nextOffset: Nullable<Int>?
    public let hasMore: Bool?
    public let owners: [AnyCodable]?

    public init(
        ts: Int,
        path: String,
        count: Int,
        defaults: SessionListDefaults,
        sessions: [SessionRow],
        totalCount: Int? = nil,
        limitApplied: Int? = nil,
        nextOffset: Nullable<Int>? = nil,
        hasMore: Bool? = nil,
        owners: [AnyCodable]? = nil
    ) {
        self.ts = ts
        self.path = path
        self.count = count
        self.defaults = defaults
        self.sessions = sessions
        self.totalCount = totalCount
        self.limitApplied = limitApplied
        self.nextOffset = nextOffset
        self.hasMore = hasMore
        self.owners = owners
    }
}

/// The params of `sessions.messages.subscribe`.
public struct SessionsMessagesSubscribeParams: Codable, Sendable {
    public let key: String
    public let agentId: String?
    public let includeApprovals: Bool?

    public init(
        key: String,
        agentId: String? = nil,
        includeApprovals: Bool? = nil
    ) {
        self.key = key
        self.agentId = agentId
        self.includeApprovals = includeApprovals
    }
}

/// The result of `sessions.messages.subscribe`.
public struct SessionsMessagesSubscribeResult: Codable, Sendable {
    public let subscribed: Bool
    public let key: String

    public init(
        subscribed: Bool = true,
        key: String
    ) {
        self.subscribed = subscribed
        self.key = key
    }
}

/// The params of `sessions.messages.unsubscribe`.
public struct SessionsMessagesUnsubscribeParams: Codable, Sendable {
    public let key: String
    public let agentId: String?

    public init(
        key: String,
        agentId: String? = nil
    ) {
        self.key = key
        self.agentId = agentId
    }
}

/// The result of `sessions.messages.unsubscribe`.
public struct SessionsMessagesUnsubscribeResult: Codable, Sendable {
    public let subscribed: Bool
    public let key: String

    public init(
        subscribed: Bool = false,
        key: String
    ) {
        self.subscribed = subscribed
        self.key = key
    }
}

/// The params of `sessions.patch`.
public struct SessionsPatchParams: Codable, Sendable {
    public let key: String
    public let agentId: String?
    public let expectedSessionId: String?
    public let expectedLifecycleRevision: String?
    public let label: Nullable<String>?
    public let thinkingLevel: Nullable<String>?
    public let verboseLevel: Nullable<String>?
    public let reasoningLevel: Nullable<String>?
    public let elevatedLevel: Nullable<String>?
    public let responseUsage: Nullable<String>?
    public let execHost: Nullable<String>?
    public let execSecurity: Nullable<String>?
    public let execAsk: Nullable<String>?
    public let execNode: Nullable<String>?
    public let model: Nullable<String>?
    public let spawnedBy: Nullable<String>?
    public let spawnDepth: Nullable<Int>?
    public let sendPolicy: Nullable<String>?
    public let groupActivation: Nullable<String>?
    public let unread: Bool?
    public let expectedMarkedUnreadAt: Nullable<Double>?

    public init(
        key: String,
        agentId: String? = nil,
        expectedSessionId: String? = nil,
        expectedLifecycleRevision: String? = nil,
        label: Nullable<String>? = nil,
        thinkingLevel: Nullable<String>? = nil,
        verboseLevel: Nullable<String>? = nil,
        reasoningLevel: Nullable<String>? = nil,
        elevatedLevel: Nullable<String>? = nil,
        responseUsage: Nullable<String>? = nil,
        execHost: Nullable<String>? = nil,
        execSecurity: Nullable<String>? = nil,
        execAsk: Nullable<String>? = nil,
        execNode: Nullable<String>? = nil,
        model: Nullable<String>? = nil,
        spawnedBy: Nullable<String>? = nil,
        spawnDepth: Nullable<Int>? = nil,
        sendPolicy: Nullable<String>? = nil,
        groupActivation: Nullable<String>? = nil,
        unread: Bool? = nil,
        expectedMarkedUnreadAt: Nullable<Double>? = nil
    ) {
        self.key = key
        self.agentId = agentId
        self.expectedSessionId = expectedSessionId
        self.expectedLifecycleRevision = expectedLifecycleRevision
        self.label = label
        self.thinkingLevel = thinkingLevel
        self.verboseLevel = verboseLevel
        self.reasoningLevel = reasoningLevel
        self.elevatedLevel = elevatedLevel
        self.responseUsage = responseUsage
        self.execHost = execHost
        self.execSecurity = execSecurity
        self.execAsk = execAsk
        self.execNode = execNode
        self.model = model
        self.spawnedBy = spawnedBy
        self.spawnDepth = spawnDepth
        self.sendPolicy = sendPolicy
        self.groupActivation = groupActivation
        self.unread = unread
        self.expectedMarkedUnreadAt = expectedMarkedUnreadAt
    }
}

/// The result of `sessions.patch`.
public struct SessionsPatchResult: Codable, Sendable {
    public let ok: Bool
    public let path: String
    public let key: String
    public let entry: SessionEntry
    public let resolved: SessionsPatchResultResolved?

    public init(
        ok: Bool = true,
        path: String,
        key: String,
        entry: SessionEntry,
        resolved: SessionsPatchResultResolved? = nil
    ) {
        self.ok = ok
        self.path = path
        self.key = key
        self.entry = entry
        self.resolved = resolved
    }
}

public struct SessionsPatchResultResolved: Codable, Sendable {
    public let modelProvider: String?
    public let model: String?

    public init(
        modelProvider: String? = nil,
        model: String? = nil
    ) {
        self.modelProvider = modelProvider
        self.model = model
    }
}

/// The params of `sessions.preview`.
public struct SessionsPreviewParams: Codable, Sendable {
    public let keys: [String]
    public let limit: Int?
    public let maxChars: Int?

    public init(
        keys: [String],
        limit: Int? = nil,
        maxChars: Int? = nil
    ) {
        self.keys = keys
        self.limit = limit
        self.maxChars = maxChars
    }
}

/// The result of `sessions.preview`.
public struct SessionsPreviewResult: Codable, Sendable {
    public let ts: Int
    public let previews: [SessionPreview]

    public init(
        ts: Int,
        previews: [SessionPreview]
    ) {
        self.ts = ts
        self.previews = previews
    }
}

/// The params of `sessions.reset`.
public struct SessionsResetParams: Codable, Sendable {
    public let key: String
    public let agentId: String?
    public let reason: String?
    public let expectedSessionId: String?

    public init(
        key: String,
        agentId: String? = nil,
        reason: String? = nil,
        expectedSessionId: String? = nil
    ) {
        self.key = key
        self.agentId = agentId
        self.reason = reason
        self.expectedSessionId = expectedSessionId
    }
}

/// The result of `sessions.reset`.
public struct SessionsResetResult: Codable, Sendable {
    public let ok: Bool
    public let key: String
    public let entry: SessionEntry

    public init(
        ok: Bool = true,
        key: String,
        entry: SessionEntry
    ) {
        self.ok = ok
        self.key = key
        self.entry = entry
    }
}

/// The params of `sessions.resolve`.
public struct SessionsResolveParams: Codable, Sendable {
    public let key: String?
    public let sessionId: String?
    public let label: String?
    public let reference: SessionsResolveParamsReference?
    public let shortId: String?
    public let slugHint: String?
    public let agentId: String?
    public let spawnedBy: String?
    public let includeGlobal: Bool?
    public let includeUnknown: Bool?
    public let allowMissing: Bool?

    public init(
        key: String? = nil,
        sessionId: String? = nil,
        label: String? = nil,
        reference: SessionsResolveParamsReference? = nil,
        shortId: String? = nil,
        slugHint: String? = nil,
        agentId: String? = nil,
        spawnedBy: String? = nil,
        includeGlobal: Bool? = nil,
        includeUnknown: Bool? = nil,
        allowMissing: Bool? = nil
    ) {
        self.key = key
        self.sessionId = sessionId
        self.label = label
        self.reference = reference
        self.shortId = shortId
        self.slugHint = slugHint
        self.agentId = agentId
        self.spawnedBy = spawnedBy
        self.includeGlobal = includeGlobal
        self.includeUnknown = includeUnknown
        self.allowMissing = allowMissing
    }
}

public struct SessionsResolveParamsReference: Codable, Sendable {
    public let key: String
    public let slug: String?

    public init(
        key: String,
        slug: String? = nil
    ) {
        self.key = key
        self.slug = slug
    }
}

/// The result of `sessions.resolve`.
public enum SessionsResolveResult: Codable, Sendable {
    case sessionFound(SessionFound)
    case sessionNotFound(SessionNotFound)
    /// Something that later versions of the protocol have.
    case unknown(AnyCodable)

    public init(from decoder: Decoder) throws {
        if let value = try? SessionFound(from: decoder) {
            self = .sessionFound(value)
        } else if let value = try? SessionNotFound(from: decoder) {
            self = .sessionNotFound(value)
        } else {
            self = .unknown(try AnyCodable(from: decoder))
        }
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .sessionFound(let value): try value.encode(to: encoder)
        case .sessionNotFound(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

/// The params of `sessions.subscribe`.
public struct SessionsSubscribeParams: Codable, Sendable {
    public init() {}
}

/// The result of `sessions.subscribe`.
public struct SessionsSubscribeResult: Codable, Sendable {
    public let subscribed: Bool

    public init(
        subscribed: Bool = true
    ) {
        self.subscribed = subscribed
    }
}

/// The params of `sessions.unsubscribe`.
public struct SessionsUnsubscribeParams: Codable, Sendable {
    public init() {}
}

/// The result of `sessions.unsubscribe`.
public struct SessionsUnsubscribeResult: Codable, Sendable {
    public let subscribed: Bool

    public init(
        subscribed: Bool = false
    ) {
        self.subscribed = subscribed
    }
}

/// The params of `set-heartbeats`.
public struct SetHeartbeatsParams: Codable, Sendable {
    public let enabled: Bool

    public init(
        enabled: Bool
    ) {
        self.enabled = enabled
    }
}

/// The result of `set-heartbeats`.
public struct SetHeartbeatsResult: Codable, Sendable {
    public let ok: Bool
    public let enabled: Bool

    public init(
        ok: Bool = true,
        enabled: Bool
    ) {
        self.ok = ok
        self.enabled = enabled
    }
}

public enum SetupAccess: String, Codable, CaseIterable, Sendable {
    case full
    case limited
    case node
}

public struct SetupCompletion: Codable, Sendable {
    public let setupId: String
    public let deviceId: String
    public let deviceName: String?
    public let access: SetupAccess
    public let ts: Int

    public init(
        setupId: String,
        deviceId: String,
        deviceName: String? = nil,
        access: SetupAccess,
        ts: Int
    ) {
        self.setupId = setupId
        self.deviceId = deviceId
        self.deviceName = deviceName
        self.access = access
        self.ts = ts
    }
}

/// The payload of the event `shutdown`.
public struct ShutdownEvent: Codable, Sendable {
    public let reason: String
    public let restartExpectedMs: Nullable<Int>?

    public init(
        reason: String,
        restartExpectedMs: Nullable<Int>? = nil
    ) {
        self.reason = reason
        self.restartExpectedMs = restartExpectedMs
    }
}

public struct Snapshot: Codable, Sendable {
    public let presence: [PresenceEntry]
    public let health: AnyCodable
    public let stateVersion: StateVersion
    public let uptimeMs: Int
    public let configPath: String?
    public let stateDir: String?
    public let sessionDefaults: SessionDefaults?
    public let authMode: String?

    public init(
        presence: [PresenceEntry],
        health: AnyCodable,
        stateVersion: StateVersion,
        uptimeMs: Int,
        configPath: String? = nil,
        stateDir: String? = nil,
        sessionDefaults: SessionDefaults? = nil,
        authMode: String? = nil
    ) {
        self.presence = presence
        self.health = health
        self.stateVersion = stateVersion
        self.uptimeMs = uptimeMs
        self.configPath = configPath
        self.stateDir = stateDir
        self.sessionDefaults = sessionDefaults
        self.authMode = authMode
    }
}

public struct StateVersion: Codable, Sendable {
    public let presence: Int
    public let health: Int

    public init(
        presence: Int,
        health: Int
    ) {
        self.presence = presence
        self.health = health
    }
}

/// The params of `status`.
public struct StatusParams: Codable, Sendable {
    public let includeChannelSummary: Bool?

    public init(
        includeChannelSummary: Bool? = nil
    ) {
        self.includeChannelSummary = includeChannelSummary
    }
}

/// The result of `status`.
public struct StatusResult: Codable, Sendable {
    public let runtimeVersion: String?
    public let heartbeat: StatusResultHeartbeat
    public let channelSummary: [String]
    public let queuedSystemEvents: [String]
    public let sessions: StatusResultSessions

    public init(
        runtimeVersion: String? = nil,
        heartbeat: StatusResultHeartbeat,
        channelSummary: [String],
        queuedSystemEvents: [String],
        sessions: StatusResultSessions
    ) {
        self.runtimeVersion = runtimeVersion
        self.heartbeat = heartbeat
        self.channelSummary = channelSummary
        self.queuedSystemEvents = queuedSystemEvents
        self.sessions = sessions
    }
}

public struct StatusResultHeartbeat: Codable, Sendable {
    public let defaultAgentId: String
    public let agents: [StatusResultHeartbeatAgentsItem]

    public init(
        defaultAgentId: String,
        agents: [StatusResultHeartbeatAgentsItem]
    ) {
        self.defaultAgentId = defaultAgentId
        self.agents = agents
    }
}

public struct StatusResultHeartbeatAgentsItem: Codable, Sendable {
    public let agentId: String
    public let enabled: Bool
    public let every: String
    public let everyMs: Int?

    public init(
        agentId: String,
        enabled: Bool,
        every: String,
        everyMs: Int?
    ) {
        self.agentId = agentId
        self.enabled = enabled
        self.every = every
        self.everyMs = everyMs
    }
}

public struct StatusResultSessions: Codable, Sendable {
    public let paths: [String]
    public let count: Int
    public let defaults: StatusResultSessionsDefaults
    public let recent: [StatusSession]
    public let byAgent: [StatusResultSessionsByAgentItem]

    public init(
        paths: [String],
        count: Int,
        defaults: StatusResultSessionsDefaults,
        recent: [StatusSession],
        byAgent: [StatusResultSessionsByAgentItem]
    ) {
        self.paths = paths
        self.count = count
        self.defaults = defaults
        self.recent = recent
        self.byAgent = byAgent
    }
}

public struct StatusResultSessionsDefaults: Codable, Sendable {
    public let model: String?
    public let contextTokens: Int?

    public init(
        model: String?,
        contextTokens: Int?
    ) {
        self.model = model
        self.contextTokens = contextTokens
    }
}

public struct StatusResultSessionsByAgentItem: Codable, Sendable {
    public let agentId: String
    public let path: String
    public let count: Int
    public let recent: [StatusSession]

    public init(
        agentId: String,
        path: String,
        count: Int,
        recent: [StatusSession]
    ) {
        self.agentId = agentId
        self.path = path
        self.count = count
        self.recent = recent
    }
}

public struct StatusSession: Codable, Sendable {
    public let agentId: String?
    public let key: String
    public let kind: String
    public let sessionId: String?
    public let updatedAt: Int?
    public let age: Int?
    public let thinkingLevel: String?
    public let verboseLevel: String?
    public let systemSent: Bool?
    public let abortedLastRun: Bool?
    public let inputTokens: Int?
    public let outputTokens: Int?
    public let totalTokens: Int?
    public let totalTokensFresh: Bool
    public let remainingTokens: Int?
    public let percentUsed: Int?
    public let model: String?
    public let contextTokens: Int?
    public let flags: [String]

    public init(
        agentId: String? = nil,
        key: String,
        kind: String,
        sessionId: String? = nil,
        updatedAt: Int?,
        age: Int?,
        thinkingLevel: String? = nil,
        verboseLevel: String? = nil,
        systemSent: Bool? = nil,
        abortedLastRun: Bool? = nil,
        inputTokens: Int? = nil,
        outputTokens: Int? = nil,
        totalTokens: Int?,
        totalTokensFresh: Bool,
        remainingTokens: Int?,
        percentUsed: Int?,
        model: String?,
        contextTokens: Int?,
        flags: [String]
    ) {
        self.agentId = agentId
        self.key = key
        self.kind = kind
        self.sessionId = sessionId
        self.updatedAt = updatedAt
        self.age = age
        self.thinkingLevel = thinkingLevel
        self.verboseLevel = verboseLevel
        self.systemSent = systemSent
        self.abortedLastRun = abortedLastRun
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.totalTokens = totalTokens
        self.totalTokensFresh = totalTokensFresh
        self.remainingTokens = remainingTokens
        self.percentUsed = percentUsed
        self.model = model
        self.contextTokens = contextTokens
        self.flags = flags
    }
}

/// The params of `system-event`.
public struct SystemEventParams: Codable, Sendable {
    public let text: String
    public let deviceId: String?
    public let instanceId: String?
    public let host: String?
    public let ip: String?
    public let mode: String?
    public let version: String?
    public let platform: String?
    public let deviceFamily: String?
    public let modelIdentifier: String?
    public let lastInputSeconds: Double?
    public let reason: String?
    public let roles: [String]?
    public let scopes: [String]?
    public let tags: [String]?

    public init(
        text: String,
        deviceId: String? = nil,
        instanceId: String? = nil,
        host: String? = nil,
        ip: String? = nil,
        mode: String? = nil,
        version: String? = nil,
        platform: String? = nil,
        deviceFamily: String? = nil,
        modelIdentifier: String? = nil,
        lastInputSeconds: Double? = nil,
        reason: String? = nil,
        roles: [String]? = nil,
        scopes: [String]? = nil,
        tags: [String]? = nil
    ) {
        self.text = text
        self.deviceId = deviceId
        self.instanceId = instanceId
        self.host = host
        self.ip = ip
        self.mode = mode
        self.version = version
        self.platform = platform
        self.deviceFamily = deviceFamily
        self.modelIdentifier = modelIdentifier
        self.lastInputSeconds = lastInputSeconds
        self.reason = reason
        self.roles = roles
        self.scopes = scopes
        self.tags = tags
    }
}

/// The result of `system-event`.
public struct SystemEventResult: Codable, Sendable {
    public let ok: Bool

    public init(
        ok: Bool = true
    ) {
        self.ok = ok
    }
}

/// The params of `system-presence`.
public struct SystemPresenceParams: Codable, Sendable {
    public init() {}
}

/// The result of `system-presence`.
public typealias SystemPresenceResult = [PresenceEntry]

/// The params of `taskSuggestions.list`.
public struct TaskSuggestionsListParams: Codable, Sendable {
    public let sessionKey: String?
    public let agentId: String?

    public init(
        sessionKey: String? = nil,
        agentId: String? = nil
    ) {
        self.sessionKey = sessionKey
        self.agentId = agentId
    }
}

/// The result of `taskSuggestions.list`.
public struct TaskSuggestionsListResult: Codable, Sendable {
    public let suggestions: [AnyCodable]

    public init(
        suggestions: [AnyCodable]
    ) {
        self.suggestions = suggestions
    }
}

public struct ThinkingLevelOption: Codable, Sendable {
    public let id: String
    public let label: String

    public init(
        id: String,
        label: String
    ) {
        self.id = id
        self.label = label
    }
}

/// The payload of the event `tick`.
public struct TickEvent: Codable, Sendable {
    public let ts: Int

    public init(
        ts: Int
    ) {
        self.ts = ts
    }
}

public struct TokenUsage: Codable, Sendable {
    public let input: Int?
    public let output: Int?
    public let cacheRead: Int?
    public let cacheWrite: Int?
    public let totalTokens: Int?

    public init(
        input: Int? = nil,
        output: Int? = nil,
        cacheRead: Int? = nil,
        cacheWrite: Int? = nil,
        totalTokens: Int? = nil
    ) {
        self.input = input
        self.output = output
        self.cacheRead = cacheRead
        self.cacheWrite = cacheWrite
        self.totalTokens = totalTokens
    }
}

public struct ToolCatalogEntry: Codable, Sendable {
    public let id: String
    public let label: String
    public let description: String
    public let source: String
    public let pluginId: String?
    public let optional: Bool?
    public let defaultProfiles: [String]

    public init(
        id: String,
        label: String,
        description: String,
        source: String,
        pluginId: String? = nil,
        optional: Bool? = nil,
        defaultProfiles: [String]
    ) {
        self.id = id
        self.label = label
        self.description = description
        self.source = source
        self.pluginId = pluginId
        self.optional = optional
        self.defaultProfiles = defaultProfiles
    }
}

public struct ToolCatalogGroup: Codable, Sendable {
    public let id: String
    public let label: String
    public let source: String
    public let pluginId: String?
    public let tools: [ToolCatalogEntry]

    public init(
        id: String,
        label: String,
        source: String,
        pluginId: String? = nil,
        tools: [ToolCatalogEntry]
    ) {
        self.id = id
        self.label = label
        self.source = source
        self.pluginId = pluginId
        self.tools = tools
    }
}

public struct ToolCatalogProfile: Codable, Sendable {
    public let id: String
    public let label: String

    public init(
        id: String,
        label: String
    ) {
        self.id = id
        self.label = label
    }
}

/// The params of `tools.catalog`.
public struct ToolsCatalogParams: Codable, Sendable {
    public let agentId: String?
    public let includePlugins: Bool?

    public init(
        agentId: String? = nil,
        includePlugins: Bool? = nil
    ) {
        self.agentId = agentId
        self.includePlugins = includePlugins
    }
}

/// The result of `tools.catalog`.
public struct ToolsCatalogResult: Codable, Sendable {
    public let agentId: String
    public let profiles: [ToolCatalogProfile]
    public let groups: [ToolCatalogGroup]

    public init(
        agentId: String,
        profiles: [ToolCatalogProfile],
        groups: [ToolCatalogGroup]
    ) {
        self.agentId = agentId
        self.profiles = profiles
        self.groups = groups
    }
}
