/// Everything a gateway is told before it starts: a value, checked when it is read from YAML.
///
/// ```swift
/// var configuration = Configuration()
/// configuration.services = [
///   .init("math", .rpc(.init(connect: [try Configuration.Address("tcp://127.0.0.1:5555")])))
/// ]
/// ```
public struct Configuration: Sendable, Hashable {
  /// Where and how HTTP is served.
  public var http = HTTP()
  /// How long a stop waits for calls in flight and open streams (default: 25 s).
  public var grace: Duration = .seconds(25)
  /// Whether `auth: none` was written out: required to listen beyond loopback (default: false).
  public var isOpenToAll = false
  /// What callers learn of remote exceptions unless the service says otherwise (default: everything).
  public var errors = Errors(expose: .full)
  /// The services, in the order of the file, their names unique (default: none).
  public var services: [Service] = []

  /// A configuration of nothing but defaults.
  public init() {}
}

extension Configuration {
  /// What callers learn of a remote exception, and with which status.
  public struct Errors: Sendable, Hashable {
    /// How much of a remote exception callers see; `nil` takes the enclosing setting (default: `nil`).
    public var expose: Exposure?
    /// Status (400...599) by exact dotted name, bare class name or glob (default: none).
    public var map: [String: Int]

    /// Settings that override nothing unless told to.
    public init(expose: Exposure? = nil, map: [String: Int] = [:]) {
      self.expose = expose
      self.map = map
    }
  }

  /// How much of a remote exception callers see.
  public enum Exposure: String, Sendable, Hashable, CaseIterable {
    /// Class, arguments and `repr`.
    case full
    /// Class and arguments.
    case message
    /// The class only.
    case `class`
    /// Nothing but the status and the code.
    case none
  }
}
