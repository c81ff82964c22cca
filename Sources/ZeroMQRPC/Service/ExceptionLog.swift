/// Which of the errors that methods throw are written to the log, each with the method and its arguments.
///
/// ```swift
/// options.logs = .exceptions(except: OutOfStock.self)
/// ```
public struct ExceptionLog: Sendable {
  private let covers: @Sendable (any Error) -> Bool

  /// None: they are the callers' business. That is the default. One-way calls have no caller to tell, so that a method that is not
  /// there and arguments that do not fit are written in any case.
  public static let none = ExceptionLog { _ in false }

  /// All but those of these types, which may be classes with subclasses.
  public static func exceptions(except types: (any Error.Type)...) -> ExceptionLog {
    ExceptionLog { error in !types.contains { error.isOf($0) } }
  }

  /// Those that the closure says yes to.
  public static func exceptions(where isLogged: @escaping @Sendable (any Error) -> Bool) -> ExceptionLog {
    ExceptionLog(covers: isLogged)
  }

  private init(covers: @escaping @Sendable (any Error) -> Bool) { self.covers = covers }

  func includes(_ error: any Error) -> Bool { covers(error) }
}

extension Error {
  fileprivate func isOf<Other: Error>(_ type: Other.Type) -> Bool { self is Other }
}
