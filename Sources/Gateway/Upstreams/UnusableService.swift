public import ZeroMQ

/// Why a gateway cannot start: an endpoint of a service cannot be used.
public struct UnusableService: Error, CustomStringConvertible {
  /// The service's name.
  public let service: String
  /// What libzmq says, which names the endpoint.
  public let error: ZMQError

  public var description: String {
    let advice = error.code == .addressInUse ? "; end what uses the address, or choose another" : ""
    return "service \(service): \(error)\(advice)"
  }

  /// Opens something of a service; says whose it is when that fails.
  static func check<Result>(_ service: String, _ open: () throws -> Result) throws -> Result {
    do {
      return try open()
    } catch let error as ZMQError {
      throw UnusableService(service: service, error: error)
    }
  }
}
