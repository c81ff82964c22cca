import ZeroMQRPC

var methods = Methods()
methods.add("remote_func", "a", "b") { (a: Int, b: Int) in a + b }

let service = try await RPCService.start(methods, bind: ["tcp://*:*"])
let client = try await RPCClient.connect(await service.transport.bindings)

do {
  try await client.call.unknown_function()
} catch let error as RemoteError where error.isA("NotFoundError") {
  print("unknown_function(): \(error)")
}
do {
  try await client.call.remote_func(bad_arg: 1)
} catch let error as RemoteError where error.isA("ParametersError") {
  print("remote_func(bad_arg: 1): \(error)")
}
do {
  try await client.call.remote_func(1)
} catch let error as RemoteError where error.isA("ParametersError") {
  print("remote_func(1): \(error)")
}
do {
  try await client.call.remote_func("a", "b")
} catch let error as RemoteError where error.isA("ParametersError") {
  print("remote_func(\"a\", \"b\"): \(error)")
}

await client.close()
await client.waitClosed()
await service.close()
await service.waitClosed()
print("DONE")
