/// How many of a service's publishers are connected.
struct Publishers: Hashable, Sendable {
  /// Those that are connected.
  var connected = 0
  /// Those that are configured.
  let all: Int

  /// Whether none is missing.
  var areComplete: Bool { connected >= all }
}
