import CLinux
import Glibc
import Logging
import Reactor

/// How much of HTTP's grammar the linked libmicrohttpd checks.
public enum ParserStrictness: Hashable, Sendable {
  /// All that could hide a request from other readers of the same bytes, the framing of chunks as well: 1.0 and later.
  case strict
  /// Too little. `HeadValidator` compares addresses to refuse most of what the library lets through, which is possible with
  /// 0.9.75; nothing can check chunks, nor a NUL or a colon in the place of a CR.
  case lenient

  /// What the library is, not by its version but by what it does with known-bad requests. They are sent when this is first
  /// asked for, to a server on the loopback interface that lives for some milliseconds; the caller waits. Throws when the library
  /// lets through what no check of ours refuses, and when sound requests are not served.
  public static func linked() throws(HTTPServerError) -> ParserStrictness { try tested.get() }

  private static let tested = Result { () throws(HTTPServerError) -> ParserStrictness in
    // A library that does not know how to be strict starts no daemon.
    if let test = try? ParserSelfTest(.strict), try test.isPassed() { return .strict }
    if try ParserSelfTest(.lenient).isPassed() { return .lenient }
    throw HTTPServerError(
      call: "libmicrohttpd",
      message: "release \(Daemon.release) lets malformed requests through, and this program has no check for them: "
        + "install 1.0 or later, or 0.9.75")
  }
}
