import FoundationEssentials

/// The time of day, which tokens speak of. It may jump.
enum WallClock {
  /// Seconds since 1970.
  static var seconds: Double { Date().timeIntervalSince1970 }
}
