/// A call as it travels, lent: its bytes live for the time of the function that is given it.
public struct BorrowedCall {
  /// What it is published on; nil in the patterns without topics.
  public var topic: UnsafeRawBufferPointer?
  /// The dotted name of the method, in UTF-8.
  public var method: UnsafeRawBufferPointer
  /// The arguments: one packed array.
  public var arguments: UnsafeRawBufferPointer
  /// The keyword arguments: one packed map.
  public var keywords: UnsafeRawBufferPointer

  /// A call of these bytes.
  public init(
    topic: UnsafeRawBufferPointer? = nil, method: UnsafeRawBufferPointer, arguments: UnsafeRawBufferPointer,
    keywords: UnsafeRawBufferPointer
  ) {
    self.topic = topic
    self.method = method
    self.arguments = arguments
    self.keywords = keywords
  }
}

/// The bytes of a call that has to wait, in one array of its own. Calls that wait have no topic.
struct WaitingCall {
  private let bytes: [UInt8]
  private let methodEnd: Int
  private let argumentsEnd: Int

  init(copying call: BorrowedCall) {
    methodEnd = call.method.count
    argumentsEnd = methodEnd + call.arguments.count
    var bytes: [UInt8] = []
    bytes.reserveCapacity(argumentsEnd + call.keywords.count)
    bytes += call.method
    bytes += call.arguments
    bytes += call.keywords
    self.bytes = bytes
  }

  func lend<Result>(_ body: (BorrowedCall) -> Result) -> Result {
    bytes.withUnsafeBytes { bytes in
      body(
        BorrowedCall(
          method: UnsafeRawBufferPointer(rebasing: bytes[..<methodEnd]),
          arguments: UnsafeRawBufferPointer(rebasing: bytes[methodEnd..<argumentsEnd]),
          keywords: UnsafeRawBufferPointer(rebasing: bytes[argumentsEnd...])))
    }
  }
}
