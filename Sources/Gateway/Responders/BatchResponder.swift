import HTTPServer
import MessagePack
import ZeroMQRPC

/// `/batch`: several calls of any services, and messages for them, in one request.
///
/// The body is cut into its items, and each is read by itself, so what is wrong with one concerns no other. All go out at once; a
/// `CallGroup` waits for their ends. A client that accepts lines gets each answer as it comes.
struct BatchResponder: Responder {
  private static let controls: Set<String> = [RequestTimeout.parameter]

  let upstreams: UpstreamTable

  var methods: HTTPMethod.Set { .submit }
  var kind: RouteKind { .batch }

  func begin(_ request: GatewayRequest) throws(Problem) {
    if !wantsLines(request) { try request.checkAccept("application/json") }
  }

  func beginUnread(_ request: GatewayRequest) throws(Problem) {
    _ = try timeout(request)
    try request.checkContentType(isUnread: true)
  }

  /// How long the request gives its items that do not say so themselves.
  private func timeout(_ request: GatewayRequest) throws(Problem) -> Duration? {
    try CallResponder.askedTimeout(request, try request.query(.nothing, controls: Self.controls))
  }

  /// Whether lines are named, and not only covered by a range that covers JSON as well.
  private func wantsLines(_ request: GatewayRequest) -> Bool {
    request.header(.accept) != nil && MediaType.prefersLines(request.values(of: .accept), over: "application/json")
  }

  func respond(to request: GatewayRequest) throws(Problem) {
    let timeout = try timeout(request)
    try request.checkContentType()
    let items = try items(request.body)
    let buffers = request.buffers
    let group = CallGroup<BatchAnswer>(request)
    for item in items {
      defer { buffers.clear() }
      do throws(Problem) {
        try check(item, request.permissions)
        try request.check(wish(item))
        try send(item, of: request, asking: timeout, &buffers.request, group)
      } catch {
        group.add(request.decision == nil ? error.told(to: request.permissions) : error.withoutHints, id: item.id)
      }
    }
    if wantsLines(request) { group.answer(lines: MediaType.lines) } else { group.answer() }
  }

  /// What the items of a body want, those that say it.
  func wishes(_ body: UnsafeRawBufferPointer) -> [Wish] {
    ((try? items(body)) ?? []).filter { (try? $0.check()) != nil }.map(wish)
  }

  private func wish(_ item: BatchItem) -> Wish {
    if let topic = item.topic { return .publish(item.method, on: topic, of: item.service) }
    return upstreams.isPipeline(item.service)
      ? .push(item.method, of: item.service) : .call(item.method, of: item.service)
  }

  private func items(_ body: UnsafeRawBufferPointer) throws(Problem) -> [BatchItem] {
    guard var members = JSONMembers(body), !members.isObject else {
      throw Problem(.badShape, #"A batch is an array of calls: [{"service":"...","method":"...","args":[...]}, ...]."#)
    }
    var items: [BatchItem] = []
    do throws(TranscodingError) {
      while let member = try members.next(), items.count <= upstreams.longestBatch {
        items.append(BatchItem(member.value, at: items.count, of: body))
      }
    } catch {
      throw Problem(arguments: error)
    }
    guard items.count <= upstreams.longestBatch else {
      throw Problem(.badShape, "A batch has at most \(upstreams.longestBatch) items (http.limits.batch); send several.")
    }
    return items
  }

  /// Refuses what is no item, and what the caller may not do, before it is looked for.
  private func check(_ item: BatchItem, _ permissions: Permissions?) throws(Problem) {
    try item.check()
    guard let permissions else { return }
    if let topic = item.topic {
      try permissions.check(publishing: item.method, on: topic, of: item.service)
    } else {
      try permissions.check(calling: item.method, of: item.service)
    }
  }

  private func send(
    _ item: BatchItem, of request: GatewayRequest, asking timeout: Duration?, _ buffer: inout ByteBuffer,
    _ group: CallGroup<BatchAnswer>
  ) throws(Problem) {
    switch try upstreams.upstream(item.service) {
    case .rpc(let upstream):
      try refuse(item.topic != nil, "topic", "pubsub", in: item, of: request)
      let method = try upstream.method(item.method)
      let left = try request.timeLeft(item.timeout ?? timeout, of: upstream.settings(of: method))
      var frames = try item.frames(upstream.reader, into: &buffer)
      try upstream.tell(method, of: request, asking: left, in: &frames, &buffer)
      try request.countsItem(upstream.settings(of: method).cost)
      group.add(method, of: upstream, id: item.id, frames, in: buffer, asking: left)
    case .pipeline(let upstream):
      try refuse(item.topic != nil, "topic", "pubsub", in: item, of: request)
      try sendOneWay(item, of: request, upstream, &buffer, group)
    case .pubsub:
      guard let topic = item.topic else {
        throw misfit("An item for a pubsub service has a \"topic\".", item, of: request)
      }
      let publishing = try upstreams.publishing(item.service, on: topic, for: request.permissions)
      try sendOneWay(item, of: request, publishing, &buffer, group)
    }
  }

  private func sendOneWay(
    _ item: BatchItem, of request: GatewayRequest, _ upstream: OneWayUpstream, _ buffer: inout ByteBuffer,
    _ group: CallGroup<BatchAnswer>
  ) throws(Problem) {
    try refuse(item.timeout != nil, "timeout", "rpc", in: item, of: request)
    let method = try upstream.method(item.method)
    let frames = try item.frames(upstream.reader, into: &buffer)
    try request.countsItem(1)
    if upstream.isDistant {
      return try group.addReceipt(id: item.id) { receipt throws(Problem) in
        try upstream.handOver(item.topic, method, frames, in: buffer, receipt: receipt)
      }
    }
    try upstream.send(item.topic, method, frames, in: buffer)
    group.addAccepted(id: item.id)
  }

  private func refuse(
    _ isPresent: Bool, _ member: String, _ pattern: String, in item: BatchItem, of request: GatewayRequest
  ) throws(Problem) {
    guard isPresent else { return }
    let article = pattern == "rpc" ? "an" : "a"
    throw misfit("Only an item for \(article) \(pattern) service has a \"\(member)\".", item, of: request)
  }

  /// What tells of which pattern a service is.
  private func misfit(_ sentence: String, _ item: BatchItem, of request: GatewayRequest) -> Problem {
    upstreams.refusal(Problem(.badShape, sentence), of: item.service, to: request.permissions)
  }
}

/// The answer to one item.
struct BatchAnswer: PartialAnswer {
  private let outcome: CallOutcome
  private let id: [UInt8]

  init(_ outcome: CallOutcome, id: [UInt8]) {
    self.outcome = outcome
    self.id = id
  }

  var count: Int { outcome.body.count + id.count + 40 }

  func write(to json: inout ByteBuffer) {
    json.append(#"{"id":"#)
    id.withUnsafeBytes { json.append($0) }
    json.append(#","status":"#)
    json.append(utf8: "\(outcome.status)")
    json.append(outcome.problem == nil ? #","result":"# : #","error":"#)
    json.append(outcome.body.bytes)
    json.append("}")
  }
}
