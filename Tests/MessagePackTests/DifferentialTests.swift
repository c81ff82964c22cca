import CMessagePack
import Support
import Testing

@testable import MessagePack

@Suite("our reader against msgpack-c", .inTurn(minutes: 3))
struct DifferentialTests {
  @Test("random values: what is written reads back the same, here and in msgpack-c")
  func values() throws {
    var random = SplitMix(state: 4)
    for _ in 0..<1_000 {
      let value = Value.random(depth: 5, isPlain: false, using: &random)
      let bytes = written(value)
      #expect(try Unpacker().unpack(bytes) == value)
      #expect(unpackedByC(bytes) == value)
    }
  }

  @Test("random plain values: through JSON and back gives the same bytes")
  func json() throws {
    var random = SplitMix(state: 5)
    for _ in 0..<1_000 {
      let bytes = written(.random(depth: 5, isPlain: true, using: &random))
      #expect(try pack(try print(bytes)) == bytes)
    }
  }

  @Test("changed bytes: what this module reads, msgpack-c reads as the same value")
  func mutations() throws {
    var random = SplitMix(state: 6)
    for _ in 0..<1_000 {
      var bytes = written(.random(depth: 4, isPlain: false, using: &random))
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8.random(in: 0...255, using: &random)
      }
      guard let value = try? Unpacker(limits: .init(depth: 32)).unpack(bytes) else { continue }
      // NaN is not equal to itself: compare what is written.
      #expect(unpackedByC(bytes).map(written) == written(value))
    }
  }

  /// The value as msgpack-c's own unpacker reads it; only for bytes already found sound, as it allocates unchecked.
  private func unpackedByC(_ bytes: [UInt8]) -> Value? {
    var unpacked = msgpack_unpacked()
    msgpack_unpacked_init(&unpacked)
    defer { msgpack_unpacked_destroy(&unpacked) }
    var offset = 0
    let result = bytes.withUnsafeBytes { bytes in
      msgpack_unpack_next(
        &unpacked, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, &offset)
    }
    guard result == MSGPACK_UNPACK_SUCCESS, offset == bytes.count else { return nil }
    // Strings point into `bytes`, which is still alive.
    return value(unpacked.data)
  }

  private func value(_ object: msgpack_object) -> Value {
    func body(_ start: UnsafePointer<CChar>?, _ size: UInt32) -> [UInt8] {
      Array(UnsafeRawBufferPointer(start: start, count: Int(size)))
    }
    switch object.type {
    case MSGPACK_OBJECT_BOOLEAN: return .bool(object.via.boolean)
    case MSGPACK_OBJECT_POSITIVE_INTEGER: return .integer(object.via.u64)
    case MSGPACK_OBJECT_NEGATIVE_INTEGER: return .int(object.via.i64)
    case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64: return .double(object.via.f64)
    case MSGPACK_OBJECT_STR:
      let bytes = body(object.via.str.ptr, object.via.str.size)
      return String(validating: bytes, as: UTF8.self).map(Value.string) ?? .binary(bytes)
    case MSGPACK_OBJECT_BIN: return .binary(body(object.via.bin.ptr, object.via.bin.size))
    case MSGPACK_OBJECT_EXT: return .ext(object.via.ext.type, body(object.via.ext.ptr, object.via.ext.size))
    case MSGPACK_OBJECT_ARRAY:
      let array = object.via.array
      return .array((0..<Int(array.size)).map { value(array.ptr[$0]) })
    case MSGPACK_OBJECT_MAP:
      let map = object.via.map
      return .map((0..<Int(map.size)).map { .init(value(map.ptr[$0].key), value(map.ptr[$0].val)) })
    default: return nil
    }
  }
}
