import Glibc
import Logging
import Testing

@testable import HTTPServer

@Suite("An answer before the body", .timeLimit(.minutes(1)))
struct EarlyAnswerTests {
  private func text(
    _ status: Int, _ type: StaticString, _ headers: [(StaticString, String)] = [], body: String = "",
    toHEAD: Bool = false
  ) -> String {
    Array(body.utf8).withUnsafeBytes { body in
      let answer = EarlyAnswer(
        AnswerHead(status: status, contentType: type, requestID: "r1", headers: headers), body: body, keptBy: nil,
        toHEAD: toHEAD,
        logger: Logger(label: "test"))
      return String(decoding: answer.rest, as: UTF8.self)
    }
  }

  private static let standing =
    "X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\nX-Request-Id: r1\r\n"

  @Test("has a status line, its length, the headers of every answer, its own, and its body")
  func whole() {
    #expect(
      text(413, "text/plain", [("Retry-After", "1"), ("X-Empty", "")], body: "too long")
        == "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 8\r\n"
        + Self.standing + "Content-Type: text/plain\r\nRetry-After: 1\r\nX-Empty: \r\n\r\ntoo long")
  }

  @Test("names no type without one, and no length where none may be")
  func bare() {
    let head = text(204, "").drop { $0 != "\r\n" }
    #expect(head == "\r\nConnection: close\r\n" + Self.standing + "\r\n")
  }

  @Test("of 304 tells the length of what still holds, and does not send it")
  func notModified() {
    let head = text(304, "", body: "same").drop { $0 != "\r\n" }
    #expect(head == "\r\nConnection: close\r\nContent-Length: 4\r\n" + Self.standing + "\r\n")
  }

  @Test("to HEAD has the length and no body")
  func head() {
    #expect(text(403, "", body: "no", toHEAD: true).hasSuffix("Content-Length: 2\r\n" + Self.standing + "\r\n"))
  }

  @Test("a body that an owner keeps follows the head", arguments: [false, true])
  func kept(toHEAD: Bool) throws {
    var ends: [CInt] = [0, 0]
    try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { close(ends[1]) }
    let owner = Bytes(count: 10_000_000)
    let answer = EarlyAnswer(
      AnswerHead(status: 200, contentType: "", requestID: "r1", headers: []), body: UnsafeRawBufferPointer(owner.bytes),
      keptBy: owner, toHEAD: toHEAD, logger: Logger(label: "test"))
    var received: [UInt8] = []
    var isWritten = false
    var room = [UInt8](repeating: 0, count: 1 << 20)
    while !isWritten {
      isWritten = answer.write(to: ends[0])
      if isWritten { close(ends[0]) }
      var count = 1
      while count > 0 {
        count = recv(ends[1], &room, room.count, isWritten ? 0 : CInt(MSG_DONTWAIT))
        if count > 0 { received += room[..<count] }
      }
    }
    let head = try #require(received.firstRange(of: Array("\r\n\r\n".utf8)))
    #expect(Array(received[head.upperBound...]) == (toHEAD ? [] : Array(owner.bytes)))
    #expect(String(decoding: received[..<head.upperBound], as: UTF8.self).contains("Content-Length: 10000000\r\n"))
  }

  private final class Bytes {
    let bytes: UnsafeMutableRawBufferPointer
    init(count: Int) {
      bytes = .allocate(byteCount: count, alignment: 1)
      for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index) }
    }
    deinit { bytes.deallocate() }
  }

  @Test("leaves out a header that would break the head", arguments: ["a\r\nb: c", "a\nb", "a\0b", "a\u{7F}"])
  func injection(value: String) {
    #expect(text(200, "", [("X", value), ("Y", "z")]) == text(200, "", [("Y", "z")]))
  }
}
