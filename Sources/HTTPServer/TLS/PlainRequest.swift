import CLinux
import Glibc

/// What a client is told that speaks HTTP without TLS where TLS is spoken: many forget the `s` of `https`.
enum PlainRequest {
  private static let document =
    #"{"type":"/problems/bad-request","title":"Bad request","status":400,"#
    + #""detail":"TLS is spoken here: ask with https:// in the place of http://.","code":"bad-request","#
    + #""origin":"gateway","sent":false,"retryable":false}"#
  private static let answer =
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
    + "Gateway-Error: bad-request\r\nContent-Length: \(document.utf8.count)\r\n\r\n\(document)"

  /// Whether what has come begins with a letter, as a method does; TLS begins with a number.
  static func begins(at descriptor: CInt) -> Bool {
    var first: UInt8 = 0
    return recv(descriptor, &first, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) == 1
      && UInt8(ascii: "A")...UInt8(ascii: "Z") ~= first
  }

  /// There is room for it, as nothing was sent before.
  static func refuse(_ descriptor: CInt) {
    _ = send(descriptor, answer, answer.utf8.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
  }
}
