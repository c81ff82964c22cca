import ZeroMQRPC

func handler(_ ident: String) -> Methods {
  var methods = Methods()
  methods.add("a") { [ident, "a"] }
  methods["subhandler"] = subhandler(ident, "subident")
  return methods
}

func subhandler(_ ident: String, _ subident: String) -> Methods {
  var methods = Methods()
  methods.add("b") { [ident, subident, "b"] }
  return methods
}

let service = try await RPCService.start(handler("ident"), bind: ["tcp://*:*"])
let client = try await RPCClient.connect(await service.transport.bindings)

let a: [String] = try await client.call.a()
print("a() is \(a)")
let b: [String] = try await client.call.subhandler.b()
print("subhandler.b() is \(b)")

await client.close()
await client.waitClosed()
await service.close()
await service.waitClosed()
print("DONE")
