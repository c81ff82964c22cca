import MessagePack
import ZeroMQRPC

/// Has a method `func` in every namespace that anybody asks for.
struct DynamicHandler: Handler {
  var namespace: [String] = []

  func lookup(_ name: String) -> (any Handler)? {
    if name == "func" {
      return Method { try [namespace.asValue(), "val"] as Value }
    }
    return DynamicHandler(namespace: namespace + [name])
  }
}

let service = try await RPCService.start(DynamicHandler(), bind: ["tcp://*:*"])
let client = try await RPCClient.connect(await service.transport.bindings)

for (name, result) in [
  ("func()", try await client.call.func()), ("a.func()", try await client.call.a.func()),
  ("a.b.func()", try await client.call.a.b.func()),
] {
  let namespace = try [String](converting: result[0] ?? .nil)
  print("\(name) is \(namespace), \(result[1]?.stringValue ?? "nothing")")
}

await client.close()
await client.waitClosed()
await service.close()
await service.waitClosed()
print("DONE")
