import Gateway
import GatewaySecurity
import Logging
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

/// A gateway whose calls are decided by a service that the test plays, in front of a service `s`, workers `jobs` and events `news`.
struct Authorizer: Sendable {
  /// What it is asked, in order, as text: `alice call s.get`.
  let questions = Guarded<[String]>([])
  private let answer = Guarded<@Sendable (String) -> Value?>({ _ in true })
  /// Questions without an answer so far.
  private let held = Guarded<[WireCall]>([])
  private let told = Guarded<[String]>([])
  let service: WireSocket
  let configuration: Configuration
  let gateway: LiveGateway
  let alice: APIKey, bob: APIKey
  let backend: WireSocket, publisher: WireSocket, workers: WireSocket
  let rig: Rig

  /// Runs a test with one; `decision` is more of `auth.decision`, `asking` of its service.
  static func with(
    _ decision: String = "", rules: String? = nil, threads: Int = 1, asking: String = "timeout: 20s",
    limits: String = "{}", logger: Logger = Rig.logger, _ body: (Authorizer) async throws -> Void
  ) async throws {
    try await Rig.with { rig in
      try await body(try await Authorizer(rig, decision, rules, threads, asking, limits, logger))
    }
  }

  private init(
    _ rig: Rig, _ decision: String, _ rules: String?, _ threads: Int, _ asking: String, _ limits: String,
    _ logger: Logger
  ) async throws {
    self.rig = rig
    let (alice, bob) = (APIKey.random(), APIKey.random())
    (self.alice, self.bob) = (alice, bob)
    let keys = try rig.directory.file(
      "keys.yaml",
      "\(alice.digest.hex): { subject: alice, scopes: [write, read] }\n\(bob.digest.hex): { subject: bob }\n")
    service = try await rig.wire(.router, bind: rig.directory.endpoint("authorizer"))
    backend = try await rig.wire(.router, bind: rig.directory.endpoint("rpc"))
    publisher = try await rig.wire(.subscriptionAwarePublish, bind: rig.directory.endpoint("news"))
    workers = try await rig.wire(.pull, bind: rig.directory.endpoint("jobs"))
    let running = try await rig.gateway(
      """
      authorizer: { pattern: rpc, connect: ["\(await service.endpoint)"], methods: { expose: [] }, \(asking) }
      s:
        pattern: rpc
        connect: ["\(await backend.endpoint)"]
        methods: { safe: [get], context: [told], settings: { shared: { coalesce: true }, dear: { cost: 5 } } }
        watch: { interval: 20ms }
        routes: { "GET /things/{id}": "get(id)", "DELETE /things/{id}": "remove(id)" }
      hidden: { pattern: rpc, connect: ["ipc:///nowhere/h"], required: false }
      jobs: { pattern: pipeline, connect: ["\(await workers.endpoint)"] }
      news:
        pattern: pubsub
        subscribe: { connect: ["\(await publisher.endpoint)"], last: {}, heartbeat: 1s }
        publish: { connect: ["ipc:///nowhere/p"] }
      """,
      auth:
        "{ keys: { file: \"\(keys)\" }\(rules.map { ", rules: \($0)" } ?? ""), decision: { service: authorizer\(decision.contains("timeout") ? "" : ", timeout: 20s")\(decision) } }",
      threads: threads, limits: limits, logger: logger)
    gateway = running
    configuration = try #require(running.configuration)
    let (questions, answer, held, told, service) = (questions, answer, held, told, service)
    let deciding = Task {
      while !Task.isCancelled {
        guard let call = try? await service.call() else { continue }
        let (text, address) = Self.text(call)
        let value = answer.withLock { $0 }(text)
        // Before it is answered: whoever has the answer may look for the question.
        if value == nil { held.withLock { $0.append(call) } }
        told.withLock { if let address { $0.append(address) } }
        questions.withLock { $0.append(text) }
        if let value { try await service.answer(call, value.packed) }
      }
    }
    let backend = backend
    let answering = Task {
      while !Task.isCancelled {
        if let call = try? await backend.call() { try await backend.answer(call, Value.string(call.method).packed) }
      }
    }
    rig.cleanup.add {
      deciding.cancel()
      answering.cancel()
    }
    try await eventually("the services on each shard") {
      for _ in 0..<4 * threads where try await running.http.post("/rpc/s/hello", headers: alice.header).status != 200 {
        return false
      }
      return true
    }
    questions.withLock { $0 = [] }
    told.withLock { $0 = [] }
  }

  /// Answers so from now on; nil is nothing at all, until `release`.
  func answers(_ body: @escaping @Sendable (String) -> Value?) { answer.withLock { $0 = body } }

  /// Answers the questions that have no answer.
  func release(_ value: Value, isException: Bool = false) async throws {
    for call in held.withLock({ held in
      defer { held = [] }; return held
    }) {
      try await service.answer(call, value.packed, isException: isException)
    }
  }

  /// What it was asked since this was called last.
  func asked() -> [String] {
    questions.withLock { asked in
      defer { asked = [] }; return asked
    }
  }

  /// The addresses that it was told of late.
  func addresses() -> [String] {
    told.withLock { told in
      defer { told = [] }; return told
    }
  }

  /// Waits until it has been asked so often.
  func isAsked(_ count: Int) async throws {
    try await eventually("question \(count)") { questions.withLock { $0.count >= count } }
  }

  /// A metric of the gateway.
  func metric(_ line: String) async throws -> Int? {
    let page = try await gateway.http.get("/metrics", headers: alice.header).body
    let found = page.split(separator: "\n").first { $0.hasPrefix(line + " ") }
    return found.flatMap { $0.split(separator: " ").last.flatMap { Int($0) } }
  }

  private static func text(_ call: WireCall) -> (String, address: String?) {
    guard let value = try? Unpacker().unpack(call.arguments), case .array(let arguments) = value,
      case .map(let pairs)? = arguments.first, arguments.count == 1, pairs.count == 7
    else { return ("malformed", nil) }
    func member(_ name: String) -> Value { pairs.first { $0.key == .string(name) }?.value ?? .nil }
    func word(_ value: Value) -> String {
      switch value {
      case .string(let text): text
      case .array(let values): "[" + values.map(word).joined(separator: " ") + "]"
      case .nil: ""
      default: "?"
      }
    }
    let what = [word(member("service")), word(member("method")), word(member("topics"))].filter { !$0.isEmpty }
    let address = word(member("address"))
    return (
      "\(word(member("subject"))) \(word(member("kind"))) \(what.joined(separator: "."))",
      address.isEmpty ? nil : address
    )
  }
}
