import ArgumentParser
import Gateway
import ZeroMQ
import ZeroMQRPC

struct PublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pub", abstract: "Publish an event.",
    discussion: """
      zmq-gateway pub news/chat/say '["hello"]'
      zmq-gateway pub --zmq tcp://127.0.0.1:5557 chat/say '["hello"]'    waits until somebody there has subscribed to the topic
      """)

  @Argument(help: "service/topic/method at a gateway; at a subscriber topic/method.")
  var name: String

  @OptionGroup var sending: SendingOptions

  func validate() throws { try sending.requireNoTimeoutAtGateway() }

  func run() async throws {
    switch try sending.peers.peer {
    case .gateway(let url):
      let name = try CalledName(inGateway: name, hasTopic: true)
      try GatewayCall(
        url: url, path: name.path(at: "pub"), body: try sending.arguments.json(), timeout: nil
      )
      .run()
    case .service(let endpoint):
      let name = try CalledName(inService: name, hasTopic: true)
      let topic = name.topic ?? ""
      let (positional, keywords) = try sending.arguments.values()
      let context = try Context()
      let client = try await PubSubClient.connect([endpoint], in: context) {
        $0.logger = PeerOptions.quiet
        $0.linger = sending.waiting.linger
      }
      do {
        try await client.waitForSubscriber(of: topic, within: sending.waiting.limit)
      } catch let error as ZMQError where error.code == .timedOut {
        let fault = await connectFault(at: endpoint, .pubsub(.init(publish: .init(connect: [endpoint]))))
        throw fail(
          "\(endpoint): \(fault.map { "\($0.code.rawValue): \($0)" } ?? "nobody has subscribed to \"\(topic)\"")",
          .unavailable)
      }
      try await client.publish(topic, name.method, positional, keywords)
      await client.close()
      await client.waitClosed()
      try await sending.waiting.untilLeft(context, to: endpoint)
    }
  }
}
