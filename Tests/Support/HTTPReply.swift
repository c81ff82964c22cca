/// An answer as it came.
public struct HTTPReply: Sendable {
  public var status = 0
  /// By name in small letters; a repeated one has its values in lines.
  public var headers: [String: String] = [:]
  public var bytes: [UInt8] = []

  public init() {}

  /// The body as text.
  public var body: String { String(decoding: bytes, as: UTF8.self) }

  /// The body as JSON; null when it is none.
  public var json: JSON { JSON(body) ?? .null }
}
