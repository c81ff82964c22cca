/// What a browser makes of the bytes of a stream: the algorithm of WHATWG HTML, 9.2.5 and 9.2.6, step by step, and nothing else.
public struct EventSourceParser {
  /// An event as it is dispatched.
  public struct Message: Hashable, Sendable {
    public var type = "message"
    public var data = ""
    public var lastEventID = ""
  }

  /// What was dispatched so far.
  public private(set) var messages: [Message] = []
  /// Milliseconds to wait before connecting again, as the stream said last.
  public private(set) var reconnectionTime: Int?
  private var line: [UInt8] = []
  private var lastWasReturn = false
  private var isFirst = true
  private var data = ""
  private var type = ""
  private var lastEventID = ""

  public init() {}

  public mutating func feed(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      defer { lastWasReturn = byte == 0x0D }
      switch byte {
      case 0x0A where lastWasReturn: break
      case 0x0A, 0x0D: endLine()
      default: line.append(byte)
      }
    }
  }

  private mutating func endLine() {
    if isFirst, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    isFirst = false
    let text = Array(String(decoding: line, as: UTF8.self).unicodeScalars)
    line = []
    if text.isEmpty { return dispatch() }
    guard let colon = text.firstIndex(of: ":") else { return process(text, []) }
    if colon == 0 { return }
    var value = text[(colon + 1)...]
    if value.first == " " { value.removeFirst() }
    process(Array(text[..<colon]), Array(value))
  }

  private mutating func process(_ field: [Unicode.Scalar], _ value: [Unicode.Scalar]) {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: value)
    switch String(String.UnicodeScalarView(field)) {
    case "event": type = String(text)
    case "data": data += String(text) + "\n"
    case "id": if !value.contains("\0") { lastEventID = String(text) }
    case "retry": if value.allSatisfy({ "0"..."9" ~= $0 }), let time = Int(String(text)) { reconnectionTime = time }
    default: break
    }
  }

  private mutating func dispatch() {
    defer { (data, type) = ("", "") }
    if data.isEmpty { return }
    // Not `dropLast`, for which a line break after a return is one character.
    var scalars = data.unicodeScalars
    scalars.removeLast()
    messages.append(Message(type: type.isEmpty ? "message" : type, data: String(scalars), lastEventID: lastEventID))
  }
}
