import MessagePack
import ZeroMQRPC

struct Point: Translated, Equatable {
  let x: Int
  let y: Int
}

/// On the wire it is an extension with code 0, whose bytes are the packed coordinates. To Python it is a point with
/// `translation_table = {0: (Point, lambda p: packb((p.x, p.y)), lambda b: Point(*unpackb(b)))}`.
var table = Translators()
try table.add(Point.self, code: 0) { point in
  try Packer().pack([point.x, point.y].asValue())
} unpack: { bytes in
  let pair = try [Int](converting: Unpacker().unpack(bytes))
  guard pair.count == 2 else { throw ConversionError(code: .value, message: "a point has two coordinates") }
  return Point(x: pair[0], y: pair[1])
}

var methods = Methods()
methods.add("remote", "value") { (value: Point) in value }

let service = try await RPCService.start(methods, bind: ["tcp://*:*"]) { $0.translators = table }
let client = try await RPCClient.connect(await service.transport.bindings) { $0.translators = table }

let point: Point = try await client.call.remote(Point(x: 1, y: 2))
print(point, point == Point(x: 1, y: 2))

await client.close()
await client.waitClosed()
await service.close()
await service.waitClosed()
print("DONE")
