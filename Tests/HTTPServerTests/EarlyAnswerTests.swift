import Logging
import Support
import Testing

@testable import HTTPServer

@Suite("An answer before the body", .inTurn(minutes: 3))
struct EarlyAnswerTests {
  private func text(
    _ status: Int, _ type: StaticString, _ headers: [(StaticString, String)] = [], body: String = "",
    toHEAD: Bool = false
  ) -> String {
    Array(body.utf8).withUnsafeBytes { body in
      let answer = EarlyAnswer(
        AnswerHead(status: status, contentType: type, requestID: "r1", headers: headers), body: body, toHEAD: toHEAD,
        date: HTTPDate(seconds: 784_111_777), logger: Logger(label: "test"))
      return String(decoding: answer.bytes, as: UTF8.self)
    }
  }

  private static let start = "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n"
  private static let standing =
    "X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\nX-Request-Id: r1\r\n"

  @Test("has a status line, its length, the headers of every answer, its own, and its body")
  func whole() {
    #expect(
      text(413, "text/plain", [("Retry-After", "1"), ("X-Empty", "")], body: "too long")
        == "HTTP/1.1 413 Content Too Large" + Self.start + "Content-Length: 8\r\n"
        + Self.standing + "Content-Type: text/plain\r\nRetry-After: 1\r\nX-Empty: \r\n\r\ntoo long")
  }

  @Test("names no type without one, and no length where none may be")
  func bare() {
    let head = text(204, "").drop { $0 != "\r\n" }
    #expect(head == Self.start + Self.standing + "\r\n")
  }

  @Test("of 304 tells the length of what still holds, and does not send it")
  func notModified() {
    let head = text(304, "", body: "same").drop { $0 != "\r\n" }
    #expect(head == Self.start + "Content-Length: 4\r\n" + Self.standing + "\r\n")
  }

  @Test("to HEAD has the length and no body")
  func head() {
    #expect(text(403, "", body: "no", toHEAD: true).hasSuffix("Content-Length: 2\r\n" + Self.standing + "\r\n"))
  }

  @Test("leaves out a header that would break the head", arguments: ["a\r\nb: c", "a\nb", "a\0b", "a\u{7F}"])
  func injection(value: String) {
    #expect(text(200, "", [("X", value), ("Y", "z")]) == text(200, "", [("Y", "z")]))
  }

  @Test(
    "a date has a day and a month in English, and two digits of each number",
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"),
      (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
    ])
  func date(seconds: Int, text: String) { #expect(HTTPDate(seconds: seconds).description == text) }
}
