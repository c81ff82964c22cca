import ArgumentParser
import FoundationEssentials
import Gateway
import MessagePack
import ZeroMQ

struct SubscribeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sub", abstract: "Follow events, and print each as a line of JSON.",
    discussion: """
      zmq-gateway sub news --topic chat --topic clock
      zmq-gateway sub --zmq tcp://127.0.0.1:5558 --topic chat      hears a publisher, without a gateway

      What a gateway tells of the stream itself, such as a gap, is a line as well, with "event". The end of the stream is exit 69.
      """)

  @OptionGroup var peers: PeerOptions

  @Argument(help: "The service, of a gateway.")
  var service: String?

  @Option(help: "A prefix of topics, once for each. Default: all.")
  var topic: [String] = []

  @Option(help: "End, with exit 0, after so many events. Default: go on.")
  var count: Int?

  func validate() throws {
    if (service == nil) != (peers.zmq != nil) {
      throw ValidationError("a gateway is asked for a service, such as news; with --zmq there is none to name")
    }
    if let service, service.contains("/") {
      throw ValidationError("the service alone; its topics are named by --topic, as in: sub news --topic clock")
    }
    if let count, count < 1 { throw ValidationError("--count: at least 1") }
  }

  func run() async throws {
    switch try peers.peer {
    case .gateway(let url): try follow(url)
    case .service(let endpoint): try await hear(endpoint)
    }
  }

  private func follow(_ url: GatewayURL) throws {
    let query = topic.map { "topic=\($0.percentEncoded)" }.joined(separator: "&")
    let target = "/sub/\((service ?? "").percentEncoded)" + (query.isEmpty ? "" : "?\(query)")
    let request = HTTPRequest(verb: "GET", target: target, headers: [(name: "Accept", value: "application/x-ndjson")])
    var (rest, seen) = ([UInt8](), 0)
    let head: HTTPRequest.Head
    do {
      head = try request.send(to: url) { head, piece in
        rest += piece
        while head.isSuccess, let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          let line = Data(rest[...end])
          rest.removeFirst(end + 1)
          let event = (try? JSONDecoder().decode(Line.self, from: line))?.event
          if event == "open" || event == "heartbeat" { continue }
          StandardStream.output.write(line)
          if event == nil { seen += 1 }
          if seen == count { return false }
        }
        return true
      }
    } catch let unanswered as HTTPRequest.Unanswered {
      throw unanswered.exit(url)
    }
    guard head.isSuccess else {
      StandardStream.error.write(rest + [UInt8(ascii: "\n")])
      throw head.status == 503 ? ExitCode.unavailable : ExitCode.failure
    }
    if seen != count { throw fail("\(url): the stream has ended", .unavailable) }
  }

  /// What tells a line of the gateway's own from an event of the service.
  private struct Line: Decodable {
    let event: String?
  }

  private func hear(_ endpoint: Endpoint) async throws {
    let stream = try await MessageStream.open(.subscribe, connect: [endpoint])
    // What goes on in silence is told: the publisher may come yet.
    let looking = Task {
      guard let fault = await connectFault(at: endpoint, .pubsub(.init(subscribe: .init(connect: [endpoint])))) else {
        return
      }
      StandardStream.error.write("\(endpoint): waiting: \(fault.code.rawValue): \(fault)\n")
    }
    defer { looking.cancel() }
    for prefix in topic.isEmpty ? [""] : topic { try await stream.transport.subscribe(Array(prefix.utf8)) }
    var seen = 0
    while seen != count {
      let frames = try await stream.read().map { [UInt8]($0) }
      guard frames.count == 4, let line = try? Self.line(frames) else { continue }
      // Not print: whoever reads the lines from a pipe wants each at once.
      StandardStream.output.write(line + "\n")
      seen += 1
    }
    await stream.close()
  }

  private static func line(_ frames: [[UInt8]]) throws -> String {
    let unpacker = Unpacker(limits: .init(depth: 500))
    let event: Value = [
      "topic": text(frames[0]), "method": text(frames[1]), "args": try unpacker.unpack(frames[2]),
      "kwargs": try unpacker.unpack(frames[3]),
    ]
    return try event.json
  }

  private static func text(_ bytes: [UInt8]) -> Value {
    String(validating: bytes, as: UTF8.self).map { .string($0) } ?? .binary(bytes)
  }
}
