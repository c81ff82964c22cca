import ArgumentParser
import Gateway
import MessagePack
import ZeroMQRPC

struct CallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call", abstract: "Call a method, and print its result.",
    discussion: """
      zmq-gateway call calc/add '[2, 3]'                                asks the gateway on this machine
      zmq-gateway call --http http://10.0.0.5:8080/api calc/add '{"a": 2, "b": 3}'
      zmq-gateway call --zmq tcp://127.0.0.1:5555 add '[2, 3]'          asks a service, without a gateway

      A problem, or an exception of the method, goes to standard error: exit 1, or 69 when the call was not sent or
      the gateway is not there. After a timeout, exit 1: it may have run.
      """)

  @Argument(help: "service/method at a gateway; at a service the method alone.")
  var name: String

  @OptionGroup var sending: SendingOptions

  func run() async throws {
    switch try sending.peers.peer {
    case .gateway(let url):
      let name = try CalledName(inGateway: name, hasTopic: false)
      try GatewayCall(
        url: url, path: name.path(at: "rpc"), body: try sending.arguments.json(),
        timeout: sending.waiting.timeout
      ).run()
    case .service(let endpoint):
      let name = try CalledName(inService: name, hasTopic: false)
      let (positional, keywords) = try sending.arguments.values()
      let client = try await RPCClient.connect([endpoint], timeout: sending.waiting.limit) {
        $0.logger = PeerOptions.quiet
      }
      do {
        let result: Value = try await client.call(name.method, positional, keywords)
        print(try result.json)
      } catch let error as RemoteError {
        throw fail("\(error.name): \(error)", .failure)
      } catch let failure as CallFailure {
        throw await fail(failure, at: endpoint) { .rpc(.init(connect: [$0])) }
      }
      await client.close()
    }
  }
}
