import Glibc
import Reactor
import Support
import Testing

// The code of the article of the module.

private actor Station {
  nonisolated let unownedExecutor: UnownedSerialExecutor
  private let reactor: Reactor
  private var ticker: Ticker?
  private var reader: Reader?

  init(on reactor: Reactor) {
    self.reactor = reactor
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  func start(reading descriptor: CInt) throws {
    ticker = Ticker(on: reactor.loop)
    reader = try Reader(descriptor, on: reactor.loop)
  }

  func stop() {
    ticker?.stop()
    reader = nil
  }

  var count: (ticks: Int, bytes: Int) { (ticker?.ticks ?? 0, reader?.bytes ?? 0) }
}

private final class Ticker: TimerHandler {
  private let loop: Loop
  private var timer: Timer?
  private(set) var ticks = 0

  init(on loop: Loop) {
    self.loop = loop
    timer = loop.schedule(at: loop.now + .milliseconds(10), self)
  }

  func fired(_ timer: Timer) {
    ticks += 1
    self.timer = loop.schedule(at: loop.now + .milliseconds(10), self)
  }

  func stop() {
    if let timer { loop.cancel(timer) }
  }
}

private final class Reader: Source {
  private let descriptor: CInt
  private var watch: Watch?
  private(set) var bytes = 0

  init(_ descriptor: CInt, on loop: Loop) throws {
    self.descriptor = descriptor
    watch = try loop.watch(descriptor, self)
  }

  func turn(_ events: PollEvents) {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    bytes += max(0, read(descriptor, &buffer, buffer.count))
  }
}

/// Two ends of a pipe, closed when it goes.
private final class Pipe: Sendable {
  let reader: CInt
  let writer: CInt

  init() throws {
    var ends: [CInt] = [0, 0]
    try #require(Glibc.pipe(&ends) == 0)
    (reader, writer) = (ends[0], ends[1])
  }

  deinit {
    close(reader)
    close(writer)
  }
}

@Suite("The article about reactors", .inTurn(minutes: 3))
struct ReactorArticleTests {
  @Test("has an actor whose timer fires again and again, and whose descriptor is read, until it is stopped")
  func station() async throws {
    let pipe = try Pipe()
    let reactor = try Reactor(name: "station")
    let station = Station(on: reactor)
    try await station.start(reading: pipe.reader)

    #expect(write(pipe.writer, "hello", 5) == 5)
    try await eventually("it has ticked and read") {
      let count = await station.count
      return count.ticks >= 3 && count.bytes == 5
    }
    await station.stop()
    let ticks = await station.count.ticks
    await reactor.stop()
    #expect(await station.count == (ticks, 0))
  }
}
