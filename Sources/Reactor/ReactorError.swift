import CLinux

/// A system call the reactor cannot live without failed: which one, and why.
public struct ReactorError: Error, Hashable, CustomStringConvertible {
  /// The `errno` of the call.
  public let errno: CInt
  /// The name of the call.
  public let call: String

  public var description: String { "\(call): \(String(cString: strerror(errno)))" }

  /// The error of the call that just returned.
  static func last(_ call: StaticString) -> ReactorError { .init(errno: clinux_errno(), call: "\(call)") }
}
