/// How much a call matters beside others of its service. When the limits on calls fill up, those that matter least are refused first.
public enum CallPriority: String, Sendable, Hashable, CaseIterable {
  /// Refused first.
  case low
  /// That of a call for which nothing is said.
  case normal
  /// Refused last.
  case high
}

/// Which part of the limits on calls (`inFlight`, `waiting`) calls of each priority may fill, in hundredths. Those of high priority may fill
/// all.
public struct PriorityShares: Sendable, Hashable {
  /// Default: 50.
  public var low = 50
  /// Default: 100.
  public var normal = 100

  /// The defaults.
  public init() {}

  /// That of a priority.
  public subscript(priority: CallPriority) -> Int {
    switch priority {
    case .low: min(low, normal)
    case .normal: normal
    case .high: 100
    }
  }
}

/// How many calls were refused because the limits on calls had no room for their priority.
public struct ShedCalls: Sendable, Hashable {
  private var low = 0, normal = 0, high = 0

  /// None.
  public init() {}

  /// Those of a priority.
  public subscript(priority: CallPriority) -> Int {
    switch priority {
    case .low: low
    case .normal: normal
    case .high: high
    }
  }

  /// Counts one more, of that priority.
  public mutating func count(_ priority: CallPriority) {
    switch priority {
    case .low: low += 1
    case .normal: normal += 1
    case .high: high += 1
    }
  }

  /// Those of both together.
  public static func + (left: ShedCalls, right: ShedCalls) -> ShedCalls {
    var sum = left
    (sum.low, sum.normal, sum.high) = (left.low + right.low, left.normal + right.normal, left.high + right.high)
    return sum
  }
}
