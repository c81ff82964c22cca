import MessagePack
import Testing

@testable import ZeroMQRPC

@Suite("exceptions on the wire")
struct RemoteExceptionTests {
  private func read(_ body: Value) throws -> RemoteException {
    try Packer(allowsAnyKeys: true).pack(body).withUnsafeBytes { try RemoteException($0) }
  }

  @Test("EXC-1: an exception is its class, its arguments and its repr, and is read as it was written")
  func roundTrip() throws {
    let exception = RemoteException("builtins.ValueError", ["no", 1])
    #expect(exception.repr == "ValueError('no', 1)")
    #expect(exception.body == (try Packer().pack(["builtins.ValueError", ["no", 1], "ValueError('no', 1)"])))
    #expect(try exception.body.withUnsafeBytes { try RemoteException($0) } == exception)
    #expect(try Unpacker().unpack(exception.arguments) == ["no", 1])
  }

  @Test("aiozmq before 0.2 sends no repr")
  func noRepr() throws {
    let exception = try read(["m.E", ["x"]])
    #expect((exception.name, exception.firstArgument, exception.repr) == ("m.E", "x", nil))
    #expect(exception.description == "m.E")
  }

  @Test(
    "what is no exception is refused",
    arguments: [1, [], ["m.E"], ["m.E", [], "E()", 1], [1, [], "E()"], ["m.E", [], 1]] as [Value])
  func malformed(body: Value) {
    let error = #expect(throws: TranscodingError.self) { try read(body) }
    #expect(error?.code == .badMessagePack)
  }

  @Test("bytes behind it, and more values than allowed, are refused")
  func bounds() throws {
    let body = RemoteException("m.E", []).body
    #expect(throws: TranscodingError.self) { try (body + [0xC0]).withUnsafeBytes { try RemoteException($0) } }
    let long = RemoteException("m.E", [1, 2, 3]).body
    // The exception, its class, its arguments and three of them, its repr.
    #expect(throws: Never.self) {
      try long.withUnsafeBytes { try RemoteException($0, limits: .init(elements: 7)) }
    }
    let error = #expect(throws: TranscodingError.self) {
      try long.withUnsafeBytes { try RemoteException($0, limits: .init(elements: 6)) }
    }
    #expect(error?.code == .tooManyElements)
  }

  @Test(
    "the first argument, and that of an exception inside, are told when they are strings",
    arguments: [
      ([], nil, nil), ([1], nil, nil), (["a"], "a", nil), (["a", 1], "a", nil), (["a", []], "a", nil),
      (["a", [1]], "a", nil), (["a", ["b", 2], "r"], "a", "b"),
    ] as [([Value], String?, String?)])
  func arguments(arguments: [Value], first: String?, inner: String?) throws {
    let exception = try read(["m.E", .array(arguments), "r"])
    #expect(exception.firstArgument == first)
    #expect(exception.innerArgument == inner)
  }

  @Test("arguments that cannot be packed make it a TypeError that says why")
  func unpackable() {
    let exception = RemoteException("m.E", [.map([.init(1, 2)])])
    #expect(exception.name == "builtins.TypeError")
    #expect(exception.firstArgument?.contains("key") == true)
  }
}
