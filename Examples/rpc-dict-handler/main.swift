import ZeroMQRPC

let subnamespace: [String: any Handler] = ["b": Method { "b" }]
let handlers: [String: any Handler] = ["a": Method { "a" }, "subnamespace": subnamespace]

let service = try await RPCService.start(handlers, bind: ["tcp://*:*"])
let client = try await RPCClient.connect(await service.transport.bindings)

let a: String = try await client.call.a()
print("a() is \(a)")
let b: String = try await client.call.subnamespace.b()
print("subnamespace.b() is \(b)")

await client.close()
await client.waitClosed()
await service.close()
await service.waitClosed()
print("DONE")
