import FoundationEssentials
import Gateway
import Logging

/// Writes each event of the log as an object of JSON, on a line of its own.
struct JSONLogHandler: LogHandler {
  var metadata = Logger.Metadata()
  var logLevel = Logger.Level.info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var members: [String: Member] = [
      "time": .text("\(WallTime.now)"), "level": .text(event.level.rawValue),
      "message": .text(event.message.description),
    ]
    // What every line has goes before what an event calls the same.
    for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }) where members[key] == nil {
      members[key] = Member(value)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let line = try? encoder.encode(members) else { return }
    Self.lines.append(String(decoding: line, as: UTF8.self))
  }

  /// Where they go. Who writes to the log waits for nobody.
  static let lines = LogLines {
    #"{"count":\#($0),"level":"warning","message":"\#(LogLines.loss)","time":"\#(WallTime.now)"}"# + "\n"
  }
}

/// A value of the object.
private enum Member: Encodable {
  case text(String)
  case number(Int64)
  case flag(Bool)

  /// Numbers are what was given as one: text that looks like a number stays text.
  init(_ value: Logger.MetadataValue) {
    self = .text("\(value)")
    guard case .stringConvertible(let value) = value else { return }
    if let flag = value as? Bool {
      self = .flag(flag)
    } else if let number = (value as? any BinaryInteger).flatMap({ Int64(exactly: $0) }) {
      self = .number(number)
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .number(let number): try container.encode(number)
    case .flag(let flag): try container.encode(flag)
    }
  }
}
