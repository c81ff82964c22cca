import MessagePack
import ZeroMQRPC

struct Point: Equatable {
  let x: Int
  let y: Int
}

/// On the wire it is an extension with code 0, whose bytes are the packed coordinates. To Python it is a point with
/// `translation_table = {0: (Point, lambda p: packb((p.x, p.y)), lambda b: Point(*unpackb(b)))}`.
extension Point: ValueConvertible {
  init(converting value: Value) throws(ConversionError) {
    guard case .ext(0, let bytes) = value, let pair = try? Unpacker().unpack(bytes), let x = pair[0]?.intValue,
      let y = pair[1]?.intValue
    else { throw ConversionError(code: .type, message: "a point is needed") }
    self.init(x: x, y: y)
  }

  func asValue() throws(ConversionError) -> Value {
    do { return .ext(0, try Packer().pack([.int(Int64(x)), .int(Int64(y))])) } catch {
      throw ConversionError(code: .value, message: error.message)
    }
  }
}

var methods = Methods()
methods.add("remote", "value") { (value: Point) in value }

let service = try await RPCService.start(methods, bind: ["tcp://*:*"])
let client = try await RPCClient.connect(await service.transport.bindings)

let point: Point = try await client.call.remote(Point(x: 1, y: 2))
print(point, point == Point(x: 1, y: 2))

await client.close()
await client.waitClosed()
await service.close()
await service.waitClosed()
print("DONE")
