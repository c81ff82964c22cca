import ZeroMQRPC

/// What holds for the calls of one method.
struct CallSettings {
  /// How long a call may take when the caller does not say.
  let timeout: Duration
  /// The longest a caller may ask for.
  let maximumTimeout: Duration
  /// Whether GETs that ask for the same at one time share one call.
  var coalesces = false
  /// For how long GETs that ask for the same get the same result.
  var keep: Duration?
  /// As how many requests a call counts against the limits of a client.
  var cost = 1
  /// How much calls matter when there is no room for all.
  var priority = CallPriority.normal

  /// Whether GETs may be answered by the call of another one.
  var sharesCalls: Bool { coalesces || keep != nil }

  /// How long a call may take for which the caller asks for so long, if it asks.
  func timeout(asked: Duration?) -> Duration { min(asked ?? timeout, maximumTimeout) }
}
