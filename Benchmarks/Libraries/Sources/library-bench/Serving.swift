import Bare
import ZeroMQ
import ZeroMQRPC

/// A service with one method, `add`, until its input ends.
struct Serving {
  let endpoint: String

  func run(_ door: String) async throws {
    var methods = Methods()
    switch door {
    case "c": bare_serve(Contexts().bind(.router, endpoint))
    case "reactor": methods.add("add", "a", "b") { (a: Int, b: Int) in a + b }
    case "async": methods.add("add", "a", "b") { (a: Int, b: Int) async in a + b }
    default: fail(usage)
    }
    let service = try await RPCService.start(methods, bind: [endpoint])
    announce("\(try await service.transport.bindings[0])")
    while readLine() != nil {}
    await service.close()
  }
}
