import Reactor

/// How long the methods of a service have taken of late: the latest replies of each of those that were called last. A value without
/// I/O.
///
/// At most one call in a millisecond is measured: of a quiet service each one, and a busy one pays nothing for it. What is kept is
/// bounded: `methodLimit` methods, of which the one that was called the longest ago gives way, and `replyLimit` replies of each.
struct MethodLatencies {
  /// Names a measured call, also when it ends long after. 0 is a call that is not measured.
  typealias Measurement = UInt32

  static let methodLimit = 64
  static let replyLimit = 64
  /// Fewer replies say nothing of the slowest in twenty.
  static let fewestReplies = 8
  private static let between = Duration.milliseconds(1)
  /// Bits of a measurement that are the place of its method; the others tell which method had the place.
  private static let placeBits = 6

  private struct Method {
    let name: [UInt8]
    let measurement: Measurement
    var lastCalled: Instant
    /// Nanoseconds, in the order of arrival; the oldest gives way.
    var latencies: [Int64] = []
    var oldest = 0
  }

  private var methods: [Method] = []
  /// From when on a call may be measured.
  private var next = Instant(nanoseconds: .min)
  /// How many methods have been given a place.
  private var generation: UInt32 = 0

  /// A call begins; what is returned is told when its reply comes.
  mutating func began(_ method: UnsafeRawBufferPointer, at now: Instant) -> Measurement {
    guard now >= next else { return 0 }
    next = now + Self.between
    if let place = place(of: method) {
      methods[place].lastCalled = now
      return methods[place].measurement
    }
    generation &+= 1
    let isFull = methods.count == Self.methodLimit
    let place = isFull ? methods.indices.min { methods[$0].lastCalled < methods[$1].lastCalled } ?? 0 : methods.count
    // Never 0, which is no measurement.
    let measurement = max(1, generation & (.max >> Self.placeBits)) << Self.placeBits | UInt32(place)
    let fresh = Method(name: Array(method), measurement: measurement, lastCalled: now)
    if isFull { methods[place] = fresh } else { methods.append(fresh) }
    return measurement
  }

  /// The reply of a measured call came.
  mutating func ended(_ measurement: Measurement, after latency: Duration) {
    let place = Int(measurement & (1 << Self.placeBits - 1))
    guard measurement != 0, place < methods.count, methods[place].measurement == measurement else { return }
    let nanoseconds = latency.nanoseconds
    if methods[place].latencies.count < Self.replyLimit {
      methods[place].latencies.append(nanoseconds)
    } else {
      methods[place].latencies[methods[place].oldest] = nanoseconds
      methods[place].oldest = (methods[place].oldest + 1) % Self.replyLimit
    }
  }

  /// What nineteen of the latest twenty replies of a method did not exceed; nil when too few are known. Sorts them: for what is rare.
  func percentile95(of method: UnsafeRawBufferPointer, fewest: Int = Self.fewestReplies) -> Duration? {
    guard let place = place(of: method), methods[place].latencies.count >= fewest else { return nil }
    let sorted = methods[place].latencies.sorted()
    return .nanoseconds(sorted[(sorted.count * 19 + 19) / 20 - 1])
  }

  private func place(of method: UnsafeRawBufferPointer) -> Int? {
    methods.firstIndex { $0.name.count == method.count && $0.name.elementsEqual(method) }
  }
}
