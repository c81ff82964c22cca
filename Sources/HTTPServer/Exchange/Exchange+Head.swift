import CMicroHTTPD

/// The rules a request's head has to keep beyond the wire gate: what may be read in two ways is refused.
extension Exchange {
  /// The reason to refuse the request, if there is one.
  func inspect(_ line: HeadValidator.RequestLine) -> Rejection? {
    let options = server.options
    if rawTarget.count > options.targetLimit { return .targetTooLong(options.targetLimit) }
    var gate = HeadValidator(into: table)
    let fault = gate.check(
      line, rawLength: rawTarget.count, headSize: cmhd_head_size(connection), connection: connection,
      headersLimit: options.headersLimit)
    if let fault { return fault }
    isHTTP10 = line.version[7] == 0x30
    return inspectTarget() ?? inspectHost() ?? inspectFraming() ?? (isSurplus ? .overloaded : nil)
  }

  private func inspectTarget() -> Rejection? {
    let target = rawTarget.bytes
    guard let first = target.first else { return .bad("the request has no target") }
    if first != 0x2F {
      let isAsterisk = method == .options && target.count == 1 && first == 0x2A
      return isAsterisk ? nil : .bad("the request target does not begin with a slash")
    }
    for byte in target where byte <= 0x20 || byte == 0x7F || byte == 0x23 {
      return .bad("the request target holds a blank, a control character or a '#'")
    }
    return nil
  }

  private func inspectHost() -> Rejection? {
    switch table.count(.host) {
    case 1: nil
    case 0: isHTTP10 ? nil : .bad("the Host header is missing")
    default: .bad("there is more than one Host header")
    }
  }

  private func inspectFraming() -> Rejection? {
    let lengths = table.count(.contentLength)
    let codings = table.count(.transferEncoding)
    if lengths > 1 { return .bad("there is more than one Content-Length header") }
    if codings > 0 {
      if lengths > 0 { return .bad("both Content-Length and Transfer-Encoding are given") }
      if isHTTP10 { return .bad("Transfer-Encoding is not part of HTTP/1.0") }
      guard codings == 1, table.value(.transferEncoding)?.isCaseless("chunked") == true else { return .transferCoding }
      // libmicrohttpd compares the untrimmed value, and waits for ever when it does not match.
      guard !hasTrailingBlank(.transferEncoding) else { return .transferCoding }
    }
    if lengths == 1, declaredLength == nil { return .bad("the Content-Length header is not a number") }
    let encodings = table.count(.contentEncoding)
    if encodings > 1 || encodings == 1 && table.value(.contentEncoding)?.isCaseless("identity") != true {
      return .encoding
    }
    return nil
  }

  private func hasTrailingBlank(_ header: KnownHeader) -> Bool {
    guard let value = table.value(header), let end = value.baseAddress else { return false }
    // The library ends each value with a NUL.
    return end.load(fromByteOffset: value.count, as: UInt8.self) != 0
  }

  /// Whether the head says that a body follows.
  var announcesBody: Bool {
    table.count(.transferEncoding) > 0 || table.count(.contentLength) > 0 && declaredLength != 0
  }

  /// The value of Content-Length; nil when there is none.
  var declaredLength: Int? {
    guard let digits = table.value(.contentLength), (1...18).contains(digits.count) else { return nil }
    var length = 0
    for digit in digits {
      guard (48...57).contains(digit) else { return nil }
      length = length * 10 + Int(digit - 48)
    }
    return length
  }
}
