import GatewaySecurity
import MessagePack

/// A question, as the service that decides gets it: one map, always of the same members.
///
/// All that the service is told is what its answer is kept by, so that an answer is never used for another question.
struct DecisionQuestion {
  /// The map in MessagePack.
  let bytes: [UInt8]
  /// What its answer is kept by.
  let key: SecretDigest
  /// Who asks; empty for whoever has shown no credentials.
  let subject: String

  private static let members = 7

  /// Whether that caller may do that; the address is nil where it is not told.
  init(_ wish: Wish, by caller: Caller?, from address: String?) {
    subject = caller?.subject ?? ""
    var map = ByteBuffer()
    map.appendMapHeader(Self.members)
    map.appendString("subject")
    map.append(optional: caller.flatMap { $0.subject.isEmpty ? nil : $0.subject })
    map.appendString("scopes")
    let scopes = caller?.scopes ?? []
    map.appendArrayHeader(scopes.count)
    for scope in scopes { map.appendString(scope) }
    map.appendString("service")
    map.appendString(wish.service)
    let (kind, method, topics): (String, String?, [[UInt8]]?) =
      switch wish {
      case .call(let method, _): ("call", method, nil)
      case .push(let method, _): ("push", method, nil)
      case .publish(let method, let topic, _): ("publish", method, [topic])
      case .subscribe(let topics, _): ("subscribe", nil, topics)
      }
    map.appendString("kind")
    map.appendString(kind)
    map.appendString("method")
    map.append(optional: method)
    map.appendString("topics")
    if let topics {
      map.appendArrayHeader(topics.count)
      for topic in topics { map.append(topic: topic) }
    } else {
      map.append(0xC0)
    }
    map.appendString("address")
    map.append(optional: address)
    bytes = map.withUnsafeBytes { Array($0) }
    key = map.withUnsafeBytes { SecretDigest(of: $0) }
  }
}

extension ByteBuffer {
  /// A string, or nil.
  fileprivate mutating func append(optional text: String?) {
    if let text { appendString(text) } else { append(0xC0) }
  }

  /// A topic, at most 245 bytes long: a string if it is text, else bytes.
  fileprivate mutating func append(topic: [UInt8]) {
    if let text = String(validating: topic, as: UTF8.self) { return appendString(text) }
    append(0xC4)
    append(UInt8(truncatingIfNeeded: topic.count))
    topic.withUnsafeBytes { append($0) }
  }
}
