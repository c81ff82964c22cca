import Testing

@testable import ZeroMQ

@Suite("the routing IDs that are given to peers")
struct GivenRoutingIDsTests {
  @Test("each is given once, to the next connection")
  func once() throws {
    var it = GivenRoutingIDs(.router)
    try it.set([1])
    try it.set([2])
    #expect(it.next == [2])
    #expect(try it.take() == [2])
    #expect(it.next == nil)
    try it.set([1])
    #expect(try it.take() == [1])
    for id: [UInt8] in [[1], [2]] { #expect(throws: ZMQError.self) { try it.set(id) } }
  }

  @Test(
    "it has 1...255 bytes, of which the first is not 0",
    arguments: [(0, 1, false), (1, 1, true), (255, 1, true), (256, 1, false), (5, 0, false)])
  func shape(count: Int, first: UInt8, isTaken: Bool) throws {
    var it = GivenRoutingIDs(.stream)
    let id = [UInt8](repeating: first, count: count)
    if isTaken { try it.set(id) } else { #expect(throws: ZMQError.self) { try it.set(id) } }
    #expect((it.next != nil) == isTaken)
  }

  @Test(
    "a ROUTER gives none when peers may have brought theirs; a STREAM's peers bring none", arguments: [true, false])
  func others(isRouter: Bool) throws {
    var it = GivenRoutingIDs(isRouter ? .router : .stream)
    try it.set([1])
    it.expectOthers()
    guard isRouter else {
      #expect(try it.take() == [1])
      return try it.set([2])
    }
    #expect(throws: ZMQError.self) { try it.take() }
    #expect(it.next == nil)
    #expect(try it.take() == nil)
    #expect(throws: ZMQError.self) { try it.set([2]) }
  }

  @Test("a connection that failed leaves its ID to the next that is meant, and to none beside")
  func failed() throws {
    var it = GivenRoutingIDs(.stream)
    try it.set([1])
    let id = try #require(try it.take())
    it.wasNotGiven(id)
    #expect(it.next == [1])
    #expect(throws: ZMQError.self) { try it.passOver() }
    #expect(try it.take() == [1])
    try it.passOver()
    #expect(throws: ZMQError.self) { try it.set([1]) }
  }

  @Test("one socket gives so many, and no more") func most() throws {
    var it = GivenRoutingIDs(.stream)
    for number in 0..<GivenRoutingIDs.most {
      try it.set([1, UInt8(number & 0xFF), UInt8(number >> 8)])
      _ = try it.take()
    }
    #expect(throws: ZMQError.self) { try it.set([2]) }
  }

  @Test("a connection without one may bring another") func nameless() throws {
    var it = GivenRoutingIDs(.router)
    #expect(try it.take() == nil)
    #expect(throws: ZMQError.self) { try it.set([1]) }
  }
}
