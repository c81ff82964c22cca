import MessagePack
import Support
import Testing
import ZeroMQRPC

/// What the articles about `ZeroMQRPC` show, beside what stands in `Examples` and in the tests of `docs/rpc.md`.
@Suite("What the articles about calls show", .inTurn(minutes: 3))
struct RPCArticleTests {
  private enum Size: String, ValueConvertible { case small, large }

  private struct Order: Codable, ValueConvertible {
    var item: String
    var size: String?
    var count: Int
  }

  @Test("a service in ten lines runs until its task is cancelled, and is called by Swift and by Python")
  func service() async throws {
    let directory = try TemporaryDirectory()
    let endpoint = directory.endpoint("calc")
    let running = Task {
      var calc = Methods()
      calc.add("add", "a", "b") { (a: Int, b: Int) in a + b }
      calc.add("scale", "x", Parameter("by", default: 2.0)) { (x: Double, by: Double) in x * by }
      calc.add("whoami") { (call: CallContext) in call.peerAddress }
      calc.add("sleep", "seconds") { (seconds: Double) in try await Task.sleep(for: .seconds(seconds)) }

      let service = try await RPCService.start(calc, bind: [endpoint]) { $0.timeout = .seconds(5) }
      try await service.run()
    }
    let client = try await RPCClient.connect([endpoint], timeout: .seconds(20))
    #expect(try await client.call.add(1, 2) == 3)
    #expect(try await client.call.scale(3) == 6.0)
    await client.close()
    if Python.isThere {
      let calls = [
        #"{"method": "add", "args": [1], "kwargs": {"b": 2}}"#, #"{"method": "scale", "args": [3]}"#,
        #"{"method": "whoami"}"#, #"{"method": "sleep", "args": [0]}"#,
      ]
      let answers = try await Python.lines(of: "peer_calls.py", [endpoint], input: calls.map { "\($0)\n" }.joined())
      // Over ipc a caller has no address.
      #expect(
        answers.map { "\($0["result"])" } == ["3", "6.0", "null", "null"]
          && answers.allSatisfy { $0["ok"] == true })
    }
    running.cancel()
    try await running.value
  }

  @Test("enums travel as their raw values, structures as maps") func values() async throws {
    try await serve { methods in
      methods.add("order", "order", Parameter("size", default: Size.small)) { (order: Order, size: Size) in
        Order(item: order.item, size: size.rawValue, count: order.count + 1)
      }
    } calling: { client in
      let order: Value = try await client.call.order(["item": "tea", "count": 1] as Value, size: Size.large)
      #expect(order == ["item": "tea", "size": "large", "count": 2])
    }
  }

  @Test("errors are told apart by their class, and by whether a call was sent") func errors() async throws {
    func find(_ client: RPCClient) async throws {
      do {
        let _: Value = try await client.call.find("x")
      } catch let error as RemoteError where error.isA("LookupError") {
        // KeyError, IndexError, and aiozmq's NotFoundError
      } catch let error as CallFailure where !error.sent {
        // safe to repeat
      }
    }
    try await serve { methods in
      methods.add("find", "key") { (key: String) in throw RemoteException.key(.string(key)) }
    } calling: { client in
      try await find(client)
      await client.close()
      try await find(client)
    }
    try await serve { methods in
      methods.add("find", "key") { (key: String) in throw RemoteException.value("no good") }
    } calling: { client in
      await #expect(throws: RemoteError.value("no good")) { try await find(client) }
    }
  }

  @Test("Python is called", .enabled(if: Python.isThere, "\(Python.comment)")) func callingPython() async throws {
    let directory = try TemporaryDirectory()
    let endpoint = directory.endpoint("prices")
    let script = try #require(try Article.named("CallingPython").blocks(of: "python").first)
    let service = try Subprocess(
      Python.path ?? "", [directory.file("service.py", script.replacing("tcp://127.0.0.1:5555", with: endpoint))])
    do {
      let client = try await RPCClient.connect([endpoint], timeout: .seconds(10))
      let one: Double = try await client.call.price("apple")
      let dozen: Double = try await client.call.price("apple", count: 12)
      let same: Double = try await client.call("price", ["apple"], ["count": 12])
      #expect([one, dozen, same] == [0.25, 3, 3])
      await client.close()
    }
    await service.destroy()
  }

  @Test("Python calls", .enabled(if: Python.isThere, "\(Python.comment)")) func calledByPython() async throws {
    let directory = try TemporaryDirectory()
    let endpoint = directory.endpoint("calc")
    var calc = Methods()
    calc.add("add", "a", "b") { (a: Int, b: Int) in a + b }
    calc.add("scale", "x", Parameter("by", default: 2.0)) { (x: Double, by: Double) in x * by }
    let service = try await RPCService.start(calc, bind: [endpoint])
    let script = try #require(try Article.named("BeingCalledByPython").blocks(of: "python").first)
    let client = try Subprocess(
      Python.path ?? "", [directory.file("client.py", script.replacing("tcp://127.0.0.1:5555", with: endpoint))])
    let output = try await client.rest()
    #expect(try await client.ended() == 0 && output.hasPrefix("Invalid value for argument 'a'"), "\(output)")
    await service.close()
  }

  private func serve(
    _ add: (inout Methods) -> Void, calling body: (RPCClient) async throws -> Void
  ) async throws {
    var methods = Methods()
    add(&methods)
    let directory = try TemporaryDirectory()
    let service = try await RPCService.start(methods, bind: [directory.endpoint("service")])
    let client = try await RPCClient.connect([directory.endpoint("service")], timeout: .seconds(20))
    try await body(client)
    await client.close()
    await service.close()
  }
}
