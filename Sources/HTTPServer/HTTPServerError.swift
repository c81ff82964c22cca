import CLinux
import Glibc

/// A call the HTTP server cannot work without failed, or an address or option makes no sense.
public struct HTTPServerError: Error, Hashable, CustomStringConvertible {
  /// The call or the input that failed.
  public let call: String
  /// Why.
  public let message: String
  /// The `errno` of the call; 0 when there is none.
  public let errno: CInt

  /// That of a call, or of an input, and why it failed.
  public init(call: String, message: String) {
    self.call = call
    self.message = message
    errno = 0
  }

  private init(call: String, errno: CInt) {
    self.call = call
    self.errno = errno
    message = String(cString: strerror(errno))
  }

  public var description: String { "\(call): \(message)" }

  /// The error of the call that just returned.
  static func last(_ call: @autoclosure () -> String) -> HTTPServerError {
    let errno = clinux_errno()
    return .init(call: call(), errno: errno)
  }
}
