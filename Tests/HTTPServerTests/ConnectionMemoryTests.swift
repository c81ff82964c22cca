import Glibc
import Support
import Testing

@testable import HTTPServer

@Suite("What libmicrohttpd keeps of a connection that rests", .inTurn(minutes: 3))
struct ConnectionMemoryTests {
  private static let page = Int(sysconf(Int32(_SC_PAGESIZE)))

  /// Eight pages, all of them touched.
  private final class Pages {
    let bytes: UnsafeMutableRawBufferPointer
    init() {
      let size = 8 * ConnectionMemoryTests.page
      let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      bytes = UnsafeMutableRawBufferPointer(start: start, count: size)
      for place in stride(from: 0, to: size, by: ConnectionMemoryTests.page) { bytes[place] = 0 }
    }
    deinit { munmap(bytes.baseAddress, bytes.count) }

    /// How many of them take memory.
    var resident: Int {
      var states = [UInt8](repeating: 0, count: 8)
      mincore(bytes.baseAddress, bytes.count, &states)
      return states.count { $0 & 1 == 1 }
    }

    /// A memory whose first line began at that place, after what is no line.
    func memory(at place: Int, beginsWithLine: Bool = true) -> ConnectionMemory {
      var memory = ConnectionMemory(size: bytes.count - place, beginsWithLine: beginsWithLine)
      memory.began(line(at: place))
      return memory
    }

    func line(at place: Int) -> RequestHead.Line {
      let part = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[place..<(place + 3)])
      return RequestHead.Line(method: part, target: part.baseAddress!, version: part)
    }
  }

  @Test("whole pages of zeros are given back, and are zeros again")
  func givenBack() {
    let pages = Pages()
    #expect(pages.resident == 8)
    #expect(pages.memory(at: 16).giveBack())
    #expect(pages.resident == 1)
    #expect(pages.bytes.allSatisfy { $0 == 0 })
  }

  @Test("one that holds a part of a request keeps it", arguments: [0, 15])
  func held(place: Int) {
    let pages = Pages()
    pages.bytes[16 + place] = UInt8(ascii: "G")
    #expect(!pages.memory(at: 16).giveBack())
    #expect(pages.resident == 8)
    #expect(pages.bytes[16 + place] == UInt8(ascii: "G"))
  }

  @Test("empty lines are no request, and nothing that is not zero is given back")
  func emptyLines() {
    let pages = Pages()
    (pages.bytes[16], pages.bytes[17]) = (0x0D, 0x0A)
    #expect(pages.memory(at: 16).giveBack())
    #expect(pages.bytes[16] == 0x0D)
    let last = Pages()
    last.bytes[last.bytes.count - 1] = 1
    #expect(last.memory(at: 16).giveBack())
    #expect(last.resident == 8 && last.bytes[last.bytes.count - 1] == 1)
  }

  @Test("where empty lines came first, the place of the memory is not known, and all stays")
  func unknownPlace() {
    let pages = Pages()
    #expect(pages.memory(at: 4, beginsWithLine: false).giveBack())
    #expect(pages.resident == 8)
    // A later line that begins before the first one is nearer to the start.
    var memory = pages.memory(at: 20, beginsWithLine: false)
    pages.bytes[2] = UInt8(ascii: "G")
    #expect(memory.giveBack())
    memory.began(pages.line(at: 2))
    #expect(!memory.giveBack())
    // One that begins after it changes nothing.
    memory.began(pages.line(at: 64))
    #expect(!memory.giveBack())
  }

  @Test("without a request nothing is known, and nothing happens")
  func noRequest() {
    #expect(ConnectionMemory(size: 1 << 20, beginsWithLine: true).giveBack())
  }
}
