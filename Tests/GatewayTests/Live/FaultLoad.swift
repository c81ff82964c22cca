import Foundation
import Reactor
import Support

/// Clients that call `run` without a pause, each call with a token of its own, each on a connection that it keeps.
final class FaultLoad: Sendable {
  /// What became of all calls.
  struct Record: Sendable {
    /// The status that each token was answered with.
    var statuses: [String: Int] = [:]
    /// How often each code of a problem came.
    var codes: [String: Int] = [:]
    /// Answers that should not be.
    var faults: [String] = []

    func count(_ status: Int) -> Int { statuses.values.count { $0 == status } }

    mutating func merge(_ other: Record) {
      statuses.merge(other.statuses) { $1 }
      codes.merge(other.codes, uniquingKeysWith: +)
      faults += other.faults
    }
  }

  private let isOver = Guarded(false)
  /// How many calls of each client had their result.
  private let successes: Guarded<[Int]>
  private let refusals = Guarded<[Int: Int]>([:])
  /// Tokens of other loads begin otherwise.
  private let name: String
  private let clients = Guarded<[Task<Record, any Error>]>([])

  init(_ name: String, clients count: Int, port: UInt16) {
    self.name = name
    successes = Guarded(Array(repeating: 0, count: count))
    let tasks = (0..<count).map { client in
      Task { [self] in try await offThread { try self.run(client, port) } }
    }
    clients.withLock { $0 = tasks }
  }

  /// How many calls were answered with that status, which is none of success.
  func failures(_ status: Int) -> Int { refusals.withLock { $0[status, default: 0] } }

  /// Waits until each client has had some more results, and returns how long that took.
  @discardableResult
  func eachSucceeds(within limit: Duration = .seconds(10)) async throws -> Duration {
    let before = successes.withLock { $0 }
    return try await duration {
      try await eventually("results for all clients", within: limit) {
        // The first one may have been on its way before.
        zip(successes.withLock { $0 }, before).allSatisfy { $0 > $1 + 1 }
      }
    }
  }

  /// Ends the clients, each when its last answer has come.
  func end() async throws -> Record {
    isOver.withLock { $0 = true }
    var record = Record()
    for client in clients.withLock({ $0 }) { record.merge(try await client.value) }
    return record
  }

  private func run(_ client: Int, _ port: UInt16) throws -> Record {
    var record = Record()
    let connection = try HTTPConnection(port: port)
    defer { connection.disconnect() }
    var number = 0
    while !isOver.withLock({ $0 }) {
      number += 1
      let token = "\(name)-\(client)-\(number)"
      connection.send(
        "POST", "/rpc/s/run", headers: ["Content-Type": "application/json"], body: Array("[\"\(token)\"]".utf8))
      do {
        let reply = try connection.reply()
        note(reply, of: token, from: client, in: &record)
        // One that is refused comes back a little later, and not as fast as it can: the backend needs the processor.
        if reply.status == 503 { usleep(2_000) }
      } catch {
        record.faults.append("\(token): \(error)")
        return record
      }
    }
    return record
  }

  private func note(_ reply: HTTPReply, of token: String, from client: Int, in record: inout Record) {
    record.statuses[token] = reply.status
    let code = reply.headers["gateway-error"] ?? ""
    if reply.status != 200 { refusals.withLock { $0[reply.status, default: 0] += 1 } }
    switch reply.status {
    case 200 where reply.body == "\"\(token)\"": successes.withLock { $0[client] += 1 }
    case 502 where reply.json["sent"] == true, 504 where reply.json["sent"] == true,
      503 where reply.json["sent"] == false, 400 where code == "remote-exception" && reply.body.contains(token):
      record.codes[code, default: 0] += 1
    default: record.faults.append("\(token): \(reply.status) \(reply.body)")
    }
  }
}
