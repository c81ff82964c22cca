import GatewaySecurity
import HTTPServer

/// What a ticket is good for: one stream, in the name of whoever has asked for the ticket.
struct Ticket: Sendable {
  let caller: Caller
  let service: String
  /// What the stream may ask for; empty: whatever its caller may.
  let topics: [[UInt8]]

  /// The control parameter that brings it.
  static let parameter = "_ticket"

  /// What a stream gets that asks for these topics; none: all that the ticket is for.
  func topics(asked: [[UInt8]]) throws(Problem) -> [[UInt8]] {
    if asked.isEmpty { return topics }
    guard topics.isEmpty || asked.allSatisfy(topics.contains) else {
      throw Problem(
        .permissionDenied, "The ticket is for other topics; ask for those that it was made for, or for none.")
    }
    return asked
  }
}

/// Where a request for a stream may bring a ticket: `/sub/{service}?_ticket=...`.
struct TicketPath {
  private let folder: [UInt8]
  private static let name = Array("\(Ticket.parameter)=".utf8)

  init(prefix: String) { folder = Array("\(prefix)/sub/".utf8) }

  /// The service and the ticket; nil when there is none in the target.
  func find(in target: UnsafeRawBufferPointer) -> (service: UnsafeRawBufferPointer, ticket: UnsafeRawBufferPointer)? {
    guard target.starts(with: folder), let question = target.firstIndex(of: UInt8(ascii: "?")) else { return nil }
    for pair in target[(question + 1)...].split(separator: UInt8(ascii: "&")) where pair.starts(with: Self.name) {
      return (
        UnsafeRawBufferPointer(rebasing: target[folder.count..<question]),
        UnsafeRawBufferPointer(rebasing: pair.dropFirst(Self.name.count))
      )
    }
    return nil
  }
}
