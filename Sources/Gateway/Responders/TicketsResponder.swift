import GatewaySecurity
import HTTPServer
import MessagePack

/// `/tickets`: a word for an `EventSource`, which can send no key, good for one stream of a service within a short time.
struct TicketsResponder: Responder {
  let upstreams: UpstreamTable

  var methods: HTTPMethod.Set { .submit }

  /// The stream that a body asks a ticket for; nil when it asks for none.
  static func wish(_ body: UnsafeRawBufferPointer) -> Wish? {
    (try? TicketWish(body)).map { .subscribe($0.topics, of: $0.service) }
  }

  func begin(_ request: GatewayRequest) throws(Problem) { try request.checkAccept("application/json") }

  func beginUnread(_ request: GatewayRequest) throws(Problem) {
    _ = try request.query(.nothing)
    try request.checkContentType(isUnread: true)
  }

  func respond(to request: GatewayRequest) throws(Problem) {
    _ = try request.query(.nothing)
    try request.checkContentType()
    guard let tickets = request.tickets, let caller = request.caller else {
      throw Problem(
        .noSuchRoute, "Tickets are given where callers are told apart (auth.keys, auth.jwt); here a stream needs none.")
    }
    let wish = try TicketWish(request.body)
    try check(wish, for: request.permissions)
    let ticket = Ticket(caller: caller, service: wish.service, topics: wish.topics)
    let text: String
    do throws(TicketTable<Ticket>.Refusal) {
      text = try tickets.issue(ticket, to: caller.subject, at: request.beginning)
    } catch {
      throw Problem(error, within: tickets.time)
    }
    var json = JSONWriter()
    json.open("{")
    json.member("ticket", text)
    json.member("expires", Int(tickets.time.components.seconds))
    json.close("}")
    request.answer(201, "application/json", headers: [("Cache-Control", "no-store")], json.bytes)
  }

  /// Refuses a stream that a caller with these permissions could not open.
  private func check(_ wish: TicketWish, for permissions: Permissions?) throws(Problem) {
    do throws(Problem) {
      let access = try permissions?.topics(of: wish.service)
      try StreamResponder(service: wish.service, seeing: access, in: upstreams).check(wish.topics)
    } catch {
      throw error.told(to: permissions)
    }
  }
}

extension Problem {
  /// There is no ticket now. Who waits as long as one is good gets the next.
  fileprivate init(_ refusal: TicketTable<Ticket>.Refusal, within time: Duration) {
    switch refusal {
    case .all:
      self.init(
        .overloaded, "As many tickets were given as auth.tickets.limit allows in the time for which they are good.")
    case .share:
      self.init(
        .rateLimited, "You got as many tickets as auth.tickets.share allows in the time for which they are good.")
      retryAfter = Int(time.components.seconds)
    }
  }
}

/// What a ticket is asked for: `{"service":"news","topics":["eu."]}`.
private struct TicketWish {
  private(set) var service = ""
  private(set) var topics: [[UInt8]] = []

  private static let shape =
    #"Say what the ticket is for: {"service":"news","topics":["eu."]}; without topics, for all that you may see."#

  init(_ body: UnsafeRawBufferPointer) throws(Problem) {
    guard var members = JSONMembers(body), members.isObject else { throw Problem(.badShape, Self.shape) }
    var seen: Set<String> = []
    do throws(TranscodingError) {
      while let member = try members.next() {
        let name = member.key.map { String(decoding: $0.dropFirst().dropLast(), as: UTF8.self) } ?? ""
        guard seen.insert(name).inserted, let texts = try Self.texts(member.value), Self.isFit(name, texts) else {
          seen = []
          break
        }
        if name == "service" {
          service = String(decoding: texts.items[0], as: UTF8.self)
        } else {
          topics = texts.items
        }
      }
    } catch {
      throw Problem(arguments: error)
    }
    guard seen.contains("service"), topics.allSatisfy({ $0.count <= NameRules.longestTopic }) else {
      throw Problem(.badShape, Self.shape)
    }
  }

  private static func isFit(_ name: String, _ texts: (items: [[UInt8]], isList: Bool)) -> Bool {
    name == "service" && !texts.isList || name == "topics" && texts.isList
  }

  /// A text, or a list of texts or bytes; nil for anything else.
  private static func texts(
    _ value: UnsafeRawBufferPointer
  ) throws(TranscodingError) -> (items: [[UInt8]], isList: Bool)? {
    var buffer = ByteBuffer(capacity: 3 * value.count + 64)
    try JSONToMessagePack().transcode(value, into: &buffer)
    return try buffer.withUnsafeBytes { bytes throws(TranscodingError) in
      var cursor = Cursor(bytes)
      switch try cursor.next() {
      case .string(let text): return ([Array(text)], false)
      case .array(let count):
        var items: [[UInt8]] = []
        for _ in 0..<count {
          switch try cursor.next() {
          case .string(let text): items.append(Array(text))
          case .binary(let bytes): items.append(Array(bytes))
          default: return nil
          }
        }
        return (items, true)
      default: return nil
      }
    }
  }
}
