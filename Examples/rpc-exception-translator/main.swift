import MessagePack
import ZeroMQRPC

struct CustomError: Error {
  let value: String
}

/// The service says how it travels: a Python client that has this name in its `error_table` raises its own.
extension CustomError: RemoteExceptionConvertible {
  static let name = "examples.CustomError"
  var remoteException: RemoteException { RemoteException(Self.name, [.string(value)]) }
}

/// The client makes it of what has come.
extension CustomError {
  init(_ error: RemoteError) throws { value = try String(converting: error.args.first ?? .nil) }
}

var methods = Methods()
methods.add("remote", "value") { (value: String) in throw CustomError(value: value) }

let service = try await RPCService.start(methods, bind: ["tcp://*:*"])
let client = try await RPCClient.connect(await service.transport.bindings) {
  $0.errors[CustomError.name] = CustomError.init
}

do {
  try await client.call.remote("value")
} catch let error as CustomError {
  print("caught \(error)")
}

await client.close()
await service.close()
print("DONE")
