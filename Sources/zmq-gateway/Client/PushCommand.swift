import ArgumentParser
import Gateway
import ZeroMQ
import ZeroMQRPC

struct PushCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "push", abstract: "Hand a call to a pipeline; nobody waits for its result.",
    discussion: """
      zmq-gateway push jobs/resize '["a.png"]'
      zmq-gateway push --zmq tcp://127.0.0.1:5556 resize '["a.png"]'
      """)

  @Argument(help: "service/method at a gateway; at a worker the method alone.")
  var name: String

  @OptionGroup var sending: SendingOptions

  func validate() throws { try sending.requireNoTimeoutAtGateway() }

  func run() async throws {
    switch try sending.peers.peer {
    case .gateway(let url):
      let name = try CalledName(inGateway: name, hasTopic: false)
      // A push waits for nothing: it has no timeout.
      try GatewayCall(
        url: url, path: name.path(at: "push"), body: try sending.arguments.json(), timeout: nil
      )
      .run()
    case .service(let endpoint):
      let name = try CalledName(inService: name, hasTopic: false)
      let (positional, keywords) = try sending.arguments.values()
      let context = try Context()
      let client = try await PipelineClient.connect([endpoint], timeout: sending.waiting.limit, in: context) {
        $0.logger = PeerOptions.quiet
        $0.linger = sending.waiting.linger
      }
      do {
        try await client.notify(name.method, positional, keywords)
      } catch let failure as CallFailure {
        throw await fail(failure, at: endpoint) { .pipeline(.init(connect: [$0])) }
      }
      await client.close()
      await client.waitClosed()
      try await sending.waiting.untilLeft(context, to: endpoint)
    }
  }
}
