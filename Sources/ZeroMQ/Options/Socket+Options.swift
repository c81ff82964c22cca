import CZeroMQ

extension Socket {
  /// The value of an option. Throws `invalid` for one that libzmq does not know or does not tell.
  public func option<Value>(_ option: SocketOption<Value>) throws(ZMQError) -> Value {
    // libzmq looks at its inbox then, and does not tell of what it finds there.
    guard option.number != ZMQ_EVENTS else {
      throw ZMQError(code: .invalid, call: "zmq_getsockopt(ZMQ_EVENTS); use Socket.readiness")
    }
    var bytes = [UInt8](repeating: 0, count: option.size)
    var count = bytes.count
    try check("zmq_getsockopt(\(option.name))") { zmq_getsockopt(raw, option.number, &bytes, &count) }
    guard let value = option.decode(Array(bytes.prefix(count))) else {
      throw ZMQError(code: .invalid, call: "zmq_getsockopt(\(option.name)), which has \(count) bytes")
    }
    return value
  }

  /// Sets an option. Throws `invalid` for what libzmq 4.3.4 takes, but ends the process over, or never works with: see the comments of
  /// the options.
  public func set<Value>(_ option: SocketOption<Value>, to value: Value) throws(ZMQError) {
    try set(OptionValue(option, value))
  }

  /// Throws for what libzmq 4.3.4 takes, but could end the process over.
  func requireHarmless(_ value: OptionValue) throws(ZMQError) {
    if let fault = value.fault { throw ZMQError(code: .invalid, call: fault) }
    if OptionValue.fixed.contains(value.number), try !option(.lastEndpoint).isEmpty { throw value.tooLate }
    if try beatsBelowMark(value) {
      throw ZMQError(
        code: .invalid, call: "\(value.name): heartbeats need a receive mark of 0; set one of the two to zero")
    }
    if try enforcesNoDomain(value) {
      throw ZMQError(
        code: .invalid,
        call:
          "\(value.name): a PLAIN server that enforces its domain needs one;"
          + " use SocketOptions.security, .plainServer(domain:)")
    }
  }

  /// Whether there would be heartbeats while the receive mark can be reached (see `SocketOptions.heartbeat`).
  private func beatsBelowMark(_ value: OptionValue) throws(ZMQError) -> Bool {
    guard !value.isZero else { return false }
    switch value.number {
    case ZMQ_HEARTBEAT_IVL: return try option(.receiveHighWaterMark) != 0
    case ZMQ_RCVHWM: return try option(.heartbeat) != .zero
    default: return false
    }
  }

  /// Whether it would be a PLAIN server that enforces the domain that it does not have: libzmq ends the process at its first peer.
  private func enforcesNoDomain(_ value: OptionValue) throws(ZMQError) -> Bool {
    guard [ZMQ_PLAIN_SERVER, ZMQ_ZAP_DOMAIN, czmq_zap_enforce_domain].contains(value.number) else { return false }
    func isOn(_ option: SocketOption<Bool>) throws(ZMQError) -> Bool {
      option.number == value.number ? !value.isZero : try self.option(option)
    }
    let isDomain = value.number == ZMQ_ZAP_DOMAIN
    let hasDomain = isDomain ? !value.bytes.isEmpty : try !option(.zapDomain).isEmpty
    guard !hasDomain, try isOn(.plainServer) else { return false }
    return try isOn(.enforcesZapDomain)
  }
}

// MARK: What SocketSecurity sets

extension SocketOption<Bool> {
  static var plainServer: Self { .flag(ZMQ_PLAIN_SERVER, "ZMQ_PLAIN_SERVER") }
  static var curveServer: Self { .flag(ZMQ_CURVE_SERVER, "ZMQ_CURVE_SERVER") }
  static var enforcesZapDomain: Self { .flag(czmq_zap_enforce_domain, "ZMQ_ZAP_ENFORCE_DOMAIN") }
}

extension SocketOption<String> {
  static var zapDomain: Self { .text(ZMQ_ZAP_DOMAIN, "ZMQ_ZAP_DOMAIN") }
  static var plainUser: Self { .text(ZMQ_PLAIN_USERNAME, "ZMQ_PLAIN_USERNAME") }
  static var plainPassword: Self { .text(ZMQ_PLAIN_PASSWORD, "ZMQ_PLAIN_PASSWORD") }
}

extension SocketOption<[UInt8]> {
  static var curveServerKey: Self { .bytes(ZMQ_CURVE_SERVERKEY, "ZMQ_CURVE_SERVERKEY") }
  static var curvePublicKey: Self { .bytes(ZMQ_CURVE_PUBLICKEY, "ZMQ_CURVE_PUBLICKEY") }
  static var curveSecretKey: Self { .bytes(ZMQ_CURVE_SECRETKEY, "ZMQ_CURVE_SECRETKEY") }
}
