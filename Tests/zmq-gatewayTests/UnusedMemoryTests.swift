import Testing

@testable import zmq_gateway

@Suite("Memory in no use")
struct UnusedMemoryTests {
  private static let worthwhile = UnusedMemory.worthwhile

  @Test(
    "is worth to be given back when it is 8 MiB more than the least there was, the beginning too, and not a byte less")
  func limit() {
    var memory = UnusedMemory(30)
    let looks = [30 + Self.worthwhile, 10, 10 + Self.worthwhile, 10 + Self.worthwhile + 1].map {
      memory.isWorthwhile($0)
    }
    #expect(looks == [false, false, false, true])
    var late = UnusedMemory(0)
    let isWorthwhile = late.isWorthwhile(Self.worthwhile + 1)
    #expect(isWorthwhile)
  }

  @Test("counts as new when it was freed while other memory was given back")
  func freedMeanwhile() {
    var memory = UnusedMemory(0)
    _ = memory.isWorthwhile(Self.worthwhile + 1)
    // All but a little was freed behind its back: it is there at the next looks.
    memory.gave(1 << 20, of: Self.worthwhile + 1)
    let looks = (0...UnusedMemory.pause).map { _ in memory.isWorthwhile(4 * Self.worthwhile) }
    #expect(looks == Array(repeating: false, count: UnusedMemory.pause) + [true])
  }

  @Test("is not looked for again at once when there was little to give, and is when there was much")
  func pause() {
    for (given, isNext) in [(Self.worthwhile / 2 - 1, false), (Self.worthwhile / 2, true)] {
      var memory = UnusedMemory(0)
      _ = memory.isWorthwhile(2 * Self.worthwhile)
      memory.gave(given, of: 2 * Self.worthwhile)
      let isWorthwhile = memory.isWorthwhile(4 * Self.worthwhile)
      #expect(isWorthwhile == isNext)
    }
  }

  @Test("that could not be given is tried again after a while, and in vain each time after twice as long")
  func patience() {
    var memory = UnusedMemory(0)
    let unused = 3 * Self.worthwhile
    _ = memory.isWorthwhile(unused)
    for patience in [16, 32, 64, 128, 256, 512, 1_024, 1_024] {
      memory.gave(0, of: unused)
      let looks = (0...patience).map { _ in memory.isWorthwhile(unused) }
      #expect(looks == Array(repeating: false, count: patience) + [true])
    }
    // Once there was something to give, it is as in the beginning.
    memory.gave(Self.worthwhile, of: unused)
    let looks = (0...UnusedMemory.patience).map { _ in memory.isWorthwhile(unused - Self.worthwhile) }
    #expect(looks == Array(repeating: false, count: UnusedMemory.patience) + [true])
  }
}
