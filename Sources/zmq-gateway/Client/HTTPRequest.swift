import ArgumentParser
import CLinux
import FoundationEssentials
import Glibc
import HTTPServer

/// One request to a gateway. It is HTTP/1.0, so that the body of the answer comes as it is and ends with the connection, a stream's too.
struct HTTPRequest {
  /// There was no answer, or none that is HTTP.
  struct Unanswered: Error {
    /// Why TLS is not spoken with whoever is there; nil when nobody is.
    var reason: HTTPServerError?

    /// Ends a command that can do nothing without an answer.
    func exit(_ url: GatewayURL) -> ExitCode {
      if let reason {
        let hint = "--http names another host, and SSL_CERT_FILE a file of authorities to trust"
        return fail("\(url): \(reason); \(hint)", .unavailable)
      }
      return fail("\(url) does not answer; start a gateway there, or name another by --http", .unavailable)
    }
  }

  /// How an answer began.
  struct Head {
    let status: Int
    var isSuccess: Bool { 200..<300 ~= status }
  }

  private static let longestHead = 64 << 10
  /// The caller's key. It is no option of a command: those are shown to everyone who lists processes.
  static let key = ProcessInfo.processInfo.environment["ZMQ_GATEWAY_KEY"].flatMap {
    $0.isEmpty || $0.utf8.contains { !(0x21...0x7E ~= $0) } ? nil : $0
  }

  let verb: String
  /// Path and query, without the prefix.
  let target: String
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []

  /// Sends it, and hands each piece of the body to `take` as it comes, until that returns false or the answer is over. Blocks the calling
  /// thread, without a limit for as long as the answer goes on. Throws `Unanswered`.
  func send(
    to url: GatewayURL, within limit: Duration? = nil, _ take: (Head, ArraySlice<UInt8>) throws -> Bool
  ) throws -> Head {
    var reason: HTTPServerError?
    let head = try url.withConnection(within: limit) { descriptor -> Head? in
      var tls: TLSClient?
      do throws(HTTPServerError) {
        if let trust = url.trust { tls = try TLSClient(over: descriptor, trusting: trust) }
      } catch {
        reason = error
        return nil
      }
      try write(to: descriptor, over: tls, url)
      return try read(from: descriptor, over: tls, take)
    }
    guard let head else { throw Unanswered(reason: reason) }
    return head
  }

  private func write(to descriptor: CInt, over tls: TLSClient?, _ url: GatewayURL) throws {
    var text = "\(verb) \(url.prefix)\(target) HTTP/1.0\r\nHost: \(url.authority)\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    if let key = Self.key, url.trust != .anyone { text += "Authorization: Bearer \(key)\r\n" }
    if verb != "GET" { text += "Content-Length: \(body.count)\r\n" }
    let bytes = Array((text + "\r\n").utf8) + body
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        tls?.send($0) ?? Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      // One who refuses a long body may have answered already.
      guard count > 0 else { return }
      sent += count
    }
  }

  private func read(
    from descriptor: CInt, over tls: TLSClient?, _ take: (Head, ArraySlice<UInt8>) throws -> Bool
  ) throws -> Head {
    var begin: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    var head: Head?
    while true {
      let count = piece.withUnsafeMutableBytes {
        tls?.receive(into: $0) ?? recv(descriptor, $0.baseAddress, $0.count, 0)
      }
      if count < 0, tls == nil, errno == EINTR { continue }
      guard count > 0 else {
        guard let head, count == 0 else { throw Unanswered() }
        return head
      }
      if let head {
        if try !take(head, piece[..<count]) { return head }
        continue
      }
      begin += piece[..<count]
      guard let end = begin.firstRange(of: Array("\r\n\r\n".utf8)) else {
        guard begin.count <= Self.longestHead else { throw Unanswered() }
        continue
      }
      let line = String(decoding: begin.prefix { $0 != 0x0D }, as: UTF8.self).split(separator: " ")
      guard line.count > 1, line[0].hasPrefix("HTTP/1."), let status = Int(line[1]) else { throw Unanswered() }
      let complete = Head(status: status)
      head = complete
      let rest = begin[end.upperBound...]
      if !rest.isEmpty, try !take(complete, rest) { return complete }
    }
  }
}
