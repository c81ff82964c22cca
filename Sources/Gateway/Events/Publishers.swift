/// How many of a service's publishers are connected.
struct Publishers: Hashable, Sendable {
  /// Those that are connected.
  let connected: Int
  /// Those that are configured.
  let all: Int

  /// Whether none is missing.
  var areComplete: Bool { connected >= all }
}
