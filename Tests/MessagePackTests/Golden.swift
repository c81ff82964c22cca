import Foundation
import Testing

/// The recorded bytes in `Golden/`.
enum Golden {
  struct File: Decodable { let vectors: [Vector] }

  struct Vector: Decodable, CustomTestStringConvertible {
    struct Decoded: Decodable {
      let repacked_hex: String?
      let raises: String?
      let kind: String?
      let fields: [Int]?
      let fold: Int?
      let tz: Zone?
      let offset_microseconds: Int?
      let key: String?
      let name: String?
    }
    struct Zone: Decodable {
      let kind: String
      let offset_microseconds: Int?
      let key: String?
      let name: String?
    }
    let name: String
    let pattern: String
    let code: Int8?
    let frames_hex: [String]
    let decoded: Decoded?
    var testDescription: String { name }
    var payload: [UInt8] { bytes(frames_hex[0]) }
  }

  static let messagePack = load("msgpack")
  static let pickles = load("pickle_ext")

  private static func load(_ name: String) -> [Vector] {
    guard let url = Bundle.module.url(forResource: "Golden/\(name)", withExtension: "json"),
      let data = try? Data(contentsOf: url), let file = try? JSONDecoder().decode(File.self, from: data)
    else { fatalError("cannot read Golden/\(name).json") }
    return file.vectors
  }
}
