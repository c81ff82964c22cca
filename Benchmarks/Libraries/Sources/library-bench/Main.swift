import Bare
import Glibc
import ZeroMQ

let usage = """
  usage: library-bench pull c|delegate|batches|read ENDPOINT SIZE COUNT
         library-bench push ENDPOINT SIZE COUNT
         library-bench echo c|delegate|stream ENDPOINT SIZE COUNT
         library-bench ping ENDPOINT SIZE COUNT
         library-bench serve c|reactor|async ENDPOINT
         library-bench call c|reactor|async ENDPOINT CALLS-AT-A-TIME COUNT PROCESS-OF-THE-SERVICE
  """

/// One side of a measurement. `libraries.py` starts both, and reads what the measured one prints.
@main
struct Main {
  static func main() async throws {
    let words = CommandLine.arguments.dropFirst().map { $0 }
    let numbers = words.compactMap { Int($0) }
    switch (words.first, words.count, numbers.count) {
    case ("pull", 5, 2):
      try await Pull(endpoint: words[2], size: numbers[0], count: numbers[1]).run(words[1])
    case ("echo", 5, 2):
      try await Echo(endpoint: words[2], size: numbers[0], count: numbers[1]).run(words[1])
    case ("push", 4, 2):
      bare_push(bare_context(), words[1], numbers[0], numbers[1])
      // Who measures ends it, when all has come.
      while true { pause() }
    case ("ping", 4, 2):
      var times = [UInt64](repeating: 0, count: numbers[1])
      bare_ping(bare_context(), words[1], numbers[0], times.count, &times)
      report(roundTrips: times)
    case ("serve", 3, 0): try await Serving(endpoint: words[2]).run(words[1])
    case ("call", 6, 3):
      try await Calling(endpoint: words[2], atATime: numbers[0], count: numbers[1], other: CInt(numbers[2]))
        .run(words[1])
    default: fail(usage)
    }
    // Not by the way out: what a socket still holds is of no interest.
    exit(0)
  }
}

func fail(_ text: String) -> Never {
  _ = "\(text)\n".withCString { write(2, $0, strlen($0)) }
  exit(64)
}

/// Tells the other side where to connect.
func announce(_ endpoint: String) {
  print(endpoint)
  fflush(nil)
}

/// What passed between two readings of the clocks, for each of so many messages or calls.
func report(from begin: bare_clocks, to end: bare_clocks, count: Int) {
  let (cpu, wall) = (end.cpu_ns - begin.cpu_ns, end.wall_ns - begin.wall_ns)
  print("{\"cpu_ns\": \(Double(cpu) / Double(count)), \"wall_ns\": \(Double(wall) / Double(count))}")
}

/// The median of the later nine tenths, and what one of a hundred exceeds.
func report(roundTrips: [UInt64]) {
  let sorted = roundTrips.dropFirst(roundTrips.count / 10).sorted()
  print("{\"median_ns\": \(sorted[sorted.count / 2]), \"p99_ns\": \(sorted[sorted.count * 99 / 100])}")
}

/// A context of libzmq's, for sockets of C and of Swift.
struct Contexts: @unchecked Sendable {
  // Safe: any thread may use a context.
  let raw = bare_context()!
  let context: Context

  init() { context = Context(adopting: raw) }

  /// Binds a socket of C, and tells the other side.
  func bind(_ kind: SocketKind, _ endpoint: String) -> UnsafeMutableRawPointer {
    var bound = [CChar](repeating: 0, count: 256)
    let socket = bare_bind(raw, kind.rawValue, endpoint, &bound, bound.count)!
    announce(bound.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
    return socket
  }
}
