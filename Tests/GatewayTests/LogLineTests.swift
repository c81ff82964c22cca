import Support
import Testing

@testable import Gateway

@Suite("A line of the log of requests", .inTurn(minutes: 3))
struct LogLineTests {
  private func line(_ format: Configuration.Log.Format, _ write: (inout LogLine) -> Void) -> String {
    var line = LogLine(format)
    line.begin(Array("2026-11-30T10:00:00.".utf8), 7, isWarning: false)
    write(&line)
    line.end()
    var text = ""
    line.withBytes { text = String(decoding: $0, as: UTF8.self) }
    return text
  }

  private func fill(_ line: inout LogLine) {
    line.text(.id, "a1")
    line.plain(.method, "GET")
    line.plain(.route, "rpc" as String)
    line.number(.status, 200)
    line.milliseconds(.total, .nanoseconds(12_345_999))
    line.milliseconds(.queue, .nanoseconds(999))
    line.milliseconds(.backend, .seconds(-1))
    line.flag(.slow)
  }

  @Test("is names and values, or one object of JSON")
  func formats() {
    #expect(
      line(.text, fill)
        == "2026-11-30T10:00:00.007Z info request: id=a1 method=GET route=rpc status=200 total=12.345 queue=0.000 backend=0.000 slow=true\n"
    )
    #expect(
      line(.json, fill)
        == #"{"time":"2026-11-30T10:00:00.007Z","level":"info","message":"request","id":"a1","method":"GET","route":"rpc","status":200,"total":12.345,"queue":0.000,"backend":0.000,"slow":true}"#
        + "\n")
  }

  @Test("escapes what does not print, wherever it stands", arguments: [0, 1, 7, 8, 15, 16, 40])
  func escapes(before: Int) {
    let start = String(repeating: "x", count: before)
    for (byte, text) in [
      (0x00, #"\x00"#), (0x0A, #"\x0a"#), (0x20, #"\x20"#), (0x21, "!"), (0x5C, #"\x5c"#), (0x7E, "~"),
      (0x7F, #"\x7f"#), (0x80, #"\x80"#), (0xFF, #"\xff"#),
    ] as [(UInt8, String)] {
      let bytes = Array(start.utf8) + [byte] + Array("yz".utf8)
      #expect(line(.text) { $0.bytes(.path, bytes) }.hasSuffix(" path=\(start)\(text)yz\n"), "\(byte)")
      guard byte < 0x80 else { continue }
      let string = String(decoding: bytes, as: UTF8.self)
      #expect(line(.text) { $0.text(.subject, string) }.hasSuffix(" subject=\(start)\(text)yz\n"), "\(byte)")
      #expect(JSON(line(.json) { $0.bytes(.path, bytes) })?["path"] == .string(string), "\(byte)")
    }
  }
}
