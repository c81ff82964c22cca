import Tracing

/// Spans as OTLP/HTTP has them in JSON: `ExportTraceServiceRequest` (opentelemetry-proto 1.x, ids in hexadecimal digits, integers of 64
/// bits as texts).
enum SpanDocument {
  /// More of a text is not sent.
  private static let longestText = 1_024

  static func json(_ spans: [SpanRecord], service: String, version: String) -> [UInt8] {
    var json = #"{"resourceSpans":[{"resource":{"attributes":["#
    json += attribute("service.name", .string(service))
    if !version.isEmpty { json += "," + attribute("service.version", .string(version)) }
    json += #"]},"scopeSpans":[{"scope":{"name":"zmq-gateway"},"spans":["#
    for (index, span) in spans.enumerated() {
      if index > 0 { json += "," }
      write(span, to: &json)
    }
    json += "]}]}]}"
    return Array(json.utf8)
  }

  private static func write(_ span: SpanRecord, to json: inout String) {
    json += #"{"traceId":"\#(span.place.traceID)","spanId":"\#(TraceParent.spanID(span.place.spanID))","#
    if let parent = span.parent { json += #""parentSpanId":"\#(TraceParent.spanID(parent))","# }
    json += #""name":\#(quoted(span.name)),"kind":\#(number(of: span.kind)),"#
    json += #""startTimeUnixNano":"\#(span.start)","endTimeUnixNano":"\#(span.end)","#
    json += #""attributes":[\#(attributes(span.attributes))]"#
    if !span.events.isEmpty {
      let events = span.events.map { event in
        #"{"timeUnixNano":"\#(event.nanosecondsSinceEpoch)","name":\#(quoted(event.name)),"attributes":[\#(attributes(event.attributes))]}"#
      }
      json += #","events":[\#(events.joined(separator: ","))]"#
    }
    let links = span.links.compactMap { link in
      link.context.traceParent.map {
        #"{"traceId":"\#($0.traceID)","spanId":"\#(TraceParent.spanID($0.spanID))","attributes":[\#(attributes(link.attributes))]}"#
      }
    }
    if !links.isEmpty { json += #","links":[\#(links.joined(separator: ","))]"# }
    if let status = span.status {
      json += #","status":{"code":\#(status.code == .error ? 2 : 1)"#
      if let message = status.message { json += #","message":\#(quoted(message))"# }
      json += "}"
    }
    // The lowest byte is that of traceparent.
    json += #","flags":1}"#
  }

  private static func number(of kind: SpanKind) -> Int {
    switch kind {
    case .internal: 1
    case .server: 2
    case .client: 3
    case .producer: 4
    case .consumer: 5
    }
  }

  private static func attributes(_ attributes: SpanAttributes) -> String {
    var members: [String] = []
    attributes.forEach { members.append(attribute($0, $1)) }
    return members.sorted().joined(separator: ",")
  }

  private static func attribute(_ key: String, _ value: SpanAttribute) -> String {
    #"{"key":\#(quoted(key)),"value":\#(self.value(value))}"#
  }

  private static func value(_ value: SpanAttribute) -> String {
    func list<Element>(_ elements: [Element], _ write: (Element) -> SpanAttribute) -> String {
      #"{"arrayValue":{"values":[\#(elements.map { self.value(write($0)) }.joined(separator: ","))]}}"#
    }
    return switch value {
    case .int32(let number): #"{"intValue":"\#(number)"}"#
    case .int64(let number): #"{"intValue":"\#(number)"}"#
    case .double(let number) where number.isFinite: #"{"doubleValue":\#(number)}"#
    case .double(let number): #"{"stringValue":"\#(number)"}"#
    case .bool(let flag): #"{"boolValue":\#(flag)}"#
    case .string(let text): #"{"stringValue":\#(quoted(text))}"#
    case .stringConvertible(let convertible): #"{"stringValue":\#(quoted("\(convertible)"))}"#
    case .int32Array(let numbers): list(numbers) { .int32($0) }
    case .int64Array(let numbers): list(numbers) { .int64($0) }
    case .doubleArray(let numbers): list(numbers) { .double($0) }
    case .boolArray(let flags): list(flags) { .bool($0) }
    case .stringArray(let texts): list(texts) { .string($0) }
    case .stringConvertibleArray(let convertibles): list(convertibles) { .string("\($0)") }
    default: #"{"stringValue":""}"#
    }
  }

  /// A text of JSON (RFC 8259, 7).
  private static func quoted(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars.prefix(longestText) {
      switch scalar {
      case "\"": json += "\\\""
      case "\\": json += "\\\\"
      case "\u{0}"..."\u{1F}":
        let digits = String(scalar.value, radix: 16)
        json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: json.unicodeScalars.append(scalar)
      }
    }
    return json + "\""
  }
}
