/// What names an endpoint: an `Endpoint`, or its text.
public protocol EndpointConvertible: Sendable {
  /// The endpoint; throws what is wrong with the text.
  func asEndpoint() throws(EndpointError) -> Endpoint
}

extension Endpoint: EndpointConvertible {
  public func asEndpoint() throws(EndpointError) -> Endpoint { self }
}

extension String: EndpointConvertible {
  public func asEndpoint() throws(EndpointError) -> Endpoint { try Endpoint(self) }
}

extension EndpointConvertible {
  /// The endpoint, for a call that throws libzmq's errors.
  func endpoint(for call: String) throws(ZMQError) -> Endpoint {
    do throws(EndpointError) { return try asEndpoint() } catch {
      throw ZMQError(code: .invalid, call: "\(call) \(self): \(error)")
    }
  }
}
