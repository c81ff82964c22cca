import Bare
import ZeroMQ

/// Sends messages back to whom they came from: a peer that measures how long that takes.
struct Echo {
  let endpoint: String
  let size: Int
  let count: Int
  private let contexts = Contexts()

  init(endpoint: String, size: Int, count: Int) {
    self.endpoint = endpoint
    self.size = size
    self.count = count
  }

  func run(_ door: String) async throws {
    let times = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: count)
    switch door {
    case "c":
      let socket = contexts.bind(.router, endpoint)
      startPeer(times)
      bare_echo(socket, count)
    case "delegate":
      let (done, end) = AsyncStream.makeStream(of: Void.self)
      let transport = try await Transport.open(.router, bind: [endpoint], in: contexts.context) {
        [count] in Echoing(count, end)
      }
      announce("\(await transport.bindings[0])")
      startPeer(times)
      for await _ in done {}
      await transport.close()
      await transport.waitClosed()
    case "stream":
      let stream = try await MessageStream.open(.router, bind: [endpoint], in: contexts.context)
      announce("\(await stream.transport.bindings[0])")
      startPeer(times)
      for _ in 0..<count { try await stream.send(try await stream.read()) }
      await stream.close()
    default: fail(usage)
    }
    bare_join()
    if isInproc {
      report(roundTrips: Array(times))
    } else {
      // The last answer may not have left yet: the peer tells when it has it.
      while readLine() != nil {}
    }
  }

  private var isInproc: Bool { endpoint.hasPrefix("inproc:") }

  private func startPeer(_ times: UnsafeMutableBufferPointer<UInt64>) {
    if isInproc { bare_ping_beside(contexts.raw, endpoint, size, count, times.baseAddress) }
  }

  private final class Echoing: TransportDelegate {
    private var left: Int
    private let end: AsyncStream<Void>.Continuation

    init(_ count: Int, _ end: AsyncStream<Void>.Continuation) {
      left = count
      self.end = end
    }

    func messageReceived(_ message: Message, on transport: isolated Transport) {
      transport.write(message)
      left -= 1
      if left == 0 { end.finish() }
    }
  }
}
