import ZeroMQRPC

var methods = Methods()
methods.add("remote_func", "a", "b") { (a: Int, b: Int) in a + b }

let service = try await RPCService.start(methods, bind: ["tcp://*:*"])
let client = try await RPCClient.connect(await service.transport.bindings)

let sum: Int = try await client.call.remote_func(1, 2)
print("remote_func(1, 2) is \(sum)")

await client.close()
await client.waitClosed()
await service.close()
await service.waitClosed()
print("DONE")
