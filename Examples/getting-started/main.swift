import ZeroMQ
import ZeroMQRPC

/// Messages: a question to a router, and its answer.
func requestReply() async throws {
  let router = try await MessageStream.open(.router, bind: ["tcp://127.0.0.1:*"])
  let dealer = try await MessageStream.open(.dealer, connect: await router.transport.bindings)

  try await dealer.send(["data", "ask", "0"])
  let question = try await router.read()
  try await router.send(question)
  let answer = try await dealer.read()
  print(answer)

  await dealer.close()
  await router.close()
}

/// Calls: a service, and a client that calls it.
func remoteCall() async throws {
  var methods = Methods()
  methods.add("remote_func", "a", "b") { (a: Int, b: Int) in a + b }
  let service = try await RPCService.start(methods, bind: ["tcp://127.0.0.1:*"])
  let client = try await RPCClient.connect(await service.transport.bindings)

  let sum: Int = try await client.call.remote_func(1, 2)
  print(sum)

  await client.close()
  await service.close()
}

try await requestReply()
try await remoteCall()
